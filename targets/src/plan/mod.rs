//! A plan is data: what would change in a world, in which order, and why.

mod build;
mod compare;
mod drift;
mod order;
mod reference;
mod trial;

pub use build::{ApprovedPlan, Header, authorize, permitted};
pub use compare::equivalent;
pub use drift::report as report_drift;
pub use trial::{AlarmState, Promoted, Trial, TrialState};

pub use crate::effects::{Access, Effect, EffectClass, Origin};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::artifact::{Address, Document, digest};

/// The version of the format of saved plans.
pub const FORMAT: &str = "aipolicy.plan/1";

/// What a plan was computed from. Apply refuses when any of it is no longer so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Bindings {
    /// Version of aipolicy.
    pub tool: String,
    /// Digest of all sources, policies included.
    pub sources: String,
    /// Digest of the catalog.
    pub catalog: String,
    /// Digest of everything that was observed in the world.
    pub observed: String,
    /// Digest of the last entry of the journal; empty for a new one.
    pub journal: String,
}

/// What is done to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is removed.
    Delete,
    /// It is marked as ours, and left as it is. Only an import does that, never a plan.
    Adopt,
}

impl Action {
    /// The word for messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
        }
    }
}

/// Why a document changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The sources ask for it.
    Sources,
    /// The world was changed by somebody else.
    Drift,
    /// Both.
    SourcesAndDrift,
    /// What it refers to changes, and is called otherwise then.
    References,
    /// A version is tried, and nothing says since when: its time begins anew.
    Trial,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Change {
    /// What is changed.
    pub address: Address,
    /// What is done to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether it lets more happen, or less.
    pub effect: EffectClass,
    /// What is there now.
    pub before: Option<Document>,
    /// What will be there.
    pub after: Option<Document>,
    /// Changes that must come first.
    pub after_changes: Vec<Address>,
    /// Lines that cause the document.
    pub origins: Vec<Origin>,
}

/// A difference between what should be and what is, computed from nothing but its bindings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    /// [`FORMAT`].
    pub format: String,
    /// Name of the workspace.
    pub workspace: String,
    /// Name of the environment.
    pub environment: String,
    /// The provider of each target, or of each `target/Kind` where the documents of a target live in more than one world.
    pub providers: BTreeMap<String, String>,
    /// What it was computed from.
    pub bindings: Bindings,
    /// What may happen that could not, and the other way round.
    pub effects: Vec<Effect>,
    /// What roles may do that they could not, and the other way round, told by the documents themselves.
    pub access: Vec<Access>,
    /// What changes, in an order that can be applied.
    pub changes: Vec<Change>,
    /// Objects in the way that are not ours and are never touched.
    pub foreign: Vec<Address>,
    /// What is granted once it is applied, to tell effects against next time.
    pub decisions: Vec<String>,
    /// New versions of agents that are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
}

/// A document that was found in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The document.
    pub document: Document,
    /// Whether it carries our mark.
    pub owned: bool,
}

/// Everything that should exist in an environment.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Documents, with the lines that cause each and the documents that must exist before it.
    pub documents: BTreeMap<Address, DesiredDocument>,
}

/// A document that should exist.
#[derive(Clone, Debug)]
pub struct DesiredDocument {
    /// The document.
    pub document: Document,
    /// Lines that cause it.
    pub origins: Vec<Origin>,
    /// Documents that must exist before it.
    pub needs: Vec<Address>,
    /// What has to prove itself before this is changed.
    pub trial: Option<crate::artifact::Trial>,
}

/// Everything that exists in an environment, ours or not.
#[derive(Clone, Debug, Default)]
pub struct Actual {
    /// Documents by address.
    pub documents: BTreeMap<Address, Observed>,
    /// What was last applied, by the journal: digests by address.
    pub last_applied: BTreeMap<Address, String>,
    /// When each was last changed, by the journal.
    pub changed_at: BTreeMap<Address, Timestamp>,
    /// How alarms are.
    pub alarms: BTreeMap<Address, AlarmState>,
}

impl Actual {
    /// The digest of everything that was observed.
    pub fn digest(&self) -> String {
        let line = |(address, found): (&Address, &Observed)| {
            format!("{address} {} {}\n", found.document.digest(), found.owned)
        };
        digest(self.documents.iter().map(line).collect::<String>().as_bytes())
    }
}

impl Plan {
    /// Compares what should exist with what does. Foreign objects are listed and never changed. What is tried elsewhere
    /// before it is changed waits for that.
    pub fn changes(
        desired: &Desired,
        actual: &Actual,
        promoted: &Promoted<'_>,
    ) -> (Vec<Change>, Vec<Address>, Vec<Trial>) {
        let mut wanted: Vec<Change> = desired
            .documents
            .iter()
            .filter_map(|(address, wanted)| compare::wanted(address, wanted, actual))
            .collect();
        reference::follow(&mut wanted, desired, actual);
        let trials = trial::hold(&mut wanted, (desired, actual), promoted);
        let gone = actual
            .documents
            .iter()
            .filter_map(|(address, found)| compare::gone(address, found, desired, actual));
        let foreign = desired
            .documents
            .keys()
            .filter(|address| actual.documents.get(address).is_some_and(|found| !found.owned));
        (order::sorted(wanted.into_iter().chain(gone).collect()), foreign.cloned().collect(), trials)
    }

    /// Whether there is nothing to do: no document changes, and nothing else may happen than before.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty()
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// Why the text is not a plan of this version.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let format = serde_json::from_str::<Versioned>(text).map_err(|error| error.to_string())?.format;
        if format != FORMAT {
            return Err(format!("it has the format `{format}`, and this version reads `{FORMAT}`"));
        }
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The digest that identifies this plan.
    pub fn digest(&self) -> String {
        digest(self.to_json().as_bytes())
    }

    /// The saved form.
    pub fn to_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "the types hold nothing that JSON cannot say")]
        let mut text = serde_json::to_string_pretty(self).expect("a plan is JSON");
        text.push('\n');
        text
    }
}

/// The part of a saved plan that every version has.
#[derive(Deserialize)]
struct Versioned {
    format: String,
}
