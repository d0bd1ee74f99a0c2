//! How the things of one kind live: the operations that show and change them, and how they show what they were asked to be.

use aipolicy_targets::artifact::Address;
use serde_json::Value;

use super::AwsPlace;
use super::exchange::Members;
use super::services::Service;

/// How the things of one kind live.
pub(super) struct Life {
    /// The kinds of documents that are such things, as `target/Kind`. What nobody wants any more is told under the first.
    pub(super) words: &'static [&'static str],
    /// Who is asked.
    pub(super) service: Service,
    /// What such a thing is a part of. A part carries no mark; it is ours if the whole is.
    pub(super) whole: Option<Whole>,
    /// The only region that is asked, where a service has one for an account.
    pub(super) home: Option<&'static str>,
    /// How all of them are found.
    pub(super) list: List,
    /// The operation that shows one by its keys, and where in the answer it is; without one, lists show them whole.
    pub(super) read: Option<(&'static str, &'static str)>,
    /// The operation whose request is the document, and where in its answer the thing is.
    pub(super) create: (&'static str, &'static str),
    /// How one is changed.
    pub(super) update: Update,
    /// The operation that removes one by its keys.
    pub(super) delete: &'static str,
    /// Members of the document, as paths with dots, that tell a thing from all others of its kind, region and whole. The last
    /// one is its name.
    pub(super) identity: &'static [&'static str],
    /// The members of the request that creates it, tags apart.
    pub(super) members: &'static [Member],
    /// Pointers to what services show though nobody asked for it. `*` is any key or item.
    pub(super) echoes: &'static [Echo],
    /// Pointers to members that services take as the text of a JSON document. `*` is any key or item.
    pub(super) texts: &'static [&'static str],
    /// How marks are read and written.
    pub(super) tags: Option<&'static Tags>,
    /// Whether it is a setting, which carries no mark. One that says what is wanted, or of which the journal knows, is ours.
    pub(super) is_setting: bool,
    /// Where a thing shows its states. What ends in `ING`, or is in progress, ends by itself; what has failed says so.
    pub(super) states: &'static [&'static str],
    /// What is done before one is made or changed.
    pub(super) first: Option<First>,
    /// Lists that are filled by further calls when the thing is there: with fewer items it is one whose making was cut off.
    pub(super) filled: &'static [&'static str],
    /// Whether the service makes two of them when it is asked twice. So it is asked once, and looked at before it is asked again.
    pub(super) is_doubled: bool,
}

impl Life {
    /// What a member says where nobody asks for anything, as far as that is told.
    pub(super) fn usual(&self, member: &str) -> Option<Value> {
        self.echoes.iter().find_map(|echo| match echo {
            Echo::Usual(pointer, says) if pointer.strip_prefix('/') == Some(member) => {
                serde_json::from_str(says).ok()
            }
            Echo::Usual(..) | Echo::Any(_) => None,
        })
    }

    /// Whether a thing is the beginning of one that is wanted: it says that it has failed, or has all but some items of the lists
    /// that are filled last.
    pub(super) fn is_begun(&self, found: &Value, wanted: &Value) -> bool {
        if found.get("$state").is_some() {
            return true;
        }
        let bare = |value: &Value| {
            let mut members = value.as_object().cloned().unwrap_or_default();
            members.retain(|name, _| !self.filled.contains(&name.as_str()));
            members
        };
        let items = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let fewer = |name: &&str| items(found, name).iter().all(|item| items(wanted, name).contains(item));
        !self.filled.is_empty() && bare(found) == bare(wanted) && self.filled.iter().all(fewer)
    }
}

/// What a thing is a part of.
pub(super) struct Whole {
    /// Its kind, as `target/Kind`.
    pub(super) word: &'static str,
    /// The keys of the whole that its parts share, each under the name that operations on parts have for it.
    pub(super) keys: &'static [(&'static str, &'static str)],
}

impl Whole {
    /// Whether a thing of this address is such a whole. A kind has the same life in whatever target it is.
    pub(super) fn is_of(&self, address: &Address) -> bool {
        self.word.rsplit('/').next() == Some(address.kind.as_str())
    }
}

/// The keys of something by the name of its address, if that tells them.
pub(super) type Named = fn(&AwsPlace, &str, &str) -> Option<Members>;

/// How all things of a kind are found.
pub(super) struct List {
    pub(super) operation: &'static str,
    /// What is asked beside the keys of the whole; `{prefix}` and `{account}` are those of the environment.
    pub(super) ask: &'static [(&'static str, &'static str)],
    /// Where in the answer they are.
    pub(super) at: &'static str,
    /// Members by which operations name a thing, each with the members of answers that say it; the first that is there
    /// counts. What follows a `=` is said as it is.
    pub(super) keys: &'static [(&'static str, &'static [&'static str])],
    /// The member whose greatest number counts, where a list shows all versions. What is no number does not.
    pub(super) latest: Option<&'static str>,
    /// Nothing lists them: those are looked at of which documents or the journal speak. The keys of one that only the journal
    /// knows are made of its region and the name of its address.
    pub(super) asked: Option<Named>,
    /// Whether they are looked for only where a document or the journal speaks of one.
    pub(super) on_demand: bool,
}

/// How a thing is changed.
#[derive(Clone, Copy)]
pub(super) enum Update {
    /// By an operation that is told all of the document but these members. Where one of those changes, the thing is made
    /// anew.
    By(&'static str, &'static [&'static str]),
    /// The same, but what is left out stays as it is. Members of the second list are set or cleared by an `optionalValue`;
    /// where any other goes away, the thing is made anew.
    Patch(&'static str, &'static [&'static str], &'static [&'static str]),
    /// By operations each of which is told some members; one that none is told cannot change.
    Parts(&'static [Part]),
    /// By the operation that creates it, asked again.
    Again,
    /// Not at all: it is made anew.
    Never,
}

/// An operation that changes some members.
pub(super) struct Part {
    pub(super) operation: &'static str,
    pub(super) members: &'static [&'static str],
    /// The member whose own members the operation is told.
    pub(super) inside: Option<&'static str>,
}

/// A member of the request that creates a thing, and how the thing shows it.
pub(super) enum Member {
    /// Under the same name.
    Same(&'static str),
    /// Not at all: it is one of the members by which operations name the thing.
    Key(&'static str),
    /// At a pointer.
    At(&'static str, &'static str),
    /// In another form: made from what is shown, and from what is wanted where the service keeps it to itself.
    As(&'static str, fn(&Value, Option<&Value>) -> Option<Value>),
}

impl Member {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Same(name) | Self::Key(name) | Self::At(name, _) | Self::As(name, _) => name,
        }
    }
}

/// What a service shows though nobody asked for it.
pub(super) enum Echo {
    /// Whatever it says.
    Any(&'static str),
    /// Where it says this, as JSON.
    Usual(&'static str, &'static str),
}

/// How a service keeps tags.
pub(super) struct Tags {
    /// The member of documents.
    pub(super) member: &'static str,
    /// The member of requests about tags that names the thing, and where the thing shows its ARN.
    pub(super) arn: (&'static str, &'static str),
    /// The keys of the items of a list of tags; without them tags are a map.
    pub(super) pair: Option<(&'static str, &'static str)>,
    /// The member of requests that names the keys to take away.
    pub(super) keys: &'static str,
    /// The operations that show tags, set some, and take some away.
    pub(super) operations: (&'static str, &'static str, &'static str),
    /// The member of answers that has the tags, and that of requests.
    pub(super) said: &'static str,
}

/// What is done before a thing is made or changed.
#[derive(Clone, Copy)]
pub(super) enum First {
    /// The draft of the agent is prepared, so that a version of it can be cut.
    Prepare,
}
