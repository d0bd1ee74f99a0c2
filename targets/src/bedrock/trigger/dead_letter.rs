//! What services may put into queues for what fails: one policy for each queue, with a statement for each trigger.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::rule;

use super::Trigger;
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{Request, address};
use crate::origin::Origin;
use crate::tree::Tree;

/// Queues for what fails, with what may be put there.
#[derive(Default)]
pub(in crate::bedrock) struct DeadLetters(BTreeMap<Address, Letters>);

struct Letters {
    region: (String, Origin),
    url: Tree,
    statements: Vec<Tree>,
    origin: Origin,
}

impl DeadLetters {
    /// Lets a service put what fails at a source into the queue of a trigger. The address is that of the queue's policy.
    pub(super) fn permit(
        &mut self,
        trigger: &Trigger<'_>,
        (service, source): (&str, &str),
        out: &mut Diagnostics,
    ) -> Address {
        note_key(trigger, service, out);
        let default = || trigger.default("trigger.deadLetter");
        let equals = Tree::map([
            ("ArnEquals", Tree::map([("aws:SourceArn", Tree::text(source).from(trigger.origin.clone()))])),
            (
                "StringEquals",
                Tree::map([("aws:SourceAccount", Tree::text(trigger.agent.account.id()).from(default()))]),
            ),
        ]);
        let words = trigger.name.split('-').map(capital);
        let statement = Tree::map([
            ("Sid", Tree::text(words.collect::<String>()).from(trigger.default("origin.name"))),
            ("Effect", Tree::text("Allow")),
            ("Principal", Tree::map([("Service", Tree::text(service))]).from(default())),
            ("Action", Tree::text("sqs:SendMessage").from(default())),
            ("Resource", trigger.dead.arn()),
            ("Condition", equals),
        ]);
        let own = address("QueuePolicy", &trigger.dead.name);
        let letters = self.0.entry(own.clone()).or_insert_with(|| Letters {
            region: trigger.agent.region(),
            url: Tree::text(&trigger.dead.url).from(trigger.dead.origin.clone()),
            statements: Vec::new(),
            origin: trigger.origin.clone(),
        });
        letters.statements.push(statement.from(trigger.origin.clone()));
        own
    }

    pub(in crate::bedrock) fn artifacts(self, version: &Origin) -> Vec<Artifact> {
        let artifact = |(address, letters): (Address, Letters)| {
            let policy = Tree::map([
                ("Version", Tree::text("2012-10-17").from(version.clone())),
                ("Statement", Tree::list(letters.statements)),
            ]);
            let members = vec![("QueueUrl", letters.url), ("Attributes", Tree::map([("Policy", policy)]))];
            let request = Request { address, region: letters.region, members, needs: Vec::new() };
            request.artifact(&letters.origin)
        };
        self.0.into_iter().map(artifact).collect()
    }
}

/// Says what the policy of a key has to permit, since keys are not ours.
fn note_key(trigger: &Trigger<'_>, service: &str, out: &mut Diagnostics) {
    let connector = trigger.spec.dead_letter().and_then(|named| trigger.agent.account.graph().get(named));
    let Some(key) = connector.and_then(|found| found.spec.encryption.as_ref()) else { return };
    let message = format!("the policy of this key has to let `{service}` use it, and is not written by us");
    let note = rule::APPROXIMATED.at(key.kms_key_arn.span, message, "the queue is encrypted with it");
    let note = note.label(trigger.spec.span(), "what fails here is put into the queue");
    let note = note.help("the target `iam` puts down the statements, as `KeyStatements`");
    out.report(Diagnostic { severity: Severity::Note, ..note });
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
