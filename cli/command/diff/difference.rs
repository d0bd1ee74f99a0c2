//! What differs between two revisions, and how much a reviewer has to worry.

use aipolicy_compiler::diagnostic::Severity;
use aipolicy_targets::plan::{Access, Action, Effect, EffectClass};
use serde::Serialize;

use super::declared::Declared;
use crate::error::Exit;
use crate::findings::counted;

/// The version of the format.
const FORMAT: &str = "aipolicy.diff/1";

/// What differs between two revisions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    format: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    /// The folder of the workspace, as it was named.
    #[serde(skip)]
    pub(super) folder: String,
    pub(super) level: Level,
    pub(super) headline: String,
    /// Sides that cannot be understood, of which nothing but findings is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_understood: Vec<String>,
    pub(super) environments: Vec<Environment>,
    pub(super) declared: Vec<Declared>,
    pub(super) findings: Compared,
}

/// What differs in an environment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Environment {
    pub(super) name: String,
    pub(super) effects: Vec<Effect>,
    pub(super) access: Vec<Access>,
    pub(super) documents: Vec<Changed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_compared: Option<String>,
}

/// A document that differs.
#[derive(Serialize)]
pub(super) struct Changed {
    pub(super) file: String,
    pub(super) action: Action,
    pub(super) diff: String,
}

/// Findings of two sides, told apart by their fingerprints.
#[derive(Default, Serialize)]
pub(super) struct Compared {
    pub(super) new: Vec<Told>,
    pub(super) fixed: Vec<Told>,
    pub(super) still: Vec<Told>,
    /// Those that a waiver excepts now, and did not before.
    pub(super) waived: Vec<Told>,
}

/// A finding as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    pub(super) code: String,
    #[serde(serialize_with = "word")]
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) fingerprint: String,
    /// The waiver that excepts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waived: Option<String>,
    /// Whether it was found when documents were compiled.
    #[serde(skip)]
    pub(super) is_compiled: bool,
}

impl Told {
    /// Whether nothing is applied while it stands.
    pub(super) fn stops(&self) -> bool {
        self.severity == Severity::Mandatory && self.waived.is_none()
    }
}

fn word<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity.word())
}

/// How much a reviewer has to worry, from not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Level {
    /// Nothing that counts differs.
    Same,
    /// Less may happen.
    Narrower,
    /// Something differs of which nobody says what it lets happen.
    Unclear,
    /// More may happen.
    Wider,
    /// It cannot be applied.
    Refused,
}

impl Difference {
    /// The difference, with its headline. `sides` are the names of both and of the folder of the workspace.
    pub(super) fn new(
        [before, after, folder]: [&str; 3],
        not_understood: Vec<String>,
        environments: Vec<Environment>,
        (declared, findings): (Vec<Declared>, Compared),
    ) -> Self {
        let mut difference = Self {
            format: FORMAT,
            before: before.into(),
            after: after.into(),
            folder: folder.into(),
            level: Level::Same,
            headline: String::new(),
            not_understood,
            environments,
            declared,
            findings,
        };
        difference.level = difference.judged();
        difference.headline = difference.told();
        difference
    }

    pub(super) fn exit(&self) -> Exit {
        let documents = self.environments.iter().any(|found| !found.documents.is_empty());
        if !self.not_understood.is_empty() {
            Exit::Error
        } else if self.level != Level::Same && self.differs() || documents {
            Exit::Changes
        } else if self.environments.iter().any(|found| found.not_compared.is_some()) {
            Exit::Refused
        } else {
            Exit::Clean
        }
    }

    fn differs(&self) -> bool {
        let Compared { new, fixed, waived, .. } = &self.findings;
        let nothing = self.declared.is_empty() && [new, fixed, waived].iter().all(|all| all.is_empty());
        let told = |found: &Environment| found.effects.len() + found.access.len() + found.documents.len() > 0;
        !nothing || self.environments.iter().any(told)
    }

    /// Classes of everything that is told.
    fn classes(&self) -> impl Iterator<Item = EffectClass> {
        let of = |found: &Environment| {
            let effects = found.effects.iter().map(|effect| effect.class);
            effects.chain(found.access.iter().map(|access| access.class)).collect::<Vec<_>>()
        };
        self.environments.iter().flat_map(of).chain(self.declared.iter().map(|one| one.class))
    }

    fn judged(&self) -> Level {
        let has = |class| self.classes().any(|one| one == class);
        let not_compared = self.environments.iter().any(|found| found.not_compared.is_some());
        if !self.not_understood.is_empty()
            || self.findings.new.iter().chain(&self.findings.still).any(Told::stops)
        {
            Level::Refused
        } else if has(EffectClass::Widens) || !self.findings.waived.is_empty() {
            Level::Wider
        } else if has(EffectClass::Mixed) || not_compared || self.is_unexplained() {
            Level::Unclear
        } else if has(EffectClass::Narrows) {
            Level::Narrower
        } else if self.differs() {
            Level::Unclear
        } else {
            Level::Same
        }
    }

    /// Whether documents of an environment differ, and neither an effect nor a field that points somewhere says why.
    fn is_unexplained(&self) -> bool {
        let points = |one: &Declared| one.class != EffectClass::Neutral;
        let is_told = !self.declared.is_empty() && self.declared.iter().all(points);
        let quiet = |found: &Environment| {
            !found.documents.is_empty() && found.effects.is_empty() && found.access.is_empty()
        };
        !is_told && self.environments.iter().any(quiet)
    }

    /// How many grants are wider or narrower: what was granted, and where nothing was, what policies of IAM say.
    fn grants(&self, class: EffectClass) -> usize {
        let of = |found: &Environment| {
            let effects = found.effects.iter().filter(|effect| effect.class == class).count();
            if effects > 0 { effects } else { found.access.iter().filter(|one| one.class == class).count() }
        };
        self.environments.iter().map(of).sum()
    }

    pub(super) fn fields(&self, class: EffectClass) -> usize {
        self.declared.iter().filter(|one| one.class == class).count()
    }

    fn told(&self) -> String {
        const NOTHING: &str = "nothing can happen that could not before";
        match self.level {
            Level::Same => NOTHING.to_owned(),
            Level::Narrower => {
                let narrower = self.grants(EffectClass::Narrows);
                match narrower {
                    0 => format!("{NOTHING}, and limits are tighter"),
                    1 => format!("{NOTHING}, and 1 thing no longer can"),
                    many => format!("{NOTHING}, and {many} things no longer can"),
                }
            }
            Level::Unclear => "no access is granted, and something else changes: read it".to_owned(),
            Level::Wider => self.wider(),
            Level::Refused => match self.not_understood.as_slice() {
                [] => {
                    let new = self.findings.new.iter().filter(|told| told.stops()).count();
                    let still = self.findings.still.iter().filter(|told| told.stops()).count();
                    let still =
                        if still > 0 { format!(" ({still} were there before)") } else { String::new() };
                    format!("refused, with {}{still}", counted(new, "new error"))
                }
                sides => {
                    let sides: Vec<_> = sides.iter().map(|side| format!("`{side}`")).collect();
                    format!("{} cannot be understood", sides.join(" and "))
                }
            },
        }
    }

    /// What can happen that could not, which rules no longer hold for something, and which controls are looser.
    fn wider(&self) -> String {
        let is_waiver =
            |one: &&Declared| one.class == EffectClass::Widens && one.subject.starts_with("Waiver/");
        let waived = self.declared.iter().filter(is_waiver).count();
        let things = match self.grants(EffectClass::Widens) {
            0 => None,
            many => Some(format!("{} can happen that could not before", counted(many, "thing"))),
        };
        let of = |many: usize, one: &str, several: &str| match many {
            0 => None,
            1 => Some(format!("1 {one}")),
            many => Some(format!("{many} {several}")),
        };
        let waivers = of(waived, "rule is waived", "rules are waived");
        let looser = self.fields(EffectClass::Widens) - waived;
        let looser = of(looser, "control is looser than before", "controls are looser than before");
        let all: Vec<_> = [things, waivers, looser].into_iter().flatten().collect();
        if all.is_empty() { "a finding is waived".to_owned() } else { all.join(", and ") }
    }

    /// What there is of each kind, in one line.
    pub(super) fn counts(&self) -> String {
        let documents: usize = self.environments.iter().map(|found| found.documents.len()).sum();
        format!(
            "{} wider, {} narrower; {} declared differently; {}; {}, {} fixed",
            counted(self.grants(EffectClass::Widens), "effect"),
            self.grants(EffectClass::Narrows),
            counted(self.declared.len(), "field"),
            counted(documents, "document"),
            counted(self.findings.new.len(), "new finding"),
            self.findings.fixed.len(),
        )
    }
}
