//! `aipolicy prove least-privilege`.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use aipolicy_targets::artifact::{Artifact, Document};
use aipolicy_targets::capabilities;
use aipolicy_targets::privilege::{Beside, Ineffective, Proof, Unused, prove};
use serde_json::{Value, json};

use super::{Claimed, Named, ProofFormat, Told, tell};
use crate::command::Folder;
use crate::error::{CliError, Exit};
use crate::findings::counted;
use crate::output::Outputs;
use crate::ui::{Ui, harmless};
use crate::waiting::block_on;
use crate::workspace::Workspace;
use crate::world::Place;

/// Proves that roles may do what was granted, and nothing else
///
/// What a grant needs is derived beside the compiler, from what AWS documents about each call, and compared with what the
/// compiled policies allow, over every request. So each permission is used by a grant, and each grant can be carried
/// out. What IAM has no word for, such as the inputs of a tool, is listed with what holds it.
///
/// With `--actual`, what is there is compared instead of what is compiled: a permission that somebody added by hand is
/// one that no grant needs.
///
/// Exit codes: 0 proven, 1 the input cannot be understood, 3 broken or not proven.
#[derive(clap::Args)]
pub(crate) struct LeastPrivilege {
    #[command(flatten)]
    workspace: Folder,
    /// Compares what the world holds
    #[arg(long)]
    actual: bool,
    #[command(flatten)]
    outputs: Outputs<ProofFormat>,
}

const CLAIMED: Claimed =
    Claimed { format: "aipolicy.least-privilege/1", rules: rule::OF_PRIVILEGE, what: "least privilege" };

/// The roles of an environment beside its grants.
struct Compared<'w> {
    workspace: &'w Workspace,
    environment: &'w str,
    /// The name of the environment where it is written.
    named: Span,
    artifacts: Vec<Artifact>,
    proof: Proof,
}

impl LeastPrivilege {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let Self { workspace, actual, outputs } = self;
        tell(ui, (&workspace, outputs), &CLAIMED, |workspace, named| {
            Ok(Box::new(Compared::of(workspace, named, actual)?))
        })
    }
}

impl Told for Compared<'_> {
    fn holds(&self) -> bool {
        self.proof.holds()
    }

    fn text(&self) -> String {
        let Proof { roles, policies, grants, needs, unused, ineffective, not_proven, beside } = &self.proof;
        let colour = if self.holds() { "32" } else { "31" };
        let head = format!(
            "{}: least privilege \x1b[{colour}m{}\x1b[0m\n",
            self.environment,
            self.verdict().to_uppercase()
        );
        let mut text = format!(
            "  {policies} policies of {} hold {}; {} need {}\n",
            counted(*roles, "role"),
            if self.holds() { "what is needed and nothing else" } else { "something else" },
            counted(*grants, "grant"),
            counted(*needs, "statement"),
        );
        text.extend(unused.iter().map(|unused| self.unused(unused)));
        text.extend(ineffective.iter().map(|ineffective| self.ineffective(ineffective)));
        text.extend(not_proven.iter().map(|why| format!("  ? {why}\n")));
        if !beside.is_empty() {
            text.push_str("  what IAM does not decide is held by others:\n");
            text.extend(beside.iter().map(line));
        }
        head + &harmless(&text)
    }

    fn json(&self) -> Value {
        let Proof { roles, policies, grants, needs, unused, ineffective, not_proven, beside } = &self.proof;
        let unused = unused.iter().map(|one| {
            let pointer = pointer(&one.policy, one.statement);
            json!({
                "role": one.role,
                "policy": one.policy,
                "statement": pointer,
                "askedAt": self.origin(&one.policy, &pointer),
                "witness": one.witness,
            })
        });
        let ineffective = ineffective.iter().map(|one| {
            json!({
                "role": one.role,
                "grant": one.grant,
                "grantedAt": self.workspace.place(one.span),
                "witness": one.witness,
            })
        });
        json!({
            "environment": self.environment,
            "verdict": self.verdict(),
            "roles": roles,
            "policies": policies,
            "grants": grants,
            "needs": needs,
            "unused": unused.collect::<Vec<_>>(),
            "ineffective": ineffective.collect::<Vec<_>>(),
            "notProven": not_proven,
            "beside": beside,
        })
    }

    fn report(&self, out: &mut Diagnostics) {
        let Proof { unused, ineffective, not_proven, .. } = &self.proof;
        let environment = self.environment;
        for Unused { role, policy, statement, witness } in unused {
            let pointer = pointer(policy, *statement);
            let (span, label) = match self.asked(policy, &pointer) {
                Some(span) => (span, "asked for here"),
                None => (self.named, "in this environment"),
            };
            let message =
                format!("role `{role}` of `{environment}` may use {witness}, and no grant needs it");
            let found = rule::PERMISSION_UNNEEDED.at(span, message, label);
            out.report(found.note(format!("allowed by `{policy}#{pointer}`")));
        }
        for Ineffective { role, span, grant, witness } in ineffective {
            let message =
                format!("role `{role}` of `{environment}` may not use {witness}, and `{grant}` needs it");
            out.report(rule::PERMISSION_MISSING.at(*span, message, "granted here"));
        }
        for why in not_proven {
            let message = format!("least privilege of `{environment}` is not proven: {why}");
            out.report(rule::NOT_PROVEN.at(self.named, message, "in this environment"));
        }
    }
}

impl<'w> Compared<'w> {
    fn of(workspace: &'w Workspace, (id, environment): Named<'w>, actual: bool) -> Result<Self, CliError> {
        let refused = |why: String| {
            CliError::findings(Exit::Refused, format!("nothing is proven of `{environment}`: {why}"))
                .hint("`aipolicy check` shows every finding")
        };
        let artifacts = workspace.artifacts(id, &mut Diagnostics::default()).map_err(refused)?;
        let documents: Vec<Document> = if actual {
            block_on(Place::open(workspace, (id, environment))?.observed())??
        } else {
            artifacts.iter().map(|artifact| artifact.document.clone()).collect()
        };
        let grants = workspace.grants(id).map_err(refused)?;
        let proof = prove(grants, &workspace.sources, &documents, &capabilities());
        let proof = proof.ok_or_else(|| refused("it has no account".into()))?;
        let named = workspace.graph().resource(id).map(|found| found.name_span());
        let named = named.ok_or_else(|| refused("it is not there".into()))?;
        Ok(Self { workspace, environment, named, artifacts, proof })
    }

    fn verdict(&self) -> &'static str {
        let Proof { unused, ineffective, .. } = &self.proof;
        match (self.holds(), unused.is_empty() && ineffective.is_empty()) {
            (true, _) => "proved",
            (false, true) => "not proven",
            (false, false) => "broken",
        }
    }

    fn unused(&self, Unused { role, policy, statement, witness }: &Unused) -> String {
        let pointer = pointer(policy, *statement);
        let asked = self.origin(policy, &pointer).map(|place| format!("\n      asked for at {place}"));
        format!(
            "  + {role}: {witness} is allowed, and no grant needs it\n      by {policy}#{pointer}{}\n",
            asked.unwrap_or_default()
        )
    }

    fn ineffective(&self, Ineffective { role, span, grant, witness }: &Ineffective) -> String {
        let quoted = self.workspace.quoted("granted at", *span);
        format!(
            "  - {role}: {witness} is denied, and `{grant}` needs it\n    {}",
            quoted.replace("\n  ", "\n      ")
        )
    }

    /// The line that a statement was compiled from, where it is one that was compiled.
    fn origin(&self, policy: &str, pointer: &str) -> Option<String> {
        self.asked(policy, pointer).map(|span| self.workspace.place(span))
    }

    fn asked(&self, policy: &str, pointer: &str) -> Option<Span> {
        let artifact = self.artifacts.iter().find(|one| one.document.address.to_string() == policy)?;
        let value: Value = serde_json::from_str(&artifact.document.text).ok()?;
        value.pointer(pointer)?;
        Some(artifact.trace.at(pointer)?.span)
    }
}

/// Where a statement stands in a document: that of a role is its trust policy.
fn pointer(policy: &str, statement: usize) -> String {
    let member = if policy.starts_with("iam/Role/") { "AssumeRolePolicyDocument" } else { "PolicyDocument" };
    format!("/{member}/Statement/{statement}")
}

/// A line about what others hold.
fn line(Beside { count, what, held_by }: &Beside) -> String {
    let by = if held_by.is_empty() { "nothing".to_owned() } else { held_by.join(", ") };
    format!("    {count:>5} {what}: {by}\n")
}
