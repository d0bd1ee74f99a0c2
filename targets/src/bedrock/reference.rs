//! Values that only the world knows: ids and ARNs that a service gives to what it creates.

use crate::artifact::Address;
use crate::tree::Tree;

/// The value that a service gives to another document: an object with the one key `$ref`, and as its value the
/// address of that document, `#` and the name of a member of the answer that creates it. It is resolved when the
/// document is applied.
pub(crate) fn of(address: &Address, attribute: &str) -> Tree {
    Tree::map([("$ref", Tree::text(format!("{address}#{attribute}")))])
}

/// A text with such values in it: an object with the one key `$join`, whose parts are put together.
pub(crate) fn join(parts: impl IntoIterator<Item = Tree>) -> Tree {
    Tree::map([("$join", Tree::list(parts))])
}
