//! What every kind of document of IAM and Bedrock is in a template.
//!
//! Types, properties and attributes are those of the CloudFormation resource schemas of 2026-10-20. Tests compare them
//! with the schemas that `cfn-lint` brings along, and with each kind that the targets have.

mod agentcore;
mod classic;
mod iam;
mod tool;
mod trigger;

use super::shape::Shape;
use crate::artifact::Address;

/// A kind of document.
#[derive(Debug)]
pub(super) struct Kind {
    /// The target that makes it.
    target: &'static str,
    /// Its name there.
    name: &'static str,
    pub(super) place: Place,
    /// How its members are written.
    pub(super) shape: Shape,
    /// Members of the answer that creates it, each with the attribute that `Fn::GetAtt` has for it.
    answers: &'static [(&'static str, &'static str)],
    /// The attribute by which callers find it, which a stack tells.
    pub(super) told: Option<&'static str>,
}

/// Where a document goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is a resource of a type, and something happens when the template lacks it.
    Resource(&'static str, Removal),
    /// It is an item of a list of the resource that this member refers to.
    Item { host: &'static str, list: &'static str },
    /// It is what remains to be said about the document of this kind that has its name.
    Rest(&'static str),
    /// It stands in the function that refers to it.
    Code,
    /// No resource can do it, for this reason. It stays a document beside the templates, and a finding says so.
    Beside(&'static str),
}

/// What happens to a thing that a template no longer has, or that an update replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// It goes.
    Deleted,
    /// It goes, and holds nothing that does not expire by itself.
    Expired,
    /// It stays, since it holds what people said, or what was done.
    Retained,
    /// It goes with the stack. When it is replaced it stays, since older versions of an agent refer to it, or since
    /// somebody has not answered yet.
    KeptWhenReplaced,
}

/// The tables of kinds, by what they are for.
static KINDS: &[&[Kind]] = &[iam::KINDS, classic::KINDS, agentcore::KINDS, tool::KINDS, trigger::KINDS];

impl Kind {
    /// What a document is in a template; nothing for what nobody thought of.
    pub(super) fn of(address: &Address) -> Option<&'static Self> {
        // Functions of agents and of workloads are alike.
        let target = if address.target == "lambda" { "bedrock" } else { address.target.as_str() };
        let mut kinds = KINDS.iter().copied().flatten();
        kinds.find(|kind| kind.target == target && kind.name == address.kind)
    }

    /// The attribute that stands for a member of an answer.
    pub(super) fn attribute(&self, member: &str) -> Option<&'static str> {
        self.answers.iter().find(|(own, _)| *own == member).map(|(_, attribute)| *attribute)
    }

    /// A kind of the target `bedrock`.
    const fn new(name: &'static str, place: Place, shape: Shape) -> Self {
        Self { target: "bedrock", name, place, shape, answers: &[], told: None }
    }

    /// A kind that is a resource, and that goes when its template no longer has it.
    const fn resource(name: &'static str, kind: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Resource(kind, Removal::Deleted), shape)
    }

    /// With attributes that others refer to.
    const fn answering(self, answers: &'static [(&'static str, &'static str)]) -> Self {
        Self { answers, ..self }
    }

    const fn telling(self, attribute: &'static str) -> Self {
        Self { told: Some(attribute), ..self }
    }

    const fn of_target(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    const fn removed(self, removal: Removal) -> Self {
        let place = match self.place {
            Place::Resource(kind, _) => Place::Resource(kind, removal),
            Place::Item { .. } | Place::Rest(_) | Place::Code | Place::Beside(_) => self.place,
        };
        Self { place, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_in_one_table() {
        let mut seen = BTreeSet::new();
        for kind in KINDS.iter().copied().flatten() {
            assert!(seen.insert((kind.target, kind.name)), "{} is there twice", kind.name);
        }
    }

    #[test]
    fn what_remains_to_be_said_is_about_a_resource() {
        for kind in KINDS.iter().copied().flatten() {
            let Place::Rest(host) = kind.place else { continue };
            let address = Address { target: kind.target.into(), kind: host.into(), name: "x".into() };
            let host = Kind::of(&address).map(|host| host.place);
            assert!(matches!(host, Some(Place::Resource(..))), "{}", kind.name);
        }
    }
}
