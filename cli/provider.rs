//! Which provider serves which documents of an environment, as the environment names them.

use std::collections::BTreeMap;
use std::sync::Arc;

use aipolicy_apply::{Local, Places, Provider, World};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::environment::{EnvironmentSpec, ProviderName, Providers};
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::source::Spanned;
use aipolicy_targets::artifact::Artifact;

use crate::error::CliError;
use crate::workspace::Workspace;

/// Providers by target, or by `target/Kind` where the documents of a target live in more than one world.
type Served = BTreeMap<String, Arc<dyn Provider>>;

/// The targets whose documents the provider `aws` applies.
const IN_AWS: [TargetName; 4] =
    [TargetName::Iam, TargetName::Bedrock, TargetName::Lambda, TargetName::Observability];

/// Documents that tell others what to do, and that no service takes.
#[cfg(feature = "aws")]
const FOR_OTHERS: [&str; 6] = [
    "bedrock/FunctionCode",
    "iam/BucketStatements",
    "iam/KeyStatements",
    "observability/GrafanaDashboard",
    "observability/PrometheusRules",
    "observability/PrometheusTests",
];

/// The world of an environment: the providers that it names, `local` where it names none; and beside them those where the
/// journal knows of something.
pub(crate) fn world(
    workspace: &Workspace,
    environment: &Resource<EnvironmentSpec>,
    (local, former): (&Arc<Local>, &Places),
) -> Result<(World, BTreeMap<String, String>), CliError> {
    let account = aws(workspace, environment, former);
    let served = serve(workspace, environment, (local, account.as_ref()))?;
    let names: BTreeMap<_, _> =
        served.iter().map(|(key, provider)| (key.clone(), provider.name().to_owned())).collect();
    let mut world = World::new(served);
    let was_there = former.values().any(|names| names.contains(ProviderName::Aws.word()));
    if was_there && !names.values().any(|name| name == ProviderName::Aws.word()) {
        let account = account.ok_or_else(|| {
            CliError::usage(
                "the journal knows of objects in AWS, and this binary was built without the provider `aws`",
            )
        })?;
        world.watch(account);
    }
    Ok((world, names))
}

fn serve(
    workspace: &Workspace,
    environment: &Resource<EnvironmentSpec>,
    (local, account): (&Arc<Local>, Option<&Arc<dyn Provider>>),
) -> Result<Served, CliError> {
    let mut served = Served::new();
    for target in TargetName::ALL {
        let named = environment.spec.providers.as_ref().and_then(|all| provider(all, *target));
        match named.map(|named| named.value) {
            None | Some(ProviderName::Local) => {
                served.insert(target.word().to_owned(), Arc::clone(local) as Arc<dyn Provider>);
            }
            Some(ProviderName::Aws) if IN_AWS.contains(target) => {
                let found = account.ok_or_else(|| left_out(workspace, named))?;
                served.extend(kinds(*target, found, local));
            }
            Some(ProviderName::Aws | ProviderName::Kubernetes | ProviderName::Git) => {
                return Err(refused(workspace, (*target, named)));
            }
        }
    }
    Ok(served)
}

/// The kinds of a target in an account, and beside it those that no service takes.
#[cfg(feature = "aws")]
fn kinds(target: TargetName, account: &Arc<dyn Provider>, local: &Arc<Local>) -> Served {
    let of_target = |kind: &&'static str| kind.split_once('/').is_some_and(|(own, _)| own == target.word());
    let own = aipolicy_apply::Aws::kinds().filter(of_target);
    let own = own.map(|kind| (kind.to_owned(), Arc::clone(account)));
    let others = FOR_OTHERS.iter().copied().filter(of_target);
    let others = others.map(|kind| (kind.to_owned(), Arc::clone(local) as Arc<dyn Provider>));
    own.chain(others).collect()
}

#[cfg(not(feature = "aws"))]
fn kinds(_: TargetName, _: &Arc<dyn Provider>, _: &Arc<Local>) -> Served {
    Served::new()
}

/// The account of an environment; nothing in a binary that was built without the provider.
#[cfg(feature = "aws")]
fn aws(
    workspace: &Workspace,
    environment: &Resource<EnvironmentSpec>,
    former: &Places,
) -> Option<Arc<dyn Provider>> {
    use aipolicy_apply::{Aws, AwsPlace};

    let account = &environment.spec.aws;
    let is_there = |target: &&TargetName| {
        let named = environment.spec.providers.as_ref().and_then(|all| provider(all, **target));
        let was_there =
            former.get(target.word()).is_some_and(|names| names.contains(ProviderName::Aws.word()));
        was_there || named.is_some_and(|named| named.value == ProviderName::Aws)
    };
    let of = workspace.graph().bundle().workspaces.first()?;
    let name = of.name().as_str();
    let prefix = of.spec.naming.as_ref().map_or(name, |naming| naming.prefix.value.as_str());
    Some(Arc::new(Aws::new(AwsPlace {
        partition: account.partition.as_ref().map_or("aws", |partition| partition.value.word()).to_owned(),
        account: account.account_id.value.as_str().to_owned(),
        region: account.regions.first()?.value.as_str().to_owned(),
        regions: account.regions.iter().map(|region| region.value.as_str().to_owned()).collect(),
        targets: TargetName::ALL
            .iter()
            .filter(|target| is_there(target))
            .map(|target| target.word())
            .collect(),
        workspace: name.to_owned(),
        environment: environment.name().as_str().to_owned(),
        prefix: format!("{prefix}-{}-", environment.name()),
    })))
}

#[cfg(not(feature = "aws"))]
fn aws(_: &Workspace, _: &Resource<EnvironmentSpec>, _: &Places) -> Option<Arc<dyn Provider>> {
    None
}

fn left_out(workspace: &Workspace, named: Option<&Spanned<ProviderName>>) -> CliError {
    let place = named.map_or_else(String::new, |named| workspace.place(named.span));
    let error = CliError::usage(format!("{place}: this binary was built without the provider `aws`"));
    error.hint("build it with the feature `aws`, which only `--no-default-features` leaves out")
}

fn provider(all: &Providers, target: TargetName) -> Option<&Spanned<ProviderName>> {
    match target {
        TargetName::Iam => all.iam.as_ref(),
        TargetName::Gateway => all.gateway.as_ref(),
        TargetName::Bedrock => all.bedrock.as_ref(),
        TargetName::Kubernetes => all.kubernetes.as_ref(),
        TargetName::Lambda => all.lambda.as_ref(),
        TargetName::Observability => all.observability.as_ref(),
    }
}

fn refused(workspace: &Workspace, (target, named): (TargetName, Option<&Spanned<ProviderName>>)) -> CliError {
    let word = named.map_or("", |named| named.value.word());
    let place = named.map_or_else(String::new, |named| workspace.place(named.span));
    let message =
        format!("{place}: this version has no provider `{word}` for the target `{}`", target.word());
    CliError::usage(message).hint("use `local`; `aipolicy build` writes the artifacts for other tools")
}

/// Refuses to plan documents that no provider of the environment applies.
pub(crate) fn all_served(name: &str, world: &World, artifacts: &[Artifact]) -> Result<(), CliError> {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for artifact in artifacts {
        let address = &artifact.document.address;
        if world.provider(address).is_err() {
            *left.entry(format!("{}/{}", address.target, address.kind)).or_default() += 1;
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let kinds: Vec<_> = left.iter().map(|(kind, count)| format!("{count} of `{kind}`")).collect();
    let message = format!("`{name}` has documents that its providers do not apply: {}", kinds.join(", "));
    Err(CliError::usage(message)
        .hint("use the provider `local` for their target; `aipolicy build` writes them for other tools"))
}
