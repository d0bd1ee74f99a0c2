//! Consent of a function: it is asked with the input, and anything but a plain yes is a no.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::VerifyGate;
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::machine::Machine;
use crate::bedrock::shared;
use crate::bedrock::tool::jsonata;
use crate::origin::Origin;
use crate::tree::Tree;

/// Asks the function, which answers `{ "verified": true }` or does not agree.
pub(super) fn states(
    machine: &mut Machine<'_>,
    (gate, span): (&VerifyGate, Span),
    out: &mut Diagnostics,
) -> Option<()> {
    let connector = machine.account.graph().get(&gate.with)?;
    let named = gate.with.name.span;
    let ConnectorKind::Lambda(function) = &connector.spec.kind else {
        let message = format!("`{}` is not a function, and cannot agree to anything", gate.with.name.value);
        out.report(rule::UNSUPPORTED.at(named, message, "").help("name a connector with `lambda`"));
        return None;
    };
    let region = machine.account.region_of(machine.call.agent);
    shared::same_region((connector, named), region, out)?;
    let arn = shared::function_arn(machine.account, region, function, out)?;
    let call = machine.call;
    let payload = Tree::map([
        ("agent", Tree::text(call.agent.name().as_str())),
        ("tool", Tree::text(call.tool.name.value.as_str())),
        ("input", Tree::text("{% $input %}")),
    ]);
    let arguments = Tree::map([
        ("FunctionName", Tree::text(arn).from(Origin::written(function.function.span))),
        ("Payload", payload),
    ]);
    let state = Tree::map([
        ("Type", Tree::text("Task")),
        ("Resource", Tree::text(machine.integration("lambda:invoke"))),
        ("Arguments", arguments),
        ("TimeoutSeconds", Tree::integer(60).from(machine.account.default("bedrock.callTimeout"))),
        ("Assign", Tree::map([("answer", Tree::text("{% $states.result.Payload %}"))])),
        ("Catch", machine.catch("the check could not be made")),
        ("Next", Tree::text("CheckVerification")),
    ]);
    machine.push("Verify", state.from(Origin::written(span)));
    let by = jsonata::list(&[serde_json::Value::from(gate.with.name.value.as_str())]);
    let agreed = "$type($answer) = 'object' and $lookup($answer, 'verified') = true";
    let yes = Tree::map([
        ("Condition", Tree::text(jsonata::template(agreed))),
        ("Assign", Tree::map([("decidedBy", Tree::text(jsonata::template(&by)))])),
        ("Next", Tree::text("Call")),
    ]);
    let check = Tree::map([
        ("Type", Tree::text("Choice")),
        ("Choices", Tree::list([yes])),
        ("Default", Tree::text("NotVerified")),
    ]);
    machine.push("CheckVerification", check.from(Origin::written(span)));
    let mut entries = vec![("Type", Tree::text("Pass"))];
    entries.extend(machine.refusal(&jsonata::text("not verified")));
    machine.push("NotVerified", Tree::map(entries).from(Origin::written(span)));
    Some(())
}
