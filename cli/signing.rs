//! Who signs plans, and whose signatures are trusted. Keys are read from files, and only their paths are ever told.

use std::path::{Path, PathBuf};

use aipolicy_compiler::model::workspace::PlanKey;
use aipolicy_targets::envelope::{self, EnvelopeError};
use aipolicy_targets::key::{PublicKey, SigningKey};
use aipolicy_targets::plan::Plan;

use crate::error::{CliError, Exit};
use crate::workspace::Workspace;

/// What a signed plan is, in its envelope.
const PLAN_TYPE: &str = "application/vnd.aipolicy.plan+json";
/// The file of the private key, where no argument names one.
const KEY_FILE: &str = "AIPOLICY_SIGN_KEY_FILE";
/// No key is as long as this, in bytes.
const LONGEST_KEY: u64 = 16 << 10;

/// The private key that signs.
#[derive(clap::Args)]
pub(crate) struct Signer {
    /// The file of a private key of Ed25519, in PEM; without it, the file that AIPOLICY_SIGN_KEY_FILE names
    #[arg(long, value_name = "KEY")]
    sign_key: Option<PathBuf>,
}

/// Keys that are trusted, whatever the workspace says.
#[derive(clap::Args)]
pub(crate) struct Verifier {
    /// A file with a public key of Ed25519, in PEM; may be given several times. Only plans that one of these keys has signed
    /// are applied, and the keys of the workspace do not count
    #[arg(long, value_name = "KEY")]
    verify_key: Vec<PathBuf>,
}

/// Whose signatures are trusted.
pub(crate) struct Trust {
    /// Nothing where nobody asks for signatures.
    keys: Option<Vec<PublicKey>>,
}

impl Signer {
    /// The key, if a file is named for one.
    pub(crate) fn key(&self) -> Result<Option<SigningKey>, CliError> {
        let variable = || std::env::var_os(KEY_FILE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let Some(file) = self.sign_key.clone().or_else(variable) else { return Ok(None) };
        let key = SigningKey::from_pem(&text_of(&file)?);
        let no_key = |why| CliError::usage(format!("`{}` does not sign: {why}", file.display()));
        key.map(Some).map_err(no_key)
    }
}

impl Verifier {
    /// The keys that were named; otherwise those of the workspace.
    pub(crate) fn trust(&self, workspace: &Workspace) -> Result<Trust, CliError> {
        if self.verify_key.is_empty() {
            return Trust::of(workspace);
        }
        let read = |file: &PathBuf| {
            let no_key = |why| CliError::usage(format!("`{}` does not verify: {why}", file.display()));
            PublicKey::from_pem(&text_of(file)?).map_err(no_key)
        };
        let keys: Result<Vec<_>, _> = self.verify_key.iter().map(read).collect();
        Ok(Trust { keys: Some(keys?) })
    }
}

impl Trust {
    /// The keys of a workspace. Where it asks for signatures and names no key, nothing is trusted.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self, CliError> {
        let spec = workspace.graph().bundle().workspaces.first().map(|found| &found.spec);
        let Some(plans) = spec.and_then(|spec| spec.plans.as_ref()) else { return Ok(Self { keys: None }) };
        let read = |key: &PlanKey| {
            let place = workspace.place(key.public_key.span);
            let no_key = |why| CliError::usage(format!("{place}: key `{}`: {why}", key.name.value));
            PublicKey::from_pem(&key.public_key.value.pem()).map_err(no_key)
        };
        Ok(Self { keys: Some(plans.keys.iter().map(read).collect::<Result<_, _>>()?) })
    }

    /// Whether plans have to be signed.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.keys.is_some()
    }

    /// Reads a saved plan. Where signatures are asked for it has to have one that is trusted.
    pub(crate) fn open(&self, file: &Path) -> Result<Plan, CliError> {
        let text = std::fs::read(file).map_err(|error| CliError::file("read", file, &error))?;
        let text = String::from_utf8(text);
        let Some(keys) = &self.keys else {
            let text = text.unwrap_or_default();
            if envelope::is_envelope(&text) {
                let error = CliError::usage(format!("`{}` is signed, and no key is trusted", file.display()));
                return Err(error.hint(
                    "name one with `--verify-key FILE`, or `plans: { keys: [...] }` of the workspace",
                ));
            }
            return read(&text)
                .map_err(|why| CliError::usage(format!("`{}` is not a plan: {why}", file.display())));
        };
        let opened = text.map_err(|_| EnvelopeError::Form("it is no text".into()));
        let opened = opened.and_then(|text| envelope::open(&text, PLAN_TYPE, keys));
        let refused = |why: String| {
            let error = CliError::findings(Exit::Stale, format!("the plan is refused: {why}"));
            error.hint("make a new one with `aipolicy plan -o FILE --sign-key KEY`")
        };
        let payload = opened.map_err(|error| refused(error.to_string()))?;
        read(&String::from_utf8_lossy(&payload)).map_err(refused)
    }

    /// Requires that a key is one of those that are trusted, where any are.
    pub(crate) fn includes(&self, key: &SigningKey) -> Result<(), CliError> {
        let public = key.public();
        if self.keys.as_ref().is_none_or(|keys| keys.contains(&public)) {
            return Ok(());
        }
        let error = CliError::usage(format!("the key that signs, {}, is not trusted here", public.id()));
        Err(error.hint("its public key belongs into `plans: { keys: [...] }` of the workspace"))
    }

    /// Requires that whoever applies without a saved plan could have signed one.
    pub(crate) fn unsaved(&self, signer: &Signer) -> Result<(), CliError> {
        if !self.is_asked_for() {
            return Ok(());
        }
        let Some(key) = signer.key()? else {
            let error = CliError::findings(Exit::Stale, "only signed plans are applied here");
            return Err(error.hint(
                "`aipolicy plan -o FILE --sign-key KEY` and then `aipolicy apply --plan FILE`; or `aipolicy apply --sign-key KEY`",
            ));
        };
        self.includes(&key)
    }
}

/// The saved form of a plan, signed where there is a key.
pub(crate) fn saved(plan: &Plan, key: Option<&SigningKey>) -> String {
    let text = plan.to_json();
    key.map_or_else(|| text.clone(), |key| envelope::sign(PLAN_TYPE, text.as_bytes(), key))
}

fn read(text: &str) -> Result<Plan, String> {
    Plan::from_json(text)
}

fn text_of(file: &Path) -> Result<String, CliError> {
    use std::io::Read as _;

    let failed = |error: std::io::Error| CliError::file("read", file, &error);
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    let read = opened.take(LONGEST_KEY).read_to_string(&mut text);
    read.map_err(failed)?;
    Ok(text)
}
