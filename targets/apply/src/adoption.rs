//! What becomes of the wish to adopt an object: to have something that others made under our care.

use std::fmt;

use aipolicy_targets::artifact::Document;

/// What a provider says of an object that is to be adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// It carries our mark already.
    Ours,
    /// It can be adopted.
    Free(Free),
    /// It cannot.
    No(NotAdopted),
}

/// An object of nobody's that can be adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free {
    /// What the world calls it.
    pub object: String,
    /// How it is marked, in words that follow "it gets".
    pub mark: String,
    /// The object as it is, in the words of the document that asks for it.
    pub found: Document,
    /// The same with our mark.
    pub marked: Document,
}

/// Why an object is not adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAdopted {
    /// Objects of this kind carry no mark of their own.
    Unmarkable {
        /// Why, and what to do.
        why: String,
    },
    /// There is no such object.
    Absent {
        /// What the document asks for.
        expected: String,
    },
    /// It is not what the document asks for, so that a plan would not find it under this address.
    Other {
        /// What was found.
        found: String,
        /// What the document asks for.
        expected: String,
        /// What to do about it.
        why: String,
    },
    /// It belongs to others.
    OfOthers {
        /// To whom.
        whose: String,
    },
}

impl NotAdopted {
    /// Whether there is such an object, and it is refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Other { .. } | Self::OfOthers { .. })
    }
}

impl fmt::Display for NotAdopted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmarkable { why } => write!(formatter, "it cannot be imported by itself: {why}"),
            Self::Absent { expected } => {
                write!(formatter, "nothing of this kind is called so; it asks for {expected}")
            }
            Self::Other { found, expected, why } => {
                write!(formatter, "that is {found}, and it asks for {expected}: {why}")
            }
            Self::OfOthers { whose } => write!(formatter, "that belongs to {whose}"),
        }
    }
}
