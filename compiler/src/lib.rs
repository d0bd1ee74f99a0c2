//! Turns resource files into access requests and asks Cedar about each: text in, approved grants out. Pure.
//!
//! ```text
//! SourceMap ─ read ─► Bundle ─ file_requests ─► (the caller reads the files) ─ compile ─► Graph + Decisions
//! ```
#![deny(clippy::disallowed_methods, reason = "only `cli` and `targets/apply` touch the machine")]

pub mod authorize;
pub mod catalog;
pub mod check;
pub mod clause;
mod codes;
pub mod diagnostic;
pub mod fingerprint;
pub mod flow;
pub mod forecast;
pub mod inspect;
pub mod ir;
pub mod model;
pub mod resolve;
pub mod rule;
pub mod secret;
pub mod source;
pub mod trial;
pub mod waive;
mod yaml;

pub use yaml::{PlacedJson, enclosing, nearest, read_json};

use rayon::prelude::*;

use authorize::{Decisions, Policies};
use check::Check;
use diagnostic::{Diagnostics, Family};
use model::Bundle;
use model::value::Date;
use resolve::{FileAnswer, Graph};
use source::{SourceKind, SourceMap, Span};
use waive::Waivers;

/// Every rule that is not a Cedar policy: those about the form of the input, and the checks.
pub fn rules() -> impl Iterator<Item = &'static diagnostic::Rule> + Clone {
    rule::RULES.iter().copied().chain(check::all().map(|check| check.rule))
}

/// The rule with this code or name.
pub fn find_rule(code: &str) -> Option<&'static diagnostic::Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code)
}

/// Reads every resource of the sources, in the order of paths.
pub fn read(sources: &SourceMap, out: &mut Diagnostics) -> Bundle {
    let mut files: Vec<_> =
        sources.iter().filter(|(_, source)| source.kind() == SourceKind::Resources).collect();
    files.sort_by_key(|(_, source)| source.path());
    let read = |(id, _): &(source::SourceId, &source::Source)| {
        let mut out = Diagnostics::default();
        (model::read_file(sources, *id, &mut out), out)
    };
    let files: Vec<_> = files.par_iter().map(read).collect();
    let mut bundle = Bundle::default();
    bundle.reserve(files.iter().map(|(read, _)| read));
    for (read, found) in files {
        bundle.append(read);
        out.append(found);
    }
    require_workspace(&bundle, sources, out);
    bundle
}

/// There is exactly one workspace, and something to check.
fn require_workspace(bundle: &Bundle, sources: &SourceMap, out: &mut Diagnostics) {
    let first = sources.iter().find(|(_, source)| source.kind() == SourceKind::Resources);
    let nowhere = Span::new(first.map_or(source::SourceId::DEFAULTS, |(id, _)| id), 0, 0);
    match bundle.workspaces.as_slice() {
        [only] if bundle.len() == 1 && !out.has_errors() => {
            let help = "add resources beside it, or name the folder that holds them";
            out.report(
                rule::NO_RESOURCES
                    .at(only.name_span(), "there is nothing but the `Workspace`", "")
                    .help(help),
            );
        }
        [_] => {}
        [] if out.has_errors() => {}
        [] if bundle.is_empty() => {
            let help = "name the folder that holds `aipolicy.yaml`, or write one with `aipolicy init`";
            out.report(rule::NO_RESOURCES.at(nowhere, "there are no resources to check", "").help(help));
        }
        [] => {
            let help = "write one into `aipolicy.yaml`; `aipolicy init` shows how";
            out.report(rule::WORKSPACE_COUNT.at(nowhere, "there is no `Workspace`", "").help(help));
        }
        [first, rest @ ..] => {
            for another in rest {
                let found = rule::WORKSPACE_COUNT.at(
                    another.name_span(),
                    "there is more than one `Workspace`",
                    "another",
                );
                out.report(found.label(first.name_span(), "the first"));
            }
        }
    }
}

/// There is a policy to ask, unless something else has to be said first.
fn require_policies(graph: &Graph, policies: &Policies, out: &mut Diagnostics) {
    if policies.facts().is_empty() && !out.has_errors() {
        let nowhere = graph.bundle().workspaces.first().map(model::Resource::name_span);
        let help = "name a pack in `packs`, for instance `baseline`, or a folder in `policies`";
        let told = |place| rule::NO_POLICIES.at(place, "there is no policy to ask", "").help(help);
        out.extend(nowhere.map(told));
    }
}

/// Adds the policies of the packs that the workspace names to the sources.
pub fn add_packs(bundle: &Bundle, sources: &mut SourceMap, out: &mut Diagnostics) {
    let mut added = std::collections::BTreeSet::new();
    let named = bundle.workspaces.iter().flat_map(|workspace| &workspace.spec.packs);
    for pack in named.filter(|pack| added.insert(pack.value)) {
        let mut shipped = authorize::pack_policies(pack.value).peekable();
        if shipped.peek().is_none() {
            let message = format!("this version has no policies in the pack `{}`", pack.value.word());
            out.report(rule::PACK_MISSING.at(pack.span, message, ""));
        }
        for policy in shipped {
            sources.add(policy.path, policy.text, SourceKind::Policies { shipped: true });
        }
    }
}

/// Reads what ships with the product and every run needs, so that it is there when a run comes to it.
pub fn prepare() {
    authorize::prepare();
    catalog::Catalog::shipped();
}

/// The parts of a compile, for whoever times them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Names become ids.
    Linking,
    /// Policies are read and validated.
    Policies,
    /// Checks are run.
    Checks,
    /// Cedar is asked.
    Cedar,
}

/// Is told when a part of a compile begins.
pub type Watch<'w> = &'w mut dyn FnMut(Phase);

/// What a workspace means, and what Cedar said.
#[derive(Debug)]
pub struct Compilation {
    /// The resources.
    pub graph: Graph,
    /// The policies.
    pub policies: Policies,
    /// The verdicts.
    pub decisions: Decisions,
    /// What was found before anything was judged, and the same on every day.
    form: Diagnostics,
    /// Whether the policies can be asked.
    readable: bool,
}

impl Compilation {
    /// What Cedar says on another day, with all findings of that day.
    pub fn judged_on(&self, sources: &SourceMap, day: Date) -> (Decisions, Diagnostics) {
        let mut out = self.form.clone();
        let mut waivers = Waivers::new(&self.graph, sources, day);
        let decisions = judged((&self.policies, self.readable), &mut waivers, &mut |_| {}, &mut out);
        (decisions, out)
    }
}

/// Links the resources, reads the policies and asks Cedar, with all findings of all phases. `today` decides where
/// policies and waivers speak about days.
pub fn compile(
    bundle: Bundle,
    inputs: (&SourceMap, &[FileAnswer]),
    today: Date,
    out: &mut Diagnostics,
) -> Compilation {
    compile_watched(bundle, inputs, (today, &mut |_| {}), out)
}

/// The same, and tells when each part begins.
pub fn compile_watched(
    bundle: Bundle,
    (sources, files): (&SourceMap, &[FileAnswer]),
    (today, watch): (Date, Watch<'_>),
    out: &mut Diagnostics,
) -> Compilation {
    watch(Phase::Linking);
    let graph = resolve::link(bundle, files, sources, out);
    watch(Phase::Policies);
    let mut found = Diagnostics::default();
    let policies = authorize::read_policies(sources, &mut found);
    let readable = !found.has_errors();
    out.append(found);
    require_policies(&graph, &policies, out);
    let form = out.clone();
    let mut waivers = Waivers::new(&graph, sources, today);
    let decisions = judged((&policies, readable), &mut waivers, watch, out);
    Compilation { graph, policies, decisions, form, readable }
}

/// Runs the checks, and asks Cedar where all policies can be read.
fn judged(
    (policies, readable): (&Policies, bool),
    waivers: &mut Waivers<'_>,
    watch: Watch<'_>,
    out: &mut Diagnostics,
) -> Decisions {
    let decisions = match readable {
        true => judge_watched(policies, waivers, (&|_| true, watch), out),
        false => {
            watch(Phase::Checks);
            check::CHECKS.iter().for_each(|check| check.run(waivers, out));
            Decisions::none(policies, waivers)
        }
    };
    out.sort(waivers.sources());
    decisions
}

/// Asks Cedar. Where the workspace has policies of its own and something is to be said of them, what each does is counted on
/// the way.
fn decide(
    policies: &Policies,
    waivers: &mut Waivers<'_>,
    of_policies: bool,
    out: &mut Diagnostics,
) -> (Decisions, Option<inspect::Inspection>) {
    let own = |at: &ir::PolicyIndex| {
        let source = policies.facts().get(at.0 as usize).map(|fact| fact.span.source);
        source.is_some_and(|source| {
            waivers.sources().get(source).kind() == SourceKind::Policies { shipped: false }
        })
    };
    let own: Vec<_> = policies.each().filter(own).collect();
    if own.is_empty() || !of_policies {
        return (authorize::decide(policies, waivers, out), None);
    }
    let graph = waivers.graph();
    let environments: Vec<_> = graph.each().map(|(id, _)| id).collect();
    let subject = inspect::Subject { graph, policies, today: waivers.today(), environments: &environments };
    let watched = inspect::Watched::new(subject, own);
    let look = |considered: &authorize::Considered<'_>, tally: &mut _| watched.look(considered, tally);
    let (decisions, counted) = authorize::decide_and_look((policies, &look), waivers, out);
    (decisions, Some(watched.conclude(counted)))
}

/// Runs checks, all of them or some, and asks Cedar. What waivers name does not stop; what is said of waivers comes last,
/// when it is known what they except.
pub fn judge(
    policies: &Policies,
    waivers: &mut Waivers<'_>,
    wanted: impl Fn(&Check) -> bool,
    out: &mut Diagnostics,
) -> Decisions {
    judge_watched(policies, waivers, (&wanted, &mut |_| {}), out)
}

fn judge_watched(
    policies: &Policies,
    waivers: &mut Waivers<'_>,
    (wanted, watch): (&dyn Fn(&Check) -> bool, Watch<'_>),
    out: &mut Diagnostics,
) -> Decisions {
    watch(Phase::Checks);
    codes::check(waivers.graph(), policies, out);
    trial::unclear(waivers.graph(), policies, waivers.today(), out);
    let whole = !out.has_errors_of(Family::Input);
    let mut found = Diagnostics::default();
    let wanted = |check: &&Check| wanted(check);
    check::CHECKS.iter().filter(wanted).for_each(|check| check.run(waivers, &mut found));
    found.sort(waivers.sources());
    waivers.apply(&mut found);
    out.append(found);
    watch(Phase::Cedar);
    let of_policies = || check::CHECKS_OF_POLICIES.iter().filter(wanted);
    let (mut decisions, inspected) = decide(policies, waivers, of_policies().next().is_some(), out);
    watch(Phase::Checks);
    let mut found = Diagnostics::default();
    if let Some(inspected) = &inspected {
        of_policies().for_each(|check| check.run_on((policies, inspected), waivers, &mut found));
    }
    out.append(found);
    if whole {
        waivers.conclude();
    }
    let mut found = Diagnostics::default();
    check::CHECKS_OF_WAIVERS.iter().filter(wanted).for_each(|check| check.run(waivers, &mut found));
    if found.has_errors() {
        decisions.withhold();
    }
    out.append(found);
    decisions
}
