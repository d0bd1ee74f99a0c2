//! Documents that are requests to services of AWS, with values in them that only the world knows.
//!
//! A document is the request that creates the thing, member by member. Four keys are ours, and are gone once it is
//! applied: `$region` at the top, where the request is sent; `{ "$ref": "ADDRESS#member" }`, a member of the answer that
//! creates another document; `{ "$join": […] }`, a text that is put together; `{ "$last": … }`, what follows the last `/` of a
//! text. What services take as the text of a JSON document is written as the document.

use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// Members of a request, in the order in which they are written.
pub(crate) type Members = Vec<(&'static str, Tree)>;

/// A request that creates something.
pub(crate) struct Request {
    pub(crate) address: Address,
    /// Where it is sent, and who says so.
    pub(crate) region: (String, Origin),
    pub(crate) members: Members,
    pub(crate) needs: Vec<Address>,
}

impl Request {
    /// The request as a document that is there because of `origin`.
    pub(crate) fn artifact(self, origin: &Origin) -> Artifact {
        let mut entries = vec![("$region", Tree::text(self.region.0).from(self.region.1))];
        entries.extend(self.members);
        let tree = Tree::map(entries).from(origin.clone());
        Artifact::new(self.address, Format::Json, &tree).needs(self.needs)
    }
}

/// A member of the answer that creates another document.
pub(crate) fn reference(address: &Address, member: &str) -> Tree {
    Tree::map([("$ref", Tree::text(format!("{address}#{member}")))])
}

/// A text that is put together.
pub(crate) fn join(parts: impl IntoIterator<Item = Tree>) -> Tree {
    Tree::map([("$join", Tree::list(parts))])
}

/// What follows the last `/` of a text, for instance the id at the end of an ARN.
pub(crate) fn last(text: Tree) -> Tree {
    Tree::map([("$last", text)])
}

/// The ARN of a role of the target `iam`, and the address of the role.
pub(crate) fn role(account: &Account<'_>, words: &[&str]) -> (Tree, Address) {
    let name = account.role(words);
    let arn = Tree::text(account.role_arn(&name)).from(account.default("origin.name"));
    (arn, Address { target: "iam".into(), kind: "Role".into(), name })
}

/// The marks of ownership as a list, under the keys that a service has for the name and the value of a tag.
pub(crate) fn tag_list(account: &Account<'_>, (key, value): (&'static str, &'static str)) -> Tree {
    let tag = |(name, mark): (&str, &str)| Tree::map([(key, Tree::text(name)), (value, Tree::text(mark))]);
    Tree::list(account.marks().map(tag)).from(account.default("aws.tags"))
}

/// The marks of ownership as a map.
pub(crate) fn tag_map(account: &Account<'_>) -> Tree {
    Tree::map(account.marks().map(|(key, value)| (key, Tree::text(value)))).from(account.default("aws.tags"))
}
