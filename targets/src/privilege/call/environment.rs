//! Calls of services that an environment lets act: Bedrock writes its log, AWS Budgets stops calls, a function writes its
//! own log, and a workload takes its work from a queue.
//!
//! Sources: Bedrock user guide, "Model invocation logging"; AWS Budgets user guide, "Configuring budget actions"; KEDA,
//! AWS SQS queue.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::data_store::{DataStoreSpec, StoreKind};
use aipolicy_compiler::model::workload::{Consumes, Platform, WorkloadSpec};

use super::super::need::{Calls, Needs};
use super::trust;
use crate::billing::{ROLE, Stop};

const WRITE_LOG: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];

/// The log of invocations, which Bedrock writes to one stream of a group.
pub(super) fn invocations<'a>(all: &mut Needs<'a>, store: &Resource<DataStoreSpec>, grant: Grant<'a>) {
    if let StoreKind::CloudWatch(group) = &store.spec.kind {
        let names = [group.log_group.value.as_str()];
        let site = ("logs", store.spec.region.value.as_str());
        let stream = all.own(site, "log-group:{}:log-stream:aws/bedrock/modelinvocations", &names);
        let role = all.account.role(&["invocations"]);
        all.add(&role, grant, Calls::of(WRITE_LOG).on(stream));
        let source = all.own(("bedrock", site.1), "*", &[]);
        let bedrock = trust::service(all, "bedrock.amazonaws.com", source);
        all.assumed(&role, grant, bedrock);
    }
}

/// A budget attaches its own policy to those whom it stops, and takes it away again.
pub(super) fn stop<'a>(all: &mut Needs<'a>, stop: &Stop<'a>) {
    let account = all.account;
    let (path, name) = (account.path(), account.stop(stop.budget));
    let roles = stop.roles.iter().map(|role| all.own(("iam", ""), "role{}{}", &[&path, role]));
    let calls = Calls::of(&["iam:AttachRolePolicy", "iam:DetachRolePolicy"]);
    let calls = roles.fold(calls, Calls::on);
    let policy = all.own(("iam", ""), "policy{}{}", &[&path, &name]).unwrap_or_default();
    let role = account.role(ROLE);
    all.add(&role, stop.grant, calls.when("ArnEquals", "iam:PolicyARN", [policy]));
    let source = all.own(("budgets", ""), "budget/*", &[]);
    let budgets = trust::service(all, "budgets.amazonaws.com", source);
    all.assumed(&role, stop.grant, budgets);
}

/// The log of a workload that is a function.
pub(super) fn own_log<'a>(all: &mut Needs<'a>, workload: &Resource<WorkloadSpec>, grant: Grant<'a>) {
    if workload.spec.platform.value == Platform::Lambda {
        let name = all.account.workload(workload).unwrap_or_default();
        let site = ("logs", home(all));
        let streams = all.own(site, "log-group:/aws/lambda/{}:log-stream:*", &[&name]);
        let role = all.role_of(grant.decision.request.principal);
        all.add(&role, grant, Calls::of(WRITE_LOG).on(streams));
    }
}

/// The queue that a workload takes its work from.
pub(super) fn consumed<'a>(all: &mut Needs<'a>, workload: &Resource<WorkloadSpec>, grant: Grant<'a>) {
    if let Some(Consumes::Sqs(queue)) = &workload.spec.consumes {
        let graph = all.account.graph();
        let cluster = workload.spec.cluster.as_ref().and_then(|cluster| graph.get(cluster));
        let region = cluster.map_or_else(|| home(all), |cluster| cluster.spec.region.value.as_str());
        let take = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
        let calls = Calls::of(&take).on(all.own(("sqs", region), "{}", &[queue.value.as_str()]));
        let role = all.role_of(grant.decision.request.principal);
        all.add(&role, grant, calls);
    }
}

/// The region in which something runs that names none.
fn home<'a>(needs: &Needs<'a>) -> &'a str {
    needs.account.environment.spec.aws.regions.first().map_or("", |region| region.value.as_str())
}
