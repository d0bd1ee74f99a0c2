//! Workloads on Lambda: functions that run an image, the queue whose messages they take, and as many of them as quota and
//! budget keep busy.

mod workload;

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::workload::{Platform, WorkloadSpec};

use crate::account::Account;
use crate::artifact::Artifact;
use crate::capacity;
use crate::input::Input;
use workload::Writer;

/// Renders every function of the workloads of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let mut grants: BTreeMap<Principal, Vec<Grant<'_>>> = BTreeMap::new();
    for grant in input.grants.grants() {
        grants.entry(grant.decision.request.principal).or_default().push(grant);
    }
    let budgets = capacity::budgets(&account);
    let mut artifacts = Vec::new();
    for (id, workload) in account.graph().each::<WorkloadSpec>() {
        let Some(grants) = grants.get(&Principal::Workload(id)) else { continue };
        if workload.spec.platform.value != Platform::Lambda {
            continue;
        }
        let mut writer = Writer { account: &account, budgets: &budgets, workload, grants, out };
        artifacts.extend(writer.artifacts().unwrap_or_default());
    }
    artifacts
}
