//! The record of a call, in the log group for traces: who called what, as which role, for how long, what was decided, and a
//! digest of the input, never the input. A gated call has a stream of its own, opened before anybody is asked, so that nothing
//! is called that could not be written down. Other calls share the stream of their agent.

use super::machine::Machine;
use crate::account::is_gated;
use crate::bedrock::shared;
use crate::bedrock::tool::jsonata;
use crate::tree::Tree;

/// The longest id of a session or a request that a record names.
const LONGEST_ID: usize = 128;

/// The ids under which a call is told elsewhere, as whoever starts the machine knows them.
pub(super) fn ids() -> [(&'static str, Tree); 3] {
    ["session", "request", "trace"].map(|name| {
        let given = format!("$states.input.ids.{name}");
        let text = format!("$type({given}) = 'string' ? $substring({given}, 0, {LONGEST_ID}) : 'unknown'");
        (name, Tree::text(jsonata::template(&text)))
    })
}

/// How long the machine took until it made the call, and how long the call took.
pub(super) fn timing() -> Tree {
    let entered = "$toMillis($states.context.State.EnteredTime)";
    let started = "$toMillis($states.context.Execution.StartTime)";
    let timing = format!("{{ 'after': {entered} - {started}, 'milliseconds': $millis() - {entered} }}");
    Tree::text(jsonata::template(&timing))
}

/// Opens the record of a gated call, where one is kept.
pub(super) fn open(machine: &mut Machine<'_>) {
    let Some((group, origin)) =
        shared::record_group(machine.account, machine.call.agent).filter(|_| machine.opens_records())
    else {
        return;
    };
    let cause = jsonata::text("the record cannot be opened");
    let catch = Tree::map([
        ("ErrorEquals", Tree::list([Tree::text("States.ALL")])),
        ("Assign", Tree::map([("outcome", Tree::text(jsonata::template(&cause)))])),
        ("Next", Tree::text("Refused")),
    ]);
    let arguments = Tree::map([
        ("LogGroupName", Tree::text(jsonata::plain(group)).from(origin.clone())),
        ("LogStreamName", stream(machine)),
    ]);
    let state = Tree::map([
        ("Type", Tree::text("Task")),
        ("Resource", Tree::text(machine.integration("aws-sdk:cloudwatchlogs:createLogStream"))),
        ("Arguments", arguments),
        ("Catch", Tree::list([catch])),
        ("Next", Tree::text("Validate")),
    ]);
    machine.push("OpenRecord", state.from(origin));
}

/// The stream of an execution, below the names of the agent and the tool; or the one that ungated calls of the agent share.
fn stream(machine: &Machine<'_>) -> Tree {
    if !is_gated(machine.call.tool) {
        return Tree::text(machine.account.calls(machine.call.agent));
    }
    let folder = format!("{}/{}/", machine.call.agent.name(), machine.call.tool.name.value);
    let name = format!("{} & $states.context.Execution.Name", jsonata::text(&folder));
    Tree::text(jsonata::template(&name))
}

/// Writes what became of the call, and ends as it did. A call that cannot be written down ends as a failure.
pub(super) fn states(machine: &mut Machine<'_>) {
    let Some((group, origin)) = shared::record_group(machine.account, machine.call.agent) else { return };
    let ends = [
        ("RecordCall", "Done", "Unrecorded"),
        ("RecordRefusal", "Refused", "Refused"),
        ("RecordFailure", "Failed", "Failed"),
    ];
    for (name, next, otherwise) in ends {
        let event = Tree::map([
            ("Timestamp", Tree::text("{% $millis() %}")),
            ("Message", Tree::text(jsonata::template(&message(machine)))),
        ]);
        let arguments = Tree::map([
            ("LogGroupName", Tree::text(jsonata::plain(group))),
            ("LogStreamName", stream(machine)),
            ("LogEvents", Tree::list([event])),
        ]);
        let catch = Tree::map([
            ("ErrorEquals", Tree::list([Tree::text("States.ALL")])),
            ("Next", Tree::text(otherwise)),
        ]);
        let state = Tree::map([
            ("Type", Tree::text("Task")),
            ("Resource", Tree::text(machine.integration("aws-sdk:cloudwatchlogs:putLogEvents"))),
            ("Arguments", arguments),
            ("Catch", Tree::list([catch])),
            ("Next", Tree::text(next)),
        ]);
        machine.push(name, state.from(origin.clone()));
    }
    let unrecorded = Tree::map([
        ("Type", Tree::text("Fail")),
        ("Error", Tree::text("Unrecorded")),
        ("Cause", Tree::text("the call was made, and its record could not be written")),
    ]);
    machine.push("Unrecorded", unrecorded);
}

fn message(machine: &Machine<'_>) -> String {
    let call = machine.call;
    let members = [
        ("agent", jsonata::text(call.agent.name().as_str())),
        ("tool", jsonata::text(call.tool.name.value.as_str())),
        ("session", "$session".to_owned()),
        ("request", "$request".to_owned()),
        ("trace", "$trace".to_owned()),
        ("execution", "$states.context.Execution.Id".to_owned()),
        ("role", "$states.context.Execution.RoleArn".to_owned()),
        ("startedAt", "$states.context.Execution.StartTime".to_owned()),
        ("milliseconds", "$millis() - $toMillis($states.context.Execution.StartTime)".to_owned()),
        ("call", "$call".to_owned()),
        ("outcome", "$outcome".to_owned()),
        ("decidedBy", "$decidedBy".to_owned()),
        ("inputSha256", "$hash($string($input), 'SHA-256')".to_owned()),
    ];
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("{}: {value}", jsonata::text(name))).collect();
    format!("$string({{ {} }})", members.join(", "))
}
