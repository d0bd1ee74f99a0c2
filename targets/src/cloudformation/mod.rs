//! Roles and agents as CloudFormation templates: one for what is global, and one for each region.
//!
//! A template says what the documents say, in the words of CloudFormation. What it cannot say is refused at the line that
//! asked for it. Names and ARNs are known when a template is made, so templates refer to each other by ARN alone; what a
//! service gives is an attribute of a resource of the same template.

mod dependency;
mod document;
mod kind;
mod property;
mod shape;
mod template;

use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::SourceMap;

use crate::account::Account;
use crate::artifact::Artifact;
use crate::input::Input;
use document::Documents;

/// The target in the address of a template.
pub const TARGET: &str = "cloudformation";

/// Refuses trials of new versions: a stack is made what its template says, and nothing of it waits.
fn at_once(artifacts: &[Artifact], out: &mut Diagnostics) {
    for artifact in artifacts {
        let Some(trial) = &artifact.trial else { continue };
        let places = ["/routingConfiguration", "/targetVersion"];
        let Some(origin) = places.into_iter().find_map(|place| artifact.trace.at(place)) else { continue };
        let message = format!("a stack gives a new version of agent `{}` to callers at once", trial.agent);
        let found = rule::UNSUPPORTED.at(origin.span, message, "CloudFormation tries nothing before");
        out.report(found.help("leave `canary` out, or apply the documents with aipolicy"));
    }
}

/// The artifacts of an environment, sorted by address, with those of `iam`, `bedrock` and `lambda` as templates. Others, and what
/// CloudFormation has no type for, stay as they are. Nothing is returned when something cannot be said in a template.
pub fn templates(
    grants: ApprovedGrants<'_>,
    sources: &SourceMap,
    artifacts: Vec<Artifact>,
    out: &mut Diagnostics,
) -> Option<Vec<Artifact>> {
    let account = Account::of(Input::of(grants, sources)?)?;
    let mut found = Diagnostics::default();
    let is_ours =
        |one: &Artifact| matches!(one.document.address.target.as_str(), "iam" | "bedrock" | "lambda");
    let (ours, mut made): (Vec<_>, Vec<_>) = artifacts.into_iter().partition(is_ours);
    at_once(&ours, &mut found);
    if found.has_errors() {
        out.append(found);
        return None;
    }
    let documents = Documents::sort(&account, ours, &mut found);
    // What is missing among the documents would be missed in every template.
    if !found.has_errors() {
        let stacks = documents.stacks().into_iter();
        made.extend(stacks.map(|stack| template::artifact(&account, &documents, stack, &mut found)));
    }
    let sound = !found.has_errors();
    out.append(found);
    made.extend(documents.beside);
    made.sort_by(|left, right| left.document.address.cmp(&right.document.address));
    sound.then_some(made)
}
