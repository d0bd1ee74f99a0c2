//! Approval by people: the machine waits for an answer to a token that it puts into a queue, and no answer is a no.

use std::collections::BTreeSet;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::ApprovalGate;
use aipolicy_compiler::model::group::GroupSpec;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::machine::Machine;
use crate::bedrock::shared;
use crate::bedrock::tool::jsonata;
use crate::origin::Origin;
use crate::tree::Tree;

/// The most people who can be asked for one call.
const MOST: u32 = 5;

/// Who may approve, and how many must.
struct Approvers<'g> {
    groups: Vec<&'g Resource<GroupSpec>>,
    members: BTreeSet<&'g str>,
    /// Members whose approval alone is not enough.
    not_alone: BTreeSet<&'g str>,
    required: u32,
}

/// Asks as many people as must agree, one after the other.
pub(super) fn states(
    machine: &mut Machine<'_>,
    (gate, span): (&ApprovalGate, Span),
    out: &mut Diagnostics,
) -> Option<()> {
    let account = machine.account;
    let approvers = approvers(machine, (gate, span), out)?;
    let (seconds, waiting) = account.approved_within(gate);
    let queue = shared::approvals(account, account.region_of(machine.call.agent))?;
    machine.needs.push(queue.address.clone());
    for round in 1..=approvers.required {
        machine.waits = machine.waits.saturating_add(seconds);
        let state = Tree::map([
            ("Type", Tree::text("Task")),
            ("Resource", Tree::text(machine.integration("sqs:sendMessage.waitForTaskToken"))),
            ("Arguments", ask(machine, &approvers, &queue.url)),
            ("TimeoutSeconds", Tree::integer(seconds).from(waiting.clone())),
            ("Assign", Tree::map([("approval", Tree::text("{% $states.result %}"))])),
            ("Catch", machine.catch("nobody approved in time")),
            ("Next", Tree::text(format!("CheckApproval{round}"))),
        ]);
        machine.push(format!("Approve{round}"), state.from(Origin::written(span)));
        check(machine, &approvers, (round, span));
    }
    Some(())
}

fn approvers<'g>(
    machine: &Machine<'g>,
    (gate, span): (&ApprovalGate, Span),
    out: &mut Diagnostics,
) -> Option<Approvers<'g>> {
    let graph = machine.account.graph();
    let groups: Vec<_> = gate.from.iter().filter_map(|group| graph.get(group)).collect();
    let all = |texts: fn(
        &GroupSpec,
    ) -> &[aipolicy_compiler::source::Spanned<
        aipolicy_compiler::model::value::Text,
    >]| {
        groups
            .iter()
            .flat_map(|group| texts(&group.spec))
            .map(|text| text.value.as_str())
            .collect::<BTreeSet<_>>()
    };
    let (members, not_alone) = (all(|group| &group.members), all(|group| &group.not_alone));
    let required = groups.iter().filter_map(|group| group.spec.required.as_ref()).map(|count| count.value.0);
    let required = required.max().unwrap_or(1).max(1);
    let enough = usize::try_from(required).is_ok_and(|required| members.len() >= required);
    if !enough || members.is_subset(&not_alone) {
        let message = "not enough people may approve this call";
        let help = "name groups with enough members, at least one of whom may approve alone";
        out.report(rule::UNSUPPORTED.at(span, message, "").help(help));
        return None;
    }
    if required > MOST {
        let message = format!("a call can wait for at most {MOST} approvals");
        out.report(rule::UNSUPPORTED.at(span, message, ""));
        return None;
    }
    Some(Approvers { groups, members, not_alone, required })
}

/// The message: where the answer goes, and what it is about. Whoever answers reads the input in the execution.
fn ask(machine: &Machine<'_>, approvers: &Approvers<'_>, queue: &str) -> Tree {
    let call = machine.call;
    let members = Tree::list(approvers.groups.iter().flat_map(|group| {
        group.spec.members.iter().map(|member| {
            Tree::text(jsonata::plain(member.value.as_str())).from(Origin::written(member.span))
        })
    }));
    let body = Tree::map([
        ("agent", Tree::text(call.agent.name().as_str())),
        ("tool", Tree::text(call.tool.name.value.as_str())),
        ("approvers", members),
        ("execution", Tree::text("{% $states.context.Execution.Id %}")),
        ("inputSha256", Tree::text("{% $hash($string($input), 'SHA-256') %}")),
        ("taskToken", Tree::text("{% $states.context.Task.Token %}")),
    ]);
    Tree::map([("QueueUrl", Tree::text(queue)), ("MessageBody", body)])
}

/// Accepts an answer that says yes, in the name of somebody who may and has not answered before.
fn check(machine: &mut Machine<'_>, approvers: &Approvers<'_>, (round, span): (u32, Span)) {
    let names = |names: &BTreeSet<&str>| {
        jsonata::list(&names.iter().map(|name| serde_json::Value::from(*name)).collect::<Vec<_>>())
    };
    let by = "$lookup($approval, 'by')";
    let mut asked = vec![
        "$type($approval) = 'object'".to_owned(),
        "$lookup($approval, 'approved') = true".to_owned(),
        format!("$type({by}) = 'string'"),
        format!("{by} in {}", names(&approvers.members)),
    ];
    if round > 1 {
        asked.push(format!("$not({by} in $decidedBy)"));
    }
    if round == approvers.required && !approvers.not_alone.is_empty() {
        let before = if round > 1 {
            "$append($decidedBy, [$lookup($approval, 'by')])"
        } else {
            "[$lookup($approval, 'by')]"
        };
        let alone = format!("function($name) {{ $not($name in {}) }}", names(&approvers.not_alone));
        asked.push(format!("$count($filter({before}, {alone})) > 0"));
    }
    let before = if round > 1 { format!("$append($decidedBy, [{by}])") } else { format!("[{by}]") };
    let next = if round == approvers.required { "Call".to_owned() } else { format!("Approve{}", round + 1) };
    let yes = Tree::map([
        ("Condition", Tree::text(jsonata::template(&asked.join(" and ")))),
        ("Assign", Tree::map([("decidedBy", Tree::text(jsonata::template(&before)))])),
        ("Next", Tree::text(next)),
    ]);
    let state = Tree::map([
        ("Type", Tree::text("Choice")),
        ("Choices", Tree::list([yes])),
        ("Default", Tree::text("NotApproved")),
    ]);
    machine.push(format!("CheckApproval{round}"), state.from(Origin::written(span)));
    if round == 1 {
        let mut entries = vec![("Type", Tree::text("Pass"))];
        entries.extend(machine.refusal(&jsonata::text("not approved")));
        machine.push("NotApproved", Tree::map(entries).from(Origin::written(span)));
    }
}
