//! `aipolicy import`.

use aipolicy_apply::{Free, Options};
use aipolicy_targets::plan::Plan;
use similar::TextDiff;

use super::apply::release;
use super::{Elsewhere, plan};
use crate::error::{CliError, Exit};
use crate::load::load;
use crate::revision::head;
use crate::signing::{Signer, Verifier};
use crate::ui::{Ui, harmless};
use crate::waiting::block_on;
use crate::world::{Adoptable, Place, Planned};

/// Brings an object that others made under the care of an environment
///
/// What does not carry the mark of this workspace and environment is never changed or removed, and is in the way of what would
/// have its name (AIP-CMP-006). This is the only way to it: the object gets the mark, is read back, and is left as it is
/// otherwise. What the sources want of it besides is an update in the next plan. What is a part of it becomes ours with it, so
/// parts that the sources do not ask for are removed by the next apply; its plan tells them.
///
/// ADDRESS is that of a document which the sources compile, as `aipolicy plan` prints it, for instance
/// `iam/Role/acme-prod-agent-invoice-bot`. ID is what the world calls the object: its ARN, its id or its name; in a world of the
/// provider `local`, its file. It must have the name (in IAM also the path, which nobody can change) and be in the region that
/// the document asks for, since a later plan finds it by nothing else. An object with the mark of another workspace or
/// environment, or of a stack of CloudFormation, is refused. Kinds without a mark of their own cannot be imported: parts belong
/// to whoever has the whole, and settings are ours once they say what the sources want.
///
/// It is a release like any other: it needs the lock, policies are asked as about an update, it is journaled before and after,
/// and an interrupted one is repaired by the next release. Where signed plans are asked for, `--sign-key` shows that whoever
/// imports could have signed.
///
/// Exit codes: 0 imported, or ours already, 1 the input cannot be understood, there is no such object, or its kind carries no
/// mark, 3 the object is that of others or not what the document asks for, or a policy refuses, 4 an approval or a change window
/// is missing, 5 the state is stale or a signature is missing, 6 somebody else is applying.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// The document, as `target/Kind/name`
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// What the world calls the object
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    workspace: Elsewhere,
    #[command(flatten)]
    signer: Signer,
    #[command(flatten)]
    verifier: Verifier,
    /// Does not ask
    #[arg(long)]
    yes: bool,
}

impl Import {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let Elsewhere { folder, view } = &self.workspace;
        let workspace = load(folder, view.as_of)?;
        plan::judged(&workspace, ui)?;
        self.verifier.trust(&workspace)?.unsaved(&self.signer)?;
        let mut place = match workspace.environments(&view.environments)?.as_slice() {
            [one] => Place::open(&workspace, *one)?,
            many => {
                let names: Vec<_> = many.iter().map(|(_, name)| format!("`{name}`")).collect();
                let error = CliError::usage("an object is imported into one environment");
                return Err(error.hint(format!("name it with `-e`: {}", names.join(", "))));
            }
        };
        let (planned, free) = match block_on(place.adoption(&self.address, &self.id))?? {
            Adoptable::Ours => {
                ui.print(&format!("{} is ours already: nothing to do\n", harmless(&self.address)))?;
                return Ok(Exit::Clean);
            }
            Adoptable::Free(found) => *found,
        };
        ui.print(&told(&planned, &free))?;
        let approved = release::approved(&workspace, planned, ui)?;
        release::agree((self.yes, "Import this object?"), ui)?;
        let options = Options { revision: head(&workspace.root), ..release::options(&workspace) };
        let done = release::carry_out(&mut place, (&approved, options), ui)?;
        ui.print(&format!("`aipolicy plan -e {}` shows what the sources want of it besides\n", place.name))?;
        Ok(done)
    }
}

fn told(planned: &Planned, free: &Free) -> String {
    let Plan { workspace, environment, .. } = &planned.plan;
    let address = &free.found.address;
    let mut text = format!(
        "{workspace} · {environment}\n\n  = adopt {address}\n    it is {}\n    it gets {}, and is left as it is otherwise\n",
        harmless(&free.object),
        harmless(&free.mark)
    );
    for line in TextDiff::from_lines(&free.found.text, &free.marked.text).unified_diff().to_string().lines() {
        text.push_str(&format!("    {}\n", harmless(line)));
    }
    text.push('\n');
    text
}
