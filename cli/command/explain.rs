//! `aipolicy explain`.

use aipolicy_compiler::authorize::{SHIPPED, ShippedPolicy};
use aipolicy_iam::lint;

use crate::error::{CliError, Exit};
use crate::ui::Ui;

/// Explains a kind of finding, or a policy that ships
///
/// Prints the page of a rule, by its code or name, or of a shipped Cedar policy, by its `@id`: what is wrong, an
/// example of it, and what to write instead. Without a code it lists all of them.
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// For instance `AIP-LNG-001`, `unknown-field`, or the id of a policy
    code: Option<String>,
}

impl Explain {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let text = match &self.code {
            None => list(),
            Some(code) => page(code)?.to_owned(),
        };
        ui.print(&format!("{}\n", text.trim_end()))?;
        Ok(Exit::Clean)
    }
}

fn page(code: &str) -> Result<&'static str, CliError> {
    let id = code.trim_start_matches('@');
    let rule = aipolicy_compiler::find_rule(code).map(|rule| rule.page);
    let lint = || lint::find_rule(code).map(|rule| rule.page);
    let policy = || SHIPPED.iter().find(|policy| self::id(policy) == id).map(|policy| policy.page);
    rule.or_else(lint).or_else(policy).ok_or_else(|| {
        let rules = aipolicy_compiler::rules().flat_map(|rule| [rule.code, rule.name]);
        let rules = rules.chain(lint::RULES.iter().flat_map(|rule| [rule.code, rule.name]));
        let error = CliError::usage(format!("nothing is known about `{code}`"));
        match aipolicy_compiler::nearest(id, rules.chain(SHIPPED.iter().map(self::id))) {
            Some(near) => error.hint(format!("`{near}` is the nearest; `aipolicy explain` lists all")),
            None => {
                error.hint("`aipolicy explain` lists all; policies of your own are explained in their files")
            }
        }
    })
}

fn list() -> String {
    let rules = aipolicy_compiler::rules().map(|rule| format!("{:<14} {}\n", rule.code, rule.name));
    let policies = SHIPPED.iter().map(|policy| format!("{:<14} {}\n", policy.pack.word(), id(policy)));
    let lint = lint::RULES.iter().map(|rule| format!("{:<14} {}\n", rule.code, rule.name));
    rules.chain(lint).chain(policies).collect()
}

/// What a shipped policy states as its `@id`.
fn id(policy: &'static ShippedPolicy) -> &'static str {
    let stated = policy.text.split_once("@id(\"").and_then(|(_, rest)| rest.split_once('"'));
    stated.map_or("", |(id, _)| id)
}
