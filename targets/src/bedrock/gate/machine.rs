//! The machine of a tool: check the input, ask whoever decides, make the call, keep a record. Whatever goes wrong
//! before the call ends the execution with nothing called.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::agent::Gate;

use super::{approve, invoke, record, verify};
use crate::account::{Account, is_gated};
use crate::artifact::{Address, Artifact};
use crate::bedrock::request::{self, Request};
use crate::bedrock::shared;
use crate::bedrock::tool::{Call, jsonata};
use crate::origin::Origin;
use crate::tree::Tree;

/// What the execution may take beside the time in which somebody decides.
const SECONDS: u64 = 300;

/// A state with its name.
pub(super) type State = (String, Tree);

/// The states of a machine as they are put together, and what they have in common.
pub(super) struct Machine<'m> {
    pub(super) account: &'m Account<'m>,
    pub(super) call: &'m Call<'m>,
    pub(super) states: Vec<State>,
    /// Seconds that the states before the call may wait for an answer.
    pub(super) waits: u64,
    /// Documents that must exist before the machine.
    pub(super) needs: Vec<Address>,
}

/// The state machine of a tool, as a request to create it; nothing, with a report, where its call cannot be made.
pub(crate) fn artifact(account: &Account<'_>, call: &Call<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let mut machine = Machine { account, call, states: Vec::new(), waits: SECONDS, needs: Vec::new() };
    let name = account.machine(call.agent, call.tool)?;
    machine.build(out)?;
    let (role, role_address) = request::role(account, &machine.role_words());
    let kind = if is_gated(call.tool) { "STANDARD" } else { "EXPRESS" };
    let definition = machine.definition();
    let mut members = vec![
        ("name", Tree::text(&name).from(account.default("origin.name"))),
        ("definition", definition),
        ("roleArn", role),
        ("type", Tree::text(kind).from(account.default("bedrock.machineType"))),
    ];
    members.extend(history(account, call).map(|history| ("encryptionConfiguration", history)));
    members.push(("tags", shared::lower_tags(account)));
    let shares = machine.keeps_records() && !is_gated(call.tool);
    let mut needs = machine.needs;
    needs.push(role_address);
    needs.extend(shared::calls_address(account, call.agent).filter(|_| shares));
    let region =
        (account.region_of(call.agent).to_owned(), shared::function::region_origin(account, call.agent));
    let address = request::address("StateMachine", name);
    Some(Request { address, region, members, needs }.artifact(&call.origin))
}

/// The history of executions holds inputs and answers, and is encrypted like them. Express executions have none.
fn history(account: &Account<'_>, call: &Call<'_>) -> Option<Tree> {
    let key = is_gated(call.tool).then(|| account.history_key(call.agent, call.connector))??;
    let tree = Tree::map([
        ("kmsKeyId", Tree::text(key.value.as_str())),
        ("kmsDataKeyReusePeriodSeconds", Tree::integer(300).from(account.default("bedrock.historyKey"))),
        ("type", Tree::text("CUSTOMER_MANAGED_KMS_KEY")),
    ]);
    Some(tree.from(Origin::written(key.span)))
}

impl Machine<'_> {
    /// The words in the name of the role that the machine runs with.
    fn role_words(&self) -> Vec<&str> {
        let agent = self.call.agent.name().as_str();
        if is_gated(self.call.tool) {
            vec!["gate", agent, self.call.tool.name.value.as_str()]
        } else {
            vec!["tools", agent]
        }
    }

    fn build(&mut self, out: &mut Diagnostics) -> Option<()> {
        let invocation = invoke::task(self, out);
        self.receive();
        record::open(self);
        let gate = self.call.tool.gate.as_ref().map(|gate| (&gate.value, gate.span));
        match gate {
            Some((Gate::Approval(approval), span)) => {
                self.validate("Approve1");
                approve::states(self, (approval, span), out)?;
            }
            Some((Gate::Verify(verification), span)) => {
                self.validate("Verify");
                verify::states(self, (verification, span), out)?;
            }
            Some((Gate::Confirm, _)) | None => self.validate("Call"),
        }
        let task = invocation?;
        self.call(task);
        Some(())
    }

    fn definition(&mut self) -> Tree {
        let states = std::mem::take(&mut self.states);
        let default = |name: &str| self.account.default(name);
        Tree::map([
            (
                "Comment",
                Tree::text(format!("Calls {} for {}", self.call.tool.name.value, self.call.agent.name())),
            ),
            ("QueryLanguage", Tree::text("JSONata").from(default("bedrock.queryLanguage"))),
            ("StartAt", Tree::text("Receive").from(default("bedrock.machine"))),
            ("TimeoutSeconds", Tree::integer(self.waits).from(default("bedrock.machineTimeout"))),
            ("States", Tree::map(states).from(default("bedrock.machine"))),
        ])
    }

    /// Puts the input into a variable.
    fn receive(&mut self) {
        let next = if self.opens_records() { "OpenRecord" } else { "Validate" };
        let mut variables = vec![("input", Tree::text("{% $states.input.input %}"))];
        if self.keeps_records() {
            variables.extend([("decidedBy", Tree::list([])), ("outcome", Tree::text("none"))]);
            variables.push(("call", Tree::map::<String>([])));
            variables.extend(record::ids());
        }
        let state = Tree::map([
            ("Type", Tree::text("Pass")),
            ("Assign", Tree::map(variables)),
            ("Next", Tree::text(next)),
        ]);
        self.push("Receive", state);
    }

    pub(super) fn push(&mut self, name: impl Into<String>, state: Tree) {
        self.states.push((name.into(), state));
    }

    /// Refuses what the schema or a limit does not allow. A condition that cannot be evaluated ends the execution.
    fn validate(&mut self, next: &str) {
        let rules = self.call.conditions().into_iter().map(|condition| {
            let refused = jsonata::template(&format!("$not({})", condition.expression));
            let origin = Origin::written(condition.span);
            let mut rule = vec![("Comment", Tree::text(&condition.says)), ("Condition", Tree::text(refused))];
            rule.extend(self.refusal(&jsonata::text(&condition.says)));
            Tree::map(rule).from(origin)
        });
        let state = Tree::map([
            ("Type", Tree::text("Choice")),
            ("Choices", Tree::list(rules.collect::<Vec<_>>())),
            ("Default", Tree::text(next)),
        ]);
        self.push("Validate", state);
    }

    /// How a state goes on when the answer is no: what is noted, and where it leads.
    pub(super) fn refusal(&self, why: &str) -> [(&'static str, Tree); 2] {
        let next = if self.keeps_records() { "RecordRefusal" } else { "Refused" };
        [("Assign", Tree::map([("outcome", Tree::text(jsonata::template(why)))])), ("Next", Tree::text(next))]
    }

    /// What every task does about errors and time that runs out.
    pub(super) fn catch(&self, why: &str) -> Tree {
        let mut catch = vec![("ErrorEquals", Tree::list([Tree::text("States.ALL")]))];
        catch.extend(self.refusal(&jsonata::text(why)));
        Tree::list([Tree::map(catch)])
    }

    /// The call, and how the execution ends.
    fn call(&mut self, task: invoke::Task) {
        let records = self.keeps_records();
        let next = if records { "RecordCall" } else { "Done" };
        let cause = jsonata::template(&jsonata::text("the call failed, or its answer was lost"));
        let timing = || records.then(|| ("call", record::timing()));
        let called =
            [("result", Tree::text(jsonata::template(task.result))), ("outcome", Tree::text("called"))];
        let lost = [("outcome", Tree::text(cause))];
        let failed = Tree::list([Tree::map([
            ("ErrorEquals", Tree::list([Tree::text("States.ALL")])),
            ("Assign", Tree::map(lost.into_iter().chain(timing()))),
            ("Next", Tree::text(if records { "RecordFailure" } else { "Failed" })),
        ])]);
        let state = Tree::map([
            ("Type", Tree::text("Task")),
            ("Resource", Tree::text(task.resource)),
            ("Arguments", task.arguments),
            ("TimeoutSeconds", Tree::integer(60).from(self.account.default("bedrock.callTimeout"))),
            ("Assign", Tree::map(called.into_iter().chain(timing()))),
            ("Catch", failed),
            ("Next", Tree::text(next)),
        ]);
        self.push("Call", state.from(self.call.used.clone()));
        if records {
            record::states(self);
        }
        let done = Tree::map([
            ("Type", Tree::text("Succeed")),
            ("Output", Tree::map([("result", Tree::text("{% $result %}"))])),
        ]);
        self.push("Done", done);
        for (name, error) in [("Refused", "Refused"), ("Failed", "CallFailed")] {
            let state = Tree::map([
                ("Type", Tree::text("Fail")),
                ("Error", Tree::text(error)),
                ("Cause", Tree::text("{% $outcome %}")),
            ]);
            self.push(name, state);
        }
    }

    /// Whether calls are written down.
    pub(super) fn keeps_records(&self) -> bool {
        shared::record_group(self.account, self.call.agent).is_some()
    }

    /// Whether a record is opened before anything happens, since somebody decides.
    pub(super) fn opens_records(&self) -> bool {
        is_gated(self.call.tool) && self.keeps_records()
    }

    /// A resource of Step Functions, for instance `lambda:invoke`.
    pub(super) fn integration(&self, name: &str) -> String {
        format!("arn:{}:states:::{name}", self.account.partition.as_str())
    }
}
