//! What a role of the account may do, by the compiled policies of IAM.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_iam::Request;
use aipolicy_targets::effects::role;

use super::Can;
use crate::command::iam::decision::told;
use crate::error::{CliError, Exit};
use crate::ui::Ui;
use crate::workspace::Workspace;

impl Can {
    /// Asks the role of this name in each environment that has it.
    pub(super) fn by_role(&self, workspace: &Workspace, name: &str, ui: &mut Ui) -> Result<Exit, CliError> {
        let mut request = Request::new(self.action.clone(), self.resource.clone());
        for (key, value) in &self.context {
            let mut values = request.context.values(key).to_vec();
            values.push(value.clone());
            request.context.set(key, values);
        }
        let (mut text, mut exit, mut known) = (format!("Role/{name}: {request}\n"), Exit::Clean, false);
        for (id, environment) in workspace.environments(&self.workspace.view.environments)? {
            let artifacts = workspace
                .artifacts(id, &mut Diagnostics::default())
                .map_err(|why| CliError::usage(format!("`{environment}` has no policies: {why}")))?;
            let documents = artifacts.iter().map(|artifact| &artifact.document);
            let Some(role) = role(documents, name) else { continue };
            known = true;
            let decision = role.policies.decide(&request);
            if !decision.is_allowed() {
                exit = Exit::Refused;
            }
            text.push_str(&format!("{environment}: {}", told(&request, &decision)));
        }
        if !known {
            return Err(CliError::usage(format!("there is no role `{name}` in the account")));
        }
        ui.print(&text)?;
        Ok(exit)
    }
}
