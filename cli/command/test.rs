//! `aipolicy test`.

mod json;
mod junit;
mod text;
mod words;

use std::path::PathBuf;

use aipolicy_compiler::authorize::{Hearing, Policies, SHIPPED};
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::PolicyIndex;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::trial::{Fate, Mutant, PolicyCover, Trial, cover, mutants, mutations, trials};

use super::day;
use crate::error::{CliError, Exit};
use crate::findings::Findings;
use crate::load::{clock, load};
use crate::output::{Kind, Outputs};
use crate::render;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// Runs the tests of policies, and says what they miss
///
/// Each case of a `PolicyTest` is asked as the requests of the workspace are: what its `context` does not say is as the
/// workspace asks for it. Waivers are left aside. Then two measures of what the tests would notice, for the policies of the
/// workspace: which clauses were true in one case and false in another, with the reason where one was not; and which
/// changes of a policy (a clause negated, an operand gone, a bound moved) make no case fail.
///
/// Exit codes: 0 all cases pass, 1 the input cannot be understood or there is no case, 3 a case fails, or a measure is
/// below what was asked for.
#[derive(clap::Args)]
pub(crate) struct Test {
    /// The folder of the workspace
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// A test by its name; may be given several times, and without it all are run
    #[arg(long = "test", value_name = "NAME")]
    tests: Vec<String>,
    /// Measures the policies of packs too
    #[arg(long)]
    packs: bool,
    /// The least share of values of clauses that cases reach, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
    /// The least share of changes of policies that cases notice, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_killed: Option<u8>,
    /// The day on which policies are asked; today in UTC when left out
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<Date>,
    #[command(flatten)]
    outputs: Outputs<TestFormat>,
}

/// How results of tests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TestFormat {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.test/1`.
    Json,
    /// JUnit, for reports of tests.
    Junit,
}

impl Kind for TestFormat {}

/// Everything that is told.
struct Report<'w> {
    workspace: &'w Workspace,
    trials: Vec<Trial<'w>>,
    coverage: Vec<PolicyCover>,
    mutants: Vec<Mutant>,
    /// Measures that are below what was asked for, as sentences.
    below: Vec<String>,
}

impl Test {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let workspace = load(&self.folder, self.as_of)?;
        workspace.understood(ui)?;
        let policies = &workspace.compilation.policies;
        let hearing = Hearing::new(workspace.graph(), policies, self.as_of.unwrap_or_else(clock));
        let mut unclear = Diagnostics::default();
        let mut all = trials(workspace.graph(), (policies, &hearing), &mut unclear);
        if unclear.has_errors() {
            ui.remark(render::text::render(&Findings::new(&workspace, &unclear), ui.width()).trim_end());
            return Err(CliError::findings(Exit::Error, "some cases cannot be asked"));
        }
        let names = all.iter().map(|trial| trial.test.name().to_string());
        chosen(&self.tests, &names.collect::<Vec<_>>())?;
        let wanted = |trial: &Trial<'_>| {
            self.tests.is_empty() || self.tests.iter().any(|name| *name == trial.test.name().as_str())
        };
        all.retain(wanted);
        let measured = measured(policies, self.packs);
        let questions = all.iter().flat_map(|trial| &trial.asked).map(|tried| &tried.heard.question);
        let coverage = cover(policies, &measured, questions);
        let changes = mutations(policies, &measured, &workspace.sources);
        let mutants = mutants(changes, (policies, &hearing), &all);
        let mut report = Report { workspace: &workspace, trials: all, coverage, mutants, below: Vec::new() };
        report.below = [
            below("coverage of clauses", report.covered(), self.min_coverage),
            below("share of changes that cases notice", report.killed(), self.min_killed),
        ]
        .into_iter()
        .flatten()
        .collect();
        outputs.write(ui, |format, _| match format {
            TestFormat::Text => report.text(),
            TestFormat::Json => report.json(),
            TestFormat::Junit => report.junit(),
        })?;
        let passed = report.below.is_empty() && report.trials.iter().all(Trial::passed);
        Ok(if passed { Exit::Clean } else { Exit::Refused })
    }
}

/// Stops where there is nothing to run, or a name is no test.
fn chosen(names: &[String], known: &[String]) -> Result<(), CliError> {
    if known.is_empty() {
        let error = CliError::usage("there is no case to run");
        return Err(error
            .hint("write a resource of kind `PolicyTest`; `aipolicy schema PolicyTest` shows its fields"));
    }
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let error = CliError::usage(format!("there is no PolicyTest with a case and the name `{name}`"));
            Err(error.nearest(name, known.iter().map(String::as_str)))
        }
    }
}

/// The policies of the workspace, with those of packs or without.
fn measured(policies: &Policies, packs: bool) -> Vec<PolicyIndex> {
    let shipped = |id: &str| SHIPPED.iter().any(|policy| policy.id() == id);
    let facts = policies.facts().iter().zip(0..);
    facts.filter(|(fact, _)| packs || !shipped(&fact.id)).map(|(_, at)| PolicyIndex(at)).collect()
}

/// That a share, as (all, had), is below what is wanted. Nothing of nothing is below no bound.
fn below(what: &str, (all, had): (usize, usize), wanted: Option<u8>) -> Option<String> {
    let wanted = wanted?;
    let enough = had * 100 >= usize::from(wanted) * all;
    (!enough).then(|| format!("the {what} is {}, and {wanted} % are asked for", words::share(all, had)))
}

impl Report<'_> {
    /// How many values clauses should have, and how many of them they had.
    fn covered(&self) -> (usize, usize) {
        let counts = self.coverage.iter().map(PolicyCover::count);
        counts.fold((0, 0), |(all, had), (more, also)| (all + more, had + also))
    }

    /// How many changes there are, and how many are noticed.
    fn killed(&self) -> (usize, usize) {
        let killed = self.mutants.iter().filter(|mutant| mutant.fate != Fate::Survived).count();
        (self.mutants.len(), killed)
    }
}
