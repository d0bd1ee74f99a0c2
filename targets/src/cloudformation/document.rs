//! Which documents become resources, of which template, and what is part of what.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::rule;

use super::kind::{Kind, Place};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::tree::Tree;

/// The template for roles and policies, which are the same in every region.
const GLOBAL: &str = "iam";
/// The template for what belongs to the organisation, which another account manages.
const ORGANIZATION: (&str, &str) = ("ServiceControlPolicy", "organization");

/// A document that a template says.
pub(super) struct Document {
    pub(super) address: Address,
    pub(super) kind: &'static Kind,
    pub(super) tree: Tree,
    /// Why it is there.
    pub(super) origin: Origin,
    pub(super) needs: Vec<Address>,
}

/// A document that is a resource.
pub(super) struct Resource {
    pub(super) document: Document,
    /// The template that it is in.
    pub(super) stack: String,
    /// Its name in the template.
    pub(super) id: String,
    /// Documents that are items of its lists.
    pub(super) parts: Vec<Document>,
}

/// The documents of an environment, by what they become.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) resources: BTreeMap<Address, Resource>,
    /// The resource that each part belongs to.
    pub(super) hosts: BTreeMap<Address, Address>,
    /// Code, which stands in functions.
    pub(super) code: BTreeMap<Address, (String, Origin)>,
    /// What no template can say.
    pub(super) beside: Vec<Artifact>,
}

impl Documents {
    /// Sorts documents; what cannot be sorted is reported.
    pub(super) fn sort(account: &Account<'_>, artifacts: Vec<Artifact>, out: &mut Diagnostics) -> Self {
        let mut documents = Self::default();
        let mut parts = Vec::new();
        for artifact in artifacts {
            if let Some(document) = documents.place(account, artifact, out) {
                match document.kind.place {
                    Place::Item { .. } | Place::Rest(_) => parts.push(document),
                    Place::Resource(..) | Place::Code | Place::Beside(_) => {
                        documents.add(account, document, out);
                    }
                }
            }
        }
        // A part whose whole was refused would be refused too.
        if !out.has_errors() {
            parts.into_iter().for_each(|part| documents.join(part, out));
        }
        documents
    }

    /// Puts away what is no resource; anything else is returned to be one, or a part of one.
    fn place(
        &mut self,
        account: &Account<'_>,
        artifact: Artifact,
        out: &mut Diagnostics,
    ) -> Option<Document> {
        let origin = artifact.trace.at("").or(artifact.trace.origins().first()).cloned();
        let origin = origin.unwrap_or_else(|| Origin::written(account.environment.name_span()));
        let address = artifact.document.address.clone();
        let Some(kind) = Kind::of(&address) else {
            out.report(refused(&origin, format!("CloudFormation is not told what `{address}` is")));
            return None;
        };
        match kind.place {
            Place::Beside(why) => {
                out.report(beside(&artifact, why, &origin));
                self.beside.push(artifact);
                None
            }
            Place::Code => {
                self.code.insert(address, (artifact.document.text, origin));
                None
            }
            Place::Item { .. } | Place::Rest(_) | Place::Resource(..) => match artifact.tree() {
                Some(tree) => Some(Document { address, kind, tree, origin, needs: artifact.needs }),
                None => {
                    out.report(refused(&origin, format!("`{address}` is not written in JSON")));
                    None
                }
            },
        }
    }

    /// Adds a resource to the template of its region.
    fn add(&mut self, account: &Account<'_>, document: Document, out: &mut Diagnostics) {
        let region = document.tree.get("$region").and_then(Tree::as_text);
        let global = || match document.address.kind.as_str() {
            kind if kind == ORGANIZATION.0 => ORGANIZATION.1,
            _ => GLOBAL,
        };
        let stack = region.or_else(|| (document.address.target == GLOBAL).then(global));
        let Some(stack) = stack.map(str::to_owned) else {
            out.report(refused(&document.origin, format!("`{}` is in no region", document.address)));
            return;
        };
        let id = logical_id(&account.name(&[], usize::MAX), &document.address);
        let resource = Resource { stack, id, parts: Vec::new(), document };
        self.resources.insert(resource.document.address.clone(), resource);
    }

    /// Adds a document to the resource that it belongs to.
    fn join(&mut self, part: Document, out: &mut Diagnostics) {
        let host = match part.kind.place {
            Place::Item { host, .. } => part.tree.get(host).and_then(referred).map(|(address, _)| address),
            Place::Rest(kind) => Some(Address { kind: kind.into(), ..part.address.clone() }),
            Place::Resource(..) | Place::Code | Place::Beside(_) => None,
        };
        let region = part.tree.get("$region").and_then(Tree::as_text).map(str::to_owned);
        let found = host.and_then(|address| Some((address.clone(), self.resources.get_mut(&address)?)));
        match found.filter(|(_, resource)| region.as_deref() == Some(&resource.stack)) {
            Some((address, resource)) => {
                self.hosts.insert(part.address.clone(), address);
                resource.parts.push(part);
            }
            None => {
                out.report(refused(&part.origin, format!("`{}` belongs to nothing here", part.address)));
            }
        }
    }

    /// The names of the templates.
    pub(super) fn stacks(&self) -> BTreeSet<&str> {
        self.resources.values().map(|resource| resource.stack.as_str()).collect()
    }

    /// The resources of a template.
    pub(super) fn of<'d>(&'d self, stack: &'d str) -> impl Iterator<Item = &'d Resource> {
        self.resources.values().filter(move |resource| resource.stack == stack)
    }
}

/// What a reference names: a document, and a member of the answer that creates it.
pub(super) fn referred(tree: &Tree) -> Option<(Address, &str)> {
    let (address, member) = tree.get("$ref")?.as_text()?.split_once('#')?;
    Some((address.parse().ok()?, member))
}

pub(super) fn refused(origin: &Origin, message: impl Into<String>) -> Diagnostic {
    let found = rule::UNSUPPORTED.at(origin.span, message, "");
    found.help("build documents instead: leave out `--format cloudformation`")
}

fn beside(artifact: &Artifact, why: &str, origin: &Origin) -> Diagnostic {
    let message = format!("{why}, so this stays a document");
    let help = format!("see to `{}` after the stacks are there", artifact.document.file());
    let found = rule::APPROXIMATED.at(origin.span, message, "asked for here").help(help);
    Diagnostic { severity: Severity::Advisory, ..found }
}

/// The name of a resource in its template: letters and digits, from its kind and what its name says beyond that of the
/// environment.
fn logical_id(environment: &str, address: &Address) -> String {
    let beyond = |prefix: &str| address.name.strip_prefix(prefix)?.strip_prefix(['-', '_']);
    let name = beyond(environment).or_else(|| beyond(&environment.replace('-', "_")));
    let words = name.unwrap_or(&address.name).split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut id = address.kind.clone();
    for word in words {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_called_what_they_are() {
        let id = |address: &str| logical_id("acme-prod", &address.parse().unwrap());
        assert_eq!(id("iam/Role/acme-prod-agent-invoice-bot"), "RoleAgentInvoiceBot");
        assert_eq!(id("bedrock/Memory/acme_prod_invoice_bot"), "MemoryInvoiceBot");
        assert_eq!(id("bedrock/GatewayTarget/acme-prod-invoice-bot.tools"), "GatewayTargetInvoiceBotTools");
        assert_eq!(id("bedrock/Guardrail/acme-prod-g-eu-central-1"), "GuardrailGEuCentral1");
        assert_eq!(id("iam/Role/acme-production"), "RoleAcmeProduction");
    }
}
