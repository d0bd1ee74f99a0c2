//! One compile, from texts to files, phase by phase.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use aipolicy_compiler::authorize::{self, Decisions, Policies};
use aipolicy_compiler::check::{CHECKS, Check};
use aipolicy_compiler::diagnostic::{Diagnostics, Severity};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::resolve::{self, FileAnswer, Graph, file_requests};
use aipolicy_compiler::source::{SourceKind, SourceMap};
use aipolicy_compiler::waive::Waivers;
use serde::{Deserialize, Serialize};

use crate::clock::{Took, peak, time};
use crate::floor::{self, Floor};
use crate::generate::{self, Size, Texts};
use crate::output::{OfTarget, Output};

/// The phases in order.
pub(crate) const PHASES: [&str; 11] = [
    "load", "read", "link", "check", "policies", "decide", "render", "manifest", "write", "findings", "free",
];
const LOAD: usize = 0;
const READ: usize = 1;
const LINK: usize = 2;
const CHECK: usize = 3;
const POLICIES: usize = 4;
const DECIDE: usize = 5;
pub(crate) const RENDER: usize = 6;
pub(crate) const MANIFEST: usize = 7;
pub(crate) const WRITE: usize = 8;
const FINDINGS: usize = 9;
pub(crate) const FREE: usize = 10;

/// What a compile took, and what it had to do at least.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    pub(crate) tenants: usize,
    pub(crate) environments: usize,
    pub(crate) bytes_read: usize,
    pub(crate) requests: usize,
    pub(crate) candidates: f64,
    pub(crate) findings: usize,
    pub(crate) files: usize,
    pub(crate) bytes_written: usize,
    /// By phase, in the order of [`PHASES`].
    pub(crate) phases: Vec<Took>,
    /// What `render` consists of, by target. Their sum is less, since it also sorts and compares.
    pub(crate) targets: BTreeMap<String, OfTarget>,
    pub(crate) floor: Floor,
    /// Peak of memory before the floor was measured, in MiB.
    pub(crate) peak: f64,
}

/// Times the phases.
pub(crate) struct Watch(Vec<Took>);

impl Watch {
    pub(crate) fn new() -> Self {
        Self(vec![Took::default(); PHASES.len()])
    }

    /// By phase, in the order of [`PHASES`].
    pub(crate) fn took(self) -> Vec<Took> {
        self.0
    }

    pub(crate) fn time<T>(&mut self, phase: usize, run: impl FnOnce() -> T) -> T {
        let mut took = Took::default();
        let done = time(&mut took, run);
        if let Some(all) = self.0.get_mut(phase) {
            *all += took;
        }
        done
    }
}

/// A day on which no model of the generator is past its end.
pub(crate) fn today() -> Result<Date, Box<dyn Error>> {
    Ok(Date("2026-11-22".parse()?))
}

/// Compiles a workspace of this size into a folder, then measures the floor of the same work.
pub(crate) fn measure(size: Size, seed: u64, folder: &Path) -> Result<Measured, Box<dyn Error>> {
    let texts = generate::workspace(size, seed)?;
    let today = today()?;
    let mut watch = Watch::new();
    let mut out = Diagnostics::default();
    let made = compile(texts, today, (&mut watch, &mut out))?;
    let output = made.write((&mut watch, &mut out), folder)?;
    watch.time(FINDINGS, || out.sort(&made.sources));
    if let Some(error) = out.iter().find(|found| found.severity == Severity::Mandatory) {
        return Err(format!("the generated workspace is not clean: {}", error.message).into());
    }
    let peak = peak()?;
    let (floor, candidates) = floor::measure(&made, today, folder)?;
    let measured = Measured {
        tenants: size.tenants,
        environments: made.graph.each::<EnvironmentSpec>().count(),
        bytes_read: made.sources.iter().map(|(_, source)| source.text().len()).sum(),
        requests: made.decisions.all().len(),
        candidates,
        findings: out.iter().count(),
        files: output.files,
        bytes_written: output.bytes,
        phases: Vec::new(),
        targets: output.targets,
        floor,
        peak,
    };
    watch.time(FREE, || drop((made, out)));
    Ok(Measured { phases: watch.took(), ..measured })
}

/// A compiled workspace of this size.
pub(crate) fn made(size: Size, seed: u64) -> Result<Made, Box<dyn Error>> {
    let (mut watch, mut out) = (Watch(Vec::new()), Diagnostics::default());
    compile(generate::workspace(size, seed)?, today()?, (&mut watch, &mut out))
}

/// A compiled workspace.
pub(crate) struct Made {
    pub(crate) graph: Graph,
    pub(crate) policies: Policies,
    pub(crate) decisions: Decisions,
    pub(crate) sources: SourceMap,
}

/// Compiles texts until every request is decided.
pub(crate) fn compile(
    texts: Texts,
    today: Date,
    (watch, out): (&mut Watch, &mut Diagnostics),
) -> Result<Made, Box<dyn Error>> {
    let (mut sources, answers) = watch.time(LOAD, || load(texts));
    let bundle = watch.time(READ, || aipolicy_compiler::read(&sources, out));
    let wanted: BTreeSet<_> = file_requests(&bundle).into_iter().map(|request| request.path).collect();
    if wanted.len() != answers.len() {
        return Err("the generator makes other files than resources name".into());
    }
    let graph = watch.time(LINK, || {
        aipolicy_compiler::add_packs(&bundle, &mut sources, out);
        resolve::link(bundle, &answers, &sources, out)
    });
    let mut waivers = Waivers::new(&graph, &sources, today);
    watch.time(CHECK, || CHECKS.iter().for_each(|check| check.run(&waivers, out)));
    let policies = watch.time(POLICIES, || authorize::read_policies(&sources, out));
    let of_resources = |check: &Check| CHECKS.iter().any(|one| one.rule.code == check.rule.code);
    // What is to be said of policies and waivers is found while Cedar is asked, or after it.
    let decisions = watch.time(DECIDE, || {
        aipolicy_compiler::judge(&policies, &mut waivers, |check| !of_resources(check), out)
    });
    watch.time(FINDINGS, || out.sort(&sources));
    Ok(Made { graph, policies, decisions, sources })
}

fn load(texts: Texts) -> (SourceMap, Vec<FileAnswer>) {
    let mut sources = SourceMap::new();
    for (path, text) in texts.resources {
        sources.add(path, text, SourceKind::Resources);
    }
    for (path, text) in texts.policies {
        sources.add(path, text, SourceKind::Policies { shipped: false });
    }
    let mut named = Vec::new();
    for (path, text) in texts.named {
        let source = sources.add(path.clone(), text, SourceKind::Referenced);
        named.push(FileAnswer::Found { path, source });
    }
    (sources, named)
}

impl Made {
    /// Writes every environment into a folder of its own, and forgets it before the next.
    fn write(
        &self,
        (watch, out): (&mut Watch, &mut Diagnostics),
        folder: &Path,
    ) -> Result<Output<'_>, Box<dyn Error>> {
        let mut output = Output::new(self, watch);
        for (id, environment) in self.graph.each::<EnvironmentSpec>() {
            let grants = self.decisions.approved(&self.graph, id);
            let grants = grants.ok_or_else(|| format!("{} is refused: {}", environment.name(), why(out)))?;
            let artifacts = watch.time(RENDER, || output.render(grants, out));
            let artifacts =
                artifacts.ok_or_else(|| format!("a target refuses {}: {}", environment.name(), why(out)))?;
            output.write(&artifacts, &folder.join(environment.name().as_str()), watch)?;
            watch.time(FREE, || drop(artifacts));
        }
        Ok(output)
    }
}

/// The first error.
fn why(out: &Diagnostics) -> String {
    let error = out.iter().find(|found| found.severity == Severity::Mandatory);
    error.map_or_else(String::new, |error| error.message.clone())
}
