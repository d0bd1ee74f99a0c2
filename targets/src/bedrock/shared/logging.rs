//! Where prompts and completions are logged: one configuration for each account and region.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::data_store::StoreKind;
use aipolicy_compiler::resolve::StorePlace;
use aipolicy_compiler::rule;

use crate::account::Account;
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address};
use crate::origin::Origin;
use crate::tree::Tree;

/// Says what becomes of traces: gates write their records where CloudWatch takes them, and nothing else is delivered.
pub(crate) fn check_traces(account: &Account<'_>, out: &mut Diagnostics) {
    let Some(named) = account.environment.spec.logging.as_ref().and_then(|logging| logging.traces.as_ref())
    else {
        return;
    };
    let message = if super::record_group(account).is_some() {
        "records of gates are written there; the target `observability` has AgentCore deliver logs there"
    } else {
        "gates write records to a log group only; their executions keep the decisions for 90 days"
    };
    let note = rule::APPROXIMATED.at(named.name.span, message, "Bedrock does this differently");
    out.report(Diagnostic { severity: Severity::Note, ..note });
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

/// The logging of the region in which the store for invocations is.
pub(crate) fn artifact(account: &Account<'_>, out: &mut Diagnostics) -> Option<Artifact> {
    let named = account.environment.spec.logging.as_ref()?.invocations.as_ref()?;
    let id = named.id()?;
    let grant = account.input.grants.grants().find(|grant| {
        let request = &grant.decision.request;
        request.object == Object::DataStore(id) && request.circumstances == Circumstances::Support("logs")
    })?;
    let store = account.graph().get(named)?;
    let StoreKind::S3(place) = &store.spec.kind else {
        let message = "invocations are logged to a bucket; a log group would need a role of its own";
        out.report(rule::UNSUPPORTED.at(named.name.span, message, "").help("name a store with `s3`"));
        return None;
    };
    let mut bucket = vec![(
        "bucketName",
        Tree::text(place.bucket.value.as_str()).from(Origin::written(place.bucket.span)),
    )];
    bucket.extend(
        place.prefix.as_ref().map(|prefix| {
            ("keyPrefix", Tree::text(prefix.value.as_str()).from(Origin::written(prefix.span)))
        }),
    );
    let all = || Tree::bool(true).from(account.default("bedrock.logging"));
    let config = Tree::map([
        ("s3Config", Tree::map(bucket)),
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
        needs: Vec::new(),
    };
    Some(request.artifact(&Origin::granted(grant)))
}
