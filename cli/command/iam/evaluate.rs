//! `aipolicy iam evaluate`.

use std::path::{Path, PathBuf};

use aipolicy_iam::{Caller, Decision, Policies, PrincipalKind, Request};

use super::decision::Told;
use super::file::{Source, text_of};
use super::role::Role;
use crate::error::{CliError, Exit};
use crate::ui::Ui;

/// Decides a request by policies, and says which statements decide
///
/// `aipolicy iam evaluate --role ROLE.json --action s3:GetObject --resource arn:aws:s3:::bucket/key`. What is decided
/// follows the "Policy evaluation logic" of the IAM User Guide: a `Deny` anywhere wins, and every kind of policy that is
/// handed in has to allow. A denial names the statement that came closest, and what it lacks.
///
/// The managed policies of a role are looked for in the folder `Policy` beside that of the role, as `build` writes them.
/// AWS sets many condition keys by itself; here the request has `aws:PrincipalArn` and `aws:PrincipalAccount` where the
/// principal says them, and whatever `--context` says. A resource whose ARN names no account is taken to be in that of
/// the caller, unless `aws:ResourceAccount` says otherwise. The root user of an account is not decided about.
///
/// Exit codes: 0 allowed, 1 the input cannot be understood or decided, 3 denied.
#[derive(clap::Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    policies: PolicyFiles,
    #[command(flatten)]
    request: RequestArgs,
    /// How the decision is written
    #[arg(long, value_enum, default_value_t)]
    format: DecisionFormat,
}

/// The policies that have a say.
#[derive(clap::Args)]
struct PolicyFiles {
    /// Policies of the caller; may be given several times
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// The role of the caller, with its policies and its permissions boundary
    #[arg(long, value_name = "FILE")]
    role: Option<PathBuf>,
    /// The permissions boundary of the caller
    #[arg(long, value_name = "FILE")]
    boundary: Option<PathBuf>,
    /// Policies that were passed when the session began; may be given several times
    #[arg(long, value_name = "FILE")]
    session: Vec<PathBuf>,
    /// Policies of the resource; may be given several times
    #[arg(long, value_name = "FILE")]
    resource_policy: Vec<PathBuf>,
    /// Service control policies of one level, separated by commas; given once for each level
    #[arg(long, value_name = "FILE,…")]
    scp: Vec<String>,
    /// Resource control policies of one level, separated by commas; given once for each level
    #[arg(long, value_name = "FILE,…")]
    rcp: Vec<String>,
}

/// The request.
#[derive(clap::Args)]
struct RequestArgs {
    /// The request as JSON: `{"principal": {"AWS": "…"}, "action": "…", "resource": "…", "context": {"key": "value"}}`; `-`
    /// is the standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["action", "resource", "principal", "context"])]
    request: Option<PathBuf>,
    /// What is done, such as `s3:GetObject`
    #[arg(long, required_unless_present = "request")]
    action: Option<String>,
    /// With what: an ARN, or `*` for actions without a resource
    #[arg(long, value_name = "ARN", required_unless_present = "request")]
    resource: Option<String>,
    /// Who does it: an ARN, or a service such as `bedrock.amazonaws.com`; the role without it
    #[arg(long, value_name = "ARN", value_parser = caller)]
    principal: Option<Caller>,
    /// A circumstance, for instance `aws:RequestedRegion=eu-central-1`; a key that is given several times has several
    /// values
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
}

/// How a decision is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DecisionFormat {
    /// For people.
    #[default]
    Text,
    /// `aipolicy.iam-decision/1`.
    Json,
}

impl Evaluate {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let mut all = Everything::default();
        let caller = self.policies.read(&mut all)?;
        if all.sources.is_empty() {
            let error = CliError::usage("there are no policies to decide by");
            return Err(error.hint("hand them in with `--role`, `--identity` or `--resource-policy`"));
        }
        let request = self.request.read(caller)?;
        let decision = all.policies.decide(&request);
        let told = Told::new(&request, &decision, &all.sources);
        ui.print(&match self.format {
            DecisionFormat::Text => told.text(),
            DecisionFormat::Json => told.json(),
        })?;
        match decision {
            Decision::Allowed { .. } => Ok(Exit::Clean),
            Decision::ExplicitDeny { .. } | Decision::ImplicitDeny { .. } => Ok(Exit::Refused),
            Decision::Undecided(why) => Err(CliError::usage(format!("this is not decided: {why}"))),
        }
    }
}

/// The policies, and where they stand.
#[derive(Default)]
struct Everything {
    policies: Policies,
    sources: Vec<Source>,
}

impl Everything {
    fn add(&mut self, sources: Vec<Source>, add: impl Fn(Policies, &Source) -> Policies) {
        for source in sources {
            self.policies = add(std::mem::take(&mut self.policies), &source);
            self.sources.push(source);
        }
    }
}

impl PolicyFiles {
    /// Reads every file, and returns the caller where a role says who it is.
    fn read(&self, all: &mut Everything) -> Result<Option<Caller>, CliError> {
        let identity =
            |policies: Policies, source: &Source| policies.identity(&source.label, source.document());
        let boundary =
            |policies: Policies, source: &Source| policies.boundary(&source.label, source.document());
        let session =
            |policies: Policies, source: &Source| policies.session(&source.label, source.document());
        let resource =
            |policies: Policies, source: &Source| policies.resource(&source.label, source.document());
        let mut caller = None;
        if let Some(path) = &self.role {
            let role = Role::read(path, &self.identity)?;
            all.add(role.policies, identity);
            all.add(role.boundary, boundary);
            caller = role.arn.map(Caller::aws);
        }
        for path in &self.identity {
            all.add(held(path)?, identity);
        }
        if let Some(path) = &self.boundary {
            all.add(held(path)?, boundary);
        }
        for path in &self.session {
            all.add(held(path)?, session);
        }
        for path in &self.resource_policy {
            all.add(Source::read(path)?, resource);
        }
        for files in &self.scp {
            let level = level(files)?;
            let documents = level.iter().map(|source| (source.label.clone(), source.document()));
            all.policies = std::mem::take(&mut all.policies).service_control(documents);
            all.sources.extend(level);
        }
        for files in &self.rcp {
            let level = level(files)?;
            let documents = level.iter().map(|source| (source.label.clone(), source.document()));
            all.policies = std::mem::take(&mut all.policies).resource_control(documents);
            all.sources.extend(level);
        }
        Ok(caller)
    }
}

/// The documents of a file but trust policies, which are of what holds the others.
fn held(path: &Path) -> Result<Vec<Source>, CliError> {
    let held: Vec<_> = Source::read(path)?.into_iter().filter(|source| !source.is_trust()).collect();
    if held.is_empty() {
        let error = CliError::usage(format!("`{}` has a trust policy alone", path.display()));
        return Err(error.hint("a role is handed in with `--role`"));
    }
    Ok(held)
}

fn level(files: &str) -> Result<Vec<Source>, CliError> {
    let read: Result<Vec<_>, _> = files.split(',').map(|file| Source::read(Path::new(file))).collect();
    Ok(read?.into_iter().flatten().collect())
}

impl RequestArgs {
    fn read(&self, role: Option<Caller>) -> Result<Request, CliError> {
        let mut request = match &self.request {
            Some(path) => serde_json::from_str(&text_of(path)?).map_err(|error| {
                let error = CliError::usage(format!("`{}` is no request: {error}", path.display()));
                error
                    .hint(r#"for instance {"action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key"}"#)
            })?,
            None => self.written(),
        };
        request.principal = request.principal.or(role);
        known(&request)?;
        Ok(with_principal_keys(request))
    }

    fn written(&self) -> Request {
        let (action, resource) = (self.action.as_deref(), self.resource.as_deref());
        let mut request = Request::new(action.unwrap_or_default(), resource.unwrap_or_default());
        request.principal = self.principal.clone();
        for (key, value) in &self.context {
            let mut values = request.context.values(key).to_vec();
            values.push(value.clone());
            request.context.set(key, values);
        }
        request
    }
}

/// Refuses what is no request, since a slip would look like a denial.
fn known(request: &Request) -> Result<(), CliError> {
    let is_action = request.action.split_once(':').is_some_and(|(service, name)| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !service.is_empty() && !name.is_empty() && service.chars().chain(name.chars()).all(is_word)
    });
    if !is_action {
        let error = CliError::usage(format!("`{}` is no action", request.action));
        return Err(error.hint("an action is one of a service, such as `s3:GetObject`"));
    }
    if request.resource != "*" && request.resource.split(':').count() < 6 {
        let error = CliError::usage(format!("`{}` is no resource", request.resource));
        return Err(error.hint("a resource is an ARN, or `*` for actions without one"));
    }
    Ok(())
}

/// With the condition keys that the principal says, where the request does not.
fn with_principal_keys(mut request: Request) -> Request {
    let Some(caller) = request.principal.clone().filter(|caller| caller.kind == PrincipalKind::Aws) else {
        return request;
    };
    let mut fields = caller.name.split(':');
    let (service, account) = (fields.nth(2).unwrap_or_default(), fields.nth(1).unwrap_or_default());
    let mut keys = vec![("aws:PrincipalAccount", account.to_owned())];
    // The ARN of a session does not say the path of its role.
    if service == "iam" {
        keys.push(("aws:PrincipalArn", caller.name.clone()));
    }
    for (key, value) in keys {
        if request.context.values(key).is_empty() && !value.is_empty() {
            request.context.set(key, [value]);
        }
    }
    request
}

fn caller(text: &str) -> Result<Caller, String> {
    let kind = match text {
        text if text.starts_with("arn:")
            && ["oidc-provider/", "saml-provider/"].iter().any(|one| text.contains(one)) =>
        {
            PrincipalKind::Federated
        }
        text if text.starts_with("arn:") => PrincipalKind::Aws,
        text if text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") => {
            PrincipalKind::Service
        }
        _ => return Err("a principal is an ARN, or a service such as `bedrock.amazonaws.com`".into()),
    };
    Ok(Caller { kind, name: text.to_owned() })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| key.contains(':'));
    let (key, value) = parts.ok_or("a circumstance is written like aws:RequestedRegion=eu-central-1")?;
    Ok((key.to_owned(), value.to_owned()))
}
