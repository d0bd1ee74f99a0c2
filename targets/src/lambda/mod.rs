//! Workloads on Lambda: functions that run an image, the queue whose messages they take, and as many of them as quota and
//! budget keep busy.

mod workload;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::Principal;
use aipolicy_compiler::model::workload::Platform;

use crate::account::Account;
use crate::artifact::Artifact;
use crate::input::Input;
use workload::Writer;

/// Renders every function of the workloads of an environment.
pub(crate) fn render(input: Input<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(account) = Account::of(input) else { return Vec::new() };
    let mut artifacts = Vec::new();
    for (principal, grants) in input.grants.by_principal() {
        let Principal::Workload(id) = principal else { continue };
        let Some(workload) = account.graph().resource(id) else { continue };
        if workload.spec.platform.value != Platform::Lambda {
            continue;
        }
        let mut writer = Writer { account: &account, workload, grants: &grants, out };
        artifacts.extend(writer.artifacts().unwrap_or_default());
    }
    artifacts
}
