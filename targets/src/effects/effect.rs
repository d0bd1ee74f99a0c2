//! An effect, and the line that causes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether a change lets more happen, or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectClass {
    /// Nothing that may happen changes.
    Neutral,
    /// Less may happen.
    Narrows,
    /// More may happen.
    Widens,
    /// Some more and some less may happen.
    Mixed,
}

impl EffectClass {
    /// The word for messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Narrows => "narrows",
            Self::Widens => "widens",
            Self::Mixed => "mixed",
        }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (left, Self::Neutral) => left,
            (Self::Neutral, right) => right,
            (left, right) if left == right => left,
            _ => Self::Mixed,
        }
    }
}

/// A line that caused something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// File, relative to the workspace.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// A waiver without which something would not be granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excepted {
    /// The name of the waiver.
    pub waiver: String,
    /// Its last day, UTC.
    pub until: String,
}

/// Something that may happen and could not before, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Effect {
    /// Whether it lets more happen, or less.
    pub class: EffectClass,
    /// One sentence for people.
    pub sentence: String,
    /// Who, as `Kind/name`.
    pub principal: String,
    /// May do what.
    pub action: String,
    /// To what, as `Kind/name`.
    pub resource: String,
    /// Under which circumstances.
    pub context: BTreeMap<String, String>,
    /// The waivers without which it would not be granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Excepted>,
    /// Where it is written.
    pub origin: Option<Origin>,
}
