//! `aipolicy iam`.

mod compare;
pub(super) mod decision;
mod evaluate;
mod explain;
mod file;
mod lint;
mod role;
mod subject;
mod words;

use crate::error::{CliError, Exit};
use crate::ui::Ui;

/// Understands policies of IAM, whoever wrote them
///
/// Files hold a policy document, what `build` writes, or what `aws iam get-policy-version`, `aws iam get-role`,
/// `aws s3api get-bucket-policy` and the like print. No workspace is needed, and nothing is asked of AWS.
#[derive(clap::Args)]
pub(crate) struct IamArgs {
    #[command(subcommand)]
    question: Question,
}

/// What can be asked about policies.
#[derive(clap::Subcommand)]
enum Question {
    Compare(compare::Compare),
    Evaluate(Box<evaluate::Evaluate>),
    Explain(explain::Explain),
    Lint(lint::Lint),
}

impl IamArgs {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        match self.question {
            Question::Compare(compare) => compare.run(ui),
            Question::Evaluate(evaluate) => evaluate.run(ui),
            Question::Explain(explain) => explain.run(ui),
            Question::Lint(lint) => lint.run(ui),
        }
    }
}
