//! Where prompts and completions are logged: one configuration for each account and region.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::data_store::{S3Place, StoreKind};
use aipolicy_compiler::resolve::StorePlace;
use aipolicy_compiler::rule;

use crate::account::Account;
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address, role};
use crate::origin::Origin;
use crate::tree::Tree;

/// Says what becomes of traces: machines write records to a log group of their own region, and nothing else is delivered.
pub(crate) fn check_traces(account: &Account<'_>, out: &mut Diagnostics) {
    let Some(named) = account.environment.spec.logging.as_ref().and_then(|logging| logging.traces.as_ref())
    else {
        return;
    };
    let Some(store) = account.graph().get(named) else { return };
    let mut note = |message: &str| {
        let note = rule::APPROXIMATED.at(named.name.span, message, "Bedrock does this differently");
        out.report(Diagnostic { severity: Severity::Note, ..note });
    };
    let home = store.spec.region.value.as_str();
    if account.records(home).is_none() {
        note(
            "records of calls are written to a log group only; executions of gates keep the decisions for 90 days",
        );
        return;
    }
    note("records of calls are written there; the target `observability` has AgentCore deliver logs there");
    for (agent, grants) in account.agents() {
        let region = account.region_of(agent);
        let runs = grants.iter().any(|grant| matches!(grant.decision.request.object, Object::Tool(..)));
        if runs && region != home {
            note(&format!("calls of agent `{}` are not recorded, since it runs in {region}", agent.name()));
        }
    }
}

/// Says what the key of a store for sessions is used for. What AgentCore holds while a session lasts takes none.
pub(crate) fn check_sessions(account: &Account<'_>, out: &mut Diagnostics) {
    for named in &account.environment.spec.stores {
        let Some(store) = account.graph().get(named) else { continue };
        let stated = store.spec.encryption.is_some() || store.spec.retention.is_some();
        if StorePlace::of(&store.spec.kind) == Some(StorePlace::Session) && stated {
            let message = "the key is for histories of executions, approvals and Agents Classic; what AgentCore holds while \
                           a session lasts takes neither a key nor a retention, and histories stay for 90 days";
            let note = rule::APPROXIMATED.at(named.name.span, message, "Bedrock does this differently");
            out.report(Diagnostic { severity: Severity::Note, ..note });
        }
    }
}

/// The logging of the region in which the store for invocations is: to a bucket, or to a log group with a role that writes
/// there.
pub(crate) fn artifact(account: &Account<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let named = account.environment.spec.logging.as_ref()?.invocations.as_ref()?;
    let id = named.id()?;
    let grant = account.input.grants.grants().find(|grant| {
        let request = &grant.decision.request;
        request.object == Object::DataStore(id) && request.circumstances == Circumstances::Support("logs")
    })?;
    let store = account.graph().get(named)?;
    let (place, needs) = match &store.spec.kind {
        StoreKind::S3(place) => (bucket(place), Vec::new()),
        StoreKind::CloudWatch(group) => {
            let (role, address) = role(account, &["invocations"]);
            let name = Tree::text(group.log_group.value.as_str()).from(Origin::written(group.log_group.span));
            let config = Tree::map([("logGroupName", name), ("roleArn", role)]);
            (("cloudWatchConfig", config), vec![address])
        }
        StoreKind::Xray(_) | StoreKind::Cache(_) | StoreKind::Memory(_) | StoreKind::Session(_) => {
            let message = "invocations are logged to a bucket or a log group";
            let help = "name a store with `s3` or `cloudWatch`";
            out.report(rule::UNSUPPORTED.at(named.name.span, message, "").help(help));
            return None;
        }
    };
    let all = || Tree::bool(true).from(account.default("bedrock.logging"));
    let config = Tree::map([
        place,
        ("textDataDeliveryEnabled", all()),
        ("imageDataDeliveryEnabled", all()),
        ("embeddingDataDeliveryEnabled", all()),
        ("videoDataDeliveryEnabled", all()),
        ("audioDataDeliveryEnabled", all()),
    ]);
    let region = store.spec.region.value.as_str().to_owned();
    let request = Request {
        address: address("InvocationLogging", account.name(&[&region], usize::MAX)),
        region: (region, Origin::written(store.spec.region.span)),
        members: vec![("loggingConfig", config)],
        needs,
    };
    Some(request.artifact(&Origin::granted(grant)))
}

fn bucket(place: &S3Place) -> (&'static str, Tree) {
    let name = Tree::text(place.bucket.value.as_str()).from(Origin::written(place.bucket.span));
    // Bedrock puts a stroke between the prefix and `AWSLogs`.
    let written = place.prefix.as_ref();
    let folder = written.map(|prefix| (prefix.value.as_str().trim_end_matches('/'), prefix.span));
    let folder = folder.filter(|(text, _)| !text.is_empty());
    let prefix = folder.map(|(text, span)| ("keyPrefix", Tree::text(text).from(Origin::written(span))));
    ("s3Config", Tree::map([("bucketName", name)].into_iter().chain(prefix)))
}
