//! Documents that refer to what a change gives another id or number: they say the same as before, and mean another thing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actual, Change, Desired, Reason, compare};
use crate::artifact::Address;

/// Members of answers that are others after a change, by kind. Ids and ARNs stay with most things for life.
const CHANGING: &[(&str, &str)] = &[
    // A change cuts the next version, and the one before stays as it is.
    ("bedrock/GuardrailVersion", "version"),
    // Each change of a harness makes a version.
    ("bedrock/Harness", "harness.harnessVersion"),
    // A profile cannot be changed: it is made anew.
    ("bedrock/InferenceProfile", "inferenceProfileArn"),
];

/// Adds the documents that refer to what changes, and those that refer to them.
pub(super) fn follow(changes: &mut Vec<Change>, desired: &Desired, actual: &Actual) {
    let mut known: BTreeSet<Address> = changes.iter().map(|change| change.address.clone()).collect();
    let mut users: BTreeMap<String, Vec<&Address>> = BTreeMap::new();
    for (address, wanted) in &desired.documents {
        for reference in wanted.needs.iter().flat_map(references) {
            if wanted.document.text.contains(&format!("\"{reference}\"")) {
                users.entry(reference).or_default().push(address);
            }
        }
    }
    let mut next: Vec<Address> = known.iter().cloned().collect();
    while let Some(changed) = next.pop() {
        for user in references(&changed).filter_map(|reference| users.get(&reference)).flatten() {
            let found = actual.documents.get(user).filter(|found| found.owned);
            let Some((wanted, found)) = desired.documents.get(*user).zip(found) else { continue };
            if known.insert((*user).clone()) {
                changes.push(compare::change(wanted, Some(found), Reason::References));
                next.push((*user).clone());
            }
        }
    }
}

/// The references to a document that mean something else once it has changed, as documents write them.
fn references(address: &Address) -> impl Iterator<Item = String> + use<> {
    let (word, text) = (address.word(), address.to_string());
    let members = CHANGING.iter().filter(move |(kind, _)| *kind == word);
    members.map(move |(_, member)| format!("{text}#{member}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Document, Format};
    use crate::plan::{Action, Change, DesiredDocument, Observed, Plan, Promoted};

    fn document(address: &str, text: &str) -> Document {
        Document { address: address.parse().unwrap(), format: Format::Json, text: text.into() }
    }

    /// A guardrail of which a version is cut anew, an agent that has it, and one that only knows its id.
    fn world(version: &str) -> (Desired, Actual) {
        let (mut desired, mut actual) = (Desired::default(), Actual::default());
        for (address, before, after, needs) in [
            ("bedrock/GuardrailVersion/g", "{\"v\":1}", version, vec![]),
            (
                "bedrock/Agent/a",
                r#"{"n":{"$ref":"bedrock/GuardrailVersion/g#version"}}"#,
                r#"{"n":{"$ref":"bedrock/GuardrailVersion/g#version"}}"#,
                vec!["bedrock/GuardrailVersion/g"],
            ),
            (
                "bedrock/Agent/b",
                r#"{"n":{"$ref":"bedrock/GuardrailVersion/g#guardrailId"}}"#,
                r#"{"n":{"$ref":"bedrock/GuardrailVersion/g#guardrailId"}}"#,
                vec!["bedrock/GuardrailVersion/g"],
            ),
        ] {
            let (before, after) = (document(address, before), document(address, after));
            let needs = needs.into_iter().map(|need: &str| need.parse().unwrap()).collect();
            actual.documents.insert(before.address.clone(), Observed { document: before, owned: true });
            let wanted = DesiredDocument { document: after, origins: Vec::new(), needs, trial: None };
            desired.documents.insert(wanted.document.address.clone(), wanted);
        }
        (desired, actual)
    }

    fn changes(desired: &Desired, actual: &Actual) -> (Vec<Change>, Vec<Address>) {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let promoted = Promoted { everybody: false, agents: &BTreeSet::new(), now };
        let (changes, foreign, _) = Plan::changes(desired, actual, &promoted);
        (changes, foreign)
    }

    #[test]
    fn what_refers_to_a_number_that_changes_is_written_again_after_it() {
        let (desired, actual) = world("{\"v\":2}");
        let (found, _) = changes(&desired, &actual);
        let told: Vec<_> =
            found.iter().map(|change| (change.address.to_string(), change.action, change.reason)).collect();
        let expected = [
            ("bedrock/GuardrailVersion/g".to_owned(), Action::Update, Reason::SourcesAndDrift),
            ("bedrock/Agent/a".to_owned(), Action::Update, Reason::References),
        ];
        assert_eq!(told, expected);
        assert_eq!(found[1].after_changes, [found[0].address.clone()]);
    }

    #[test]
    fn nothing_is_written_again_where_nothing_changes() {
        let (desired, actual) = world("{\"v\":1}");
        assert_eq!(changes(&desired, &actual).0, []);
    }

    #[test]
    fn what_is_not_ours_is_not_written_again() {
        let (desired, mut actual) = world("{\"v\":2}");
        actual.documents.values_mut().for_each(|found| found.owned = found.document.address.kind != "Agent");
        let (found, foreign) = changes(&desired, &actual);
        assert_eq!((found.len(), foreign.len()), (1, 2));
    }
}
