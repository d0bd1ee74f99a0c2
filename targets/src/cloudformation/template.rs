//! One template: its resources under their names, within the limits of CloudFormation.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;

use super::document::{Documents, Resource};
use super::kind::{Place, Removal};
use super::property::Writer;
use super::{TARGET, dependency};
use crate::account::Account;
use crate::artifact::{Address, Artifact, Format};
use crate::tree::{Key, Tree};

/// The template of a stack.
pub(super) fn artifact(
    account: &Account<'_>,
    documents: &Documents,
    stack: &str,
    out: &mut Diagnostics,
) -> Artifact {
    let mut written: BTreeMap<&str, (&Resource, Tree)> = BTreeMap::new();
    for resource in documents.of(stack) {
        let tree = body(account, documents, resource, out);
        if let Some((first, _)) = written.insert(&resource.id, (resource, tree)) {
            let message = format!("two resources of a template would be called `{}`", resource.id);
            let found = rule::NAME_COLLISION.at(resource.document.origin.span, message, "this one");
            out.report(found.label(first.document.origin.span, "and this one").help("rename one of them"));
        }
    }
    let outputs: Vec<_> = written.values().filter_map(|(resource, _)| output(resource)).collect();
    let (number, told) = (written.len(), outputs.len());
    let resources = written.into_iter().map(|(id, (_, tree))| (id.to_owned(), tree));
    let mut entries = vec![
        ("AWSTemplateFormatVersion", Tree::text("2010-09-09")),
        ("Description", Tree::text(description(account, stack))),
        ("Metadata", Tree::map([("aipolicy", marks(account, stack))])),
        ("Resources", Tree::map(resources.collect::<Vec<_>>())),
    ];
    if !outputs.is_empty() {
        entries.push(("Outputs", Tree::map(outputs)));
    }
    let tree = Tree::map(entries);
    let address = Address { target: TARGET.into(), kind: "Template".into(), name: stack.into() };
    let tree = tree.from(account.default("cloudformation.template"));
    let artifact = Artifact::new(address, Format::Json, &tree);
    let size = artifact.document.text.len();
    let sizes = [
        ("cloudformation.resources", number),
        ("cloudformation.outputs", told),
        ("cloudformation.templateBody", size),
    ];
    sizes.into_iter().for_each(|(limit, size)| within(account, (stack, limit), size, out));
    artifact
}

fn description(account: &Account<'_>, stack: &str) -> String {
    let (workspace, environment) = (&account.input.metadata.name.value, account.environment.name());
    format!("aipolicy: {workspace}, {environment}, {stack}. Change the workspace, not the template.")
}

/// What the template is for.
fn marks(account: &Account<'_>, stack: &str) -> Tree {
    Tree::map([
        ("workspace", Tree::text(account.input.metadata.name.value.as_str())),
        ("environment", Tree::text(account.environment.name().as_str())),
        ("account", Tree::text(account.id())),
        ("stack", Tree::text(stack)),
    ])
}

/// A resource: its type, what becomes of it, its properties, and what comes before it.
fn body(account: &Account<'_>, documents: &Documents, resource: &Resource, out: &mut Diagnostics) -> Tree {
    let document = &resource.document;
    let Place::Resource(kind, removal) = document.kind.place else { return Tree::map::<Key>([]) };
    let mut writer = Writer { account, documents, resource, referred: BTreeSet::new(), out };
    let properties = writer.properties();
    let before = dependency::depends_on(documents, resource, &writer.referred);
    let source = account.input.sources.get(document.origin.span.source).path();
    let mark =
        Tree::map([("address", Tree::text(document.address.to_string())), ("source", Tree::text(source))]);
    let mut entries = vec![("Type", Tree::text(kind))];
    entries.extend(policies(removal).into_iter().flatten().map(|(key, policy)| (key, Tree::text(policy))));
    entries.push(("Metadata", Tree::map([("aipolicy", mark)])));
    if !before.is_empty() {
        entries.push(("DependsOn", Tree::list(before.into_iter().map(Tree::text))));
    }
    entries.push(("Properties", properties));
    Tree::map(entries).from(document.origin.clone())
}

/// What a stack tells about a resource, for those who call it.
fn output(resource: &Resource) -> Option<(String, Tree)> {
    let attribute = resource.document.kind.told?;
    let value = Tree::map([("Fn::GetAtt", Tree::list([Tree::text(&resource.id), Tree::text(attribute)]))]);
    let output = Tree::map([("Value", value)]).from(resource.document.origin.clone());
    Some((resource.id.clone(), output))
}

/// What becomes of a thing that is no longer wanted: when the stack goes, and when it is replaced.
fn policies(removal: Removal) -> Option<[(&'static str, &'static str); 2]> {
    let (deleted, replaced) = match removal {
        Removal::Deleted => return None,
        Removal::Expired => ("Delete", "Delete"),
        Removal::Retained => ("Retain", "Retain"),
        Removal::KeptWhenReplaced => ("Delete", "Retain"),
    };
    Some([("DeletionPolicy", deleted), ("UpdateReplacePolicy", replaced)])
}

/// Reports what CloudFormation does not take. Stacks cannot be cut later without making things anew, so they are not cut.
fn within(account: &Account<'_>, (stack, limit): (&str, &str), size: usize, out: &mut Diagnostics) {
    let known = account.graph().catalog().limits().find(|known| known.id == limit);
    let Some(known) = known.filter(|known| u64::try_from(size).map_or(true, |size| size > known.value))
    else {
        return;
    };
    let message = format!(
        "the template `{stack}` would have {size} {}, and CloudFormation takes {}",
        known.unit, known.value
    );
    let found = rule::TARGET_LIMIT.at(account.environment.name_span(), message, "");
    out.report(found.help("move tenants to an environment of their own, or build documents instead"));
}
