//! What is granted or declared and IAM has no word for, with whoever holds it.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::{Action, Circumstances, Object, Principal};
use aipolicy_compiler::model::agent::AgentRuntime;
use aipolicy_compiler::model::model::ModelProvider;
use serde::Serialize;

use super::call::runtime;
use super::need::Needs;
use crate::control::{Capabilities, Control, declared};

/// Something that IAM does not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beside {
    /// How many there are.
    pub count: usize,
    /// What it is, in the words of the language.
    pub what: String,
    /// What holds it; nothing, where no target of the workspace does.
    pub held_by: Vec<String>,
}

/// What the grants of an environment mean that no permission says, and the controls that its resources declare.
pub(super) fn beside(needs: &Needs<'_>, targets: &[Capabilities]) -> Vec<Beside> {
    let mut grants: BTreeMap<(&str, &[&str]), usize> = BTreeMap::new();
    for grant in needs.account.input.grants.grants() {
        if let Some(holder) = holder(needs, grant) {
            *grants.entry((grant.decision.request.action.word(), holder)).or_default() += 1;
        }
    }
    let of_grant = |((action, holders), count): ((&str, &[&str]), usize)| Beside {
        count,
        what: action.to_owned(),
        held_by: holders.iter().map(|holder| (*holder).to_owned()).collect(),
    };
    let mut all: Vec<_> = grants.into_iter().map(of_grant).collect();
    all.extend(controls(needs, targets));
    all
}

fn controls(needs: &Needs<'_>, targets: &[Capabilities]) -> impl Iterator<Item = Beside> {
    let input = needs.account.input;
    let chosen: BTreeSet<_> = input.workspace.targets.iter().map(|target| target.value).collect();
    let able = |control: Control| {
        let able =
            targets.iter().filter(|(target, carried)| chosen.contains(target) && carried.contains(&control));
        able.map(|(target, _)| target.word().to_owned()).collect()
    };
    let told = |(control, count): (Control, usize)| Beside {
        count,
        what: format!("{} `{}`", control.kind().word(), control.field()),
        held_by: able(control),
    };
    declared(input).into_iter().map(told).collect::<Vec<_>>().into_iter()
}

/// Who holds what a grant says, where no permission of IAM does.
fn holder(needs: &Needs<'_>, grant: Grant<'_>) -> Option<&'static [&'static str]> {
    let graph = needs.account.graph();
    let request = &grant.decision.request;
    match (request.action, &request.object) {
        (Action::InvokeModel, Object::Model(id)) => match graph.resource(*id)?.spec.provider.value {
            ModelProvider::Bedrock | ModelProvider::BedrockMantle => None,
            ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => {
                Some(&["the gateway, which alone has the key of the provider"])
            }
        },
        (Action::ReadConnector | Action::WriteConnector, Object::Connector(id)) => {
            graph.resource(*id)?.spec.kind.mcp()?;
            Some(&["the policies of the gateway of the agent's tools"])
        }
        (Action::UseRoute, _) => Some(&["the gateway, by the key of whoever calls"]),
        (Action::RunOn | Action::UseNamespace, _) => Some(&["the admission policies of the cluster"]),
        (Action::StoreData, _) => {
            let memory = matches!(&request.circumstances, Circumstances::Storage(it) if it.place == "memory");
            (!memory).then_some(&["what is compiled: nobody chooses the place at run time"])
        }
        (Action::Delegate, _) => {
            let Principal::Agent(id) = request.principal else { return None };
            (runtime(graph.resource(id)?) == AgentRuntime::AgentCore).then_some(&[])
        }
        (
            Action::InvokeModel
            | Action::ReadConnector
            | Action::WriteConnector
            | Action::CallTool
            | Action::SupportRuntime
            | Action::Change,
            _,
        ) => None,
    }
}
