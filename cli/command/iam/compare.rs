//! `aipolicy iam compare`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use aipolicy_iam::{Change, Comparison, Difference, Place, Relation, compare};
use serde_json::{Value, json};

use super::file::Source;
use super::subject::{Subject, subjects};
use crate::error::{CliError, Exit};
use crate::render::json::written;
use crate::ui::{Ui, harmless};

/// Compares what policies allow before and after a change, over every request
///
/// Says for each role, trust policy and policy whether it allows as much, less, more, or both less and more than before,
/// with a request for each difference: it was decided by both sides, and `aipolicy iam evaluate --request` decides it
/// again. "Equal" and "narrower" are proofs. What could not be told is "not proven", with the reason.
///
/// `aipolicy iam compare before.json after.json` compares two files, and two folders by the names of roles and files in
/// them. What only one folder has is compared with nothing at all.
///
/// Exit codes: 0 nothing is allowed that was not before, 1 the input cannot be understood, 3 something is, or it is not
/// proven that nothing is.
#[derive(clap::Args)]
pub(crate) struct Compare {
    /// A file or folder of policies
    before: PathBuf,
    /// The same after a change
    after: PathBuf,
    /// How the comparison is written
    #[arg(long, value_enum, default_value_t)]
    format: ComparisonFormat,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ComparisonFormat {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.iam-comparison/1`.
    Json,
}

/// The version of the format.
const FORMAT: &str = "aipolicy.iam-comparison/1";

impl Compare {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let (before, after) = (subjects(&self.before)?, subjects(&self.after)?);
        let compared: Vec<Compared<'_>> = Compared::all(&before, &after);
        ui.print(&match self.format {
            ComparisonFormat::Text => text(&compared),
            ComparisonFormat::Json => json(&compared),
        })?;
        let gained = compared.iter().any(|one| one.comparison.gained != Change::Nothing);
        Ok(if gained { Exit::Refused } else { Exit::Clean })
    }
}

/// A subject, compared.
struct Compared<'a> {
    name: &'a str,
    sources: BTreeMap<&'a str, &'a Source>,
    comparison: Comparison,
}

impl<'a> Compared<'a> {
    fn all(before: &'a BTreeMap<String, Subject>, after: &'a BTreeMap<String, Subject>) -> Vec<Self> {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let nothing = Subject::default();
        let one = |name: &'a String| {
            let (before, after) = (before.get(name), after.get(name));
            let sources = before.iter().chain(&after).flat_map(|subject| &subject.sources);
            let [old, new] = [before, after].map(|subject| &subject.unwrap_or(&nothing).policies);
            Self {
                name,
                sources: sources.map(|source| (source.label.as_str(), source)).collect(),
                comparison: compare(old, new),
            }
        };
        names.into_iter().map(one).collect()
    }

    /// A statement as people find it.
    fn place(&self, place: &Place) -> String {
        let sid = place.sid.as_ref().map(|sid| format!(" `{sid}`")).unwrap_or_default();
        match self.sources.get(place.policy.as_str()) {
            Some(source) => format!("{}:{}{sid}", source.file(), source.line(place.statement)),
            None => format!("{}{sid}", place.policy),
        }
    }

    fn text(&self) -> String {
        let relation = self.comparison.relation();
        let colour = match relation {
            Relation::Equal | Relation::Narrower => "32",
            Relation::Wider | Relation::Incomparable | Relation::NotProven => "31",
        };
        let gained = self.change(&self.comparison.gained, ["+ allows", "not before", "before"]);
        let lost = self.change(&self.comparison.lost, ["- no longer allows", "not now", "now"]);
        format!("{}: \x1b[{colour}m{relation}\x1b[0m\n{}", harmless(self.name), harmless(&(gained + &lost)))
    }

    fn change(&self, change: &Change, [verb, otherwise, side]: [&str; 3]) -> String {
        match change {
            Change::Nothing => String::new(),
            Change::NotProven(reasons) => {
                let reasons = reasons.iter().map(|reason| format!("      {reason}\n"));
                format!("  ? {} may be more, and none was shown\n{}", &verb[2..], reasons.collect::<String>())
            }
            Change::Shown(differences) => {
                differences.iter().map(|one| self.difference(one, [verb, otherwise, side])).collect()
            }
        }
    }

    fn difference(&self, difference: &Difference, [verb, otherwise, side]: [&str; 3]) -> String {
        let Difference { allowed_by, denied_by, witness, known } = difference;
        let why_not = match denied_by {
            Some(deny) => format!("{side} denied by {}", self.place(deny)),
            None => format!("{otherwise}, since nothing allows it"),
        };
        let known = if *known { "" } else { "      the catalog knows no such action on such a resource\n" };
        format!("  {verb} {}\n      by {}\n      {why_not}\n{known}", witness, self.place(allowed_by),)
    }

    fn json(&self) -> Value {
        let change = |change: &Change| match change {
            Change::Nothing => json!({ "verdict": "nothing" }),
            Change::NotProven(reasons) => json!({ "verdict": "notProven", "reasons": reasons }),
            Change::Shown(differences) => json!({
                "verdict": "shown",
                "differences": differences.iter().map(|one| self.difference_json(one)).collect::<Vec<_>>(),
            }),
        };
        let comparison = &self.comparison;
        json!({
            "name": self.name,
            "relation": comparison.relation().to_string(),
            "gained": change(&comparison.gained),
            "lost": change(&comparison.lost),
        })
    }

    fn difference_json(&self, difference: &Difference) -> Value {
        let place = |place: &Place| {
            let line = self.sources.get(place.policy.as_str()).map(|source| source.line(place.statement));
            json!({ "policy": place.policy, "statement": place.statement, "sid": place.sid, "line": line })
        };
        json!({
            "allowedBy": place(&difference.allowed_by),
            "deniedBy": difference.denied_by.as_ref().map(place),
            "witness": difference.witness,
            "known": difference.known,
        })
    }
}

fn text(compared: &[Compared<'_>]) -> String {
    let changed = compared.iter().filter(|one| one.comparison.relation() != Relation::Equal);
    let told: String = changed.map(Compared::text).collect();
    let equal = compared.iter().filter(|one| one.comparison.relation() == Relation::Equal).count();
    format!("{told}{equal} of {} equal\n", compared.len())
}

fn json(compared: &[Compared<'_>]) -> String {
    let subjects: Vec<Value> = compared.iter().map(Compared::json).collect();
    written(&json!({ "format": FORMAT, "subjects": subjects }))
}
