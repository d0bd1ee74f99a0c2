//! What services write for an environment, and what lets them: into buckets, and under keys.

use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::Ref;
use aipolicy_compiler::model::data_store::{DataStoreSpec, S3Place, StoreKind};
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_iam::Piece;

use crate::account::Account;
use crate::iam::Writer;
use crate::iam::condition::Condition;
use crate::iam::statement::{Statement, Who};
use crate::origin::Origin;

/// A store that a service writes to.
pub(super) struct Log<'a> {
    pub(super) named: &'a Ref<DataStoreSpec>,
    pub(super) spec: &'a DataStoreSpec,
    word: Word,
    /// The grant to write there.
    pub(super) origin: Origin,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invocations,
    Traces,
    Spans,
    Audit,
}

/// The stores that services were granted to write to, as far as a target of the workspace has them write there.
pub(super) fn logs<'a>(account: &Account<'a>) -> Vec<Log<'a>> {
    let Some(logging) = &account.environment.spec.logging else { return Vec::new() };
    let has = |name: TargetName| account.input.workspace.targets.iter().any(|target| target.value == name);
    let (bedrock, watched) = (has(TargetName::Bedrock), has(TargetName::Observability));
    let all = [
        (Word::Invocations, &logging.invocations, bedrock || watched),
        (Word::Traces, &logging.traces, watched),
        (Word::Spans, &logging.spans, watched),
        (Word::Audit, &logging.audit, watched),
    ];
    let logs = all.into_iter().filter(|(.., made)| *made).filter_map(|(word, named, _)| {
        let named = named.as_ref()?;
        let id = named.id()?;
        let grant = account.input.grants.grants().find(|grant| {
            let request = &grant.decision.request;
            let is_log = request.circumstances == Circumstances::Support("logs");
            is_log && request.object == Object::DataStore(id) && request.span == named.name.span
        })?;
        let spec = &account.graph().get(named)?.spec;
        Some(Log { named, spec, word, origin: Origin::granted(grant) })
    });
    logs.collect()
}

impl<'a> Log<'a> {
    pub(super) fn bucket(&self) -> Option<&'a S3Place> {
        if let StoreKind::S3(place) = &self.spec.kind { Some(place) } else { None }
    }

    fn region(&self) -> &'a str {
        self.spec.region.value.as_str()
    }

    /// The service that writes to a bucket, and the conditions that tell for whom.
    fn service(&self, account: &Account<'_>) -> Option<(&'static str, Vec<Condition>)> {
        let guard = || account.default("iam.confusedDeputy");
        let own = Condition::equals("aws:SourceAccount", account.id(), guard());
        let source = |operator, arn: String| Condition::new(operator, "aws:SourceArn", arn, guard());
        let region = self.region();
        let (service, source) = match self.word {
            Word::Invocations => {
                ("bedrock.amazonaws.com", source("ArnLike", account.arn("bedrock", region, "*")))
            }
            Word::Traces => {
                let sources = account.arn("logs", region, "delivery-source:*");
                ("delivery.logs.amazonaws.com", source("ArnLike", sources))
            }
            Word::Audit => {
                let trail = account.arn("cloudtrail", region, &format!("trail/{}", account.trail()?));
                ("cloudtrail.amazonaws.com", source("ArnEquals", trail))
            }
            Word::Spans => return None,
        };
        Some((service, vec![own, source]))
    }

    /// What the policy of the bucket has to allow; nothing, with a report, where IAM cannot name it. Sources: the guides of
    /// CloudTrail, of Bedrock (model invocation logging) and of CloudWatch Logs (logging that requires additional
    /// permissions, V2).
    pub(super) fn bucket_statements(&self, writer: &mut Writer<'_>) -> Option<Vec<Statement>> {
        let account = writer.account;
        let (Some(place), Some((service, conditions))) = (self.bucket(), self.service(account)) else {
            return Some(Vec::new());
        };
        let (bucket, objects) = (writer.bucket_arn(&place.bucket)?, self.objects(writer, place)?);
        let said = |sid: &str, action: &str, resource: (String, Origin)| {
            Statement::allowance(sid, &[action], vec![resource], self.origin.clone())
                .about(Who::Service(service.to_owned()))
                .when(conditions.clone())
        };
        let full = (self.word != Word::Invocations).then(|| {
            let origin = account.default("iam.logDelivery");
            Condition::equals("s3:x-amz-acl", "bucket-owner-full-control", origin)
        });
        let write = said(self.sid("Write"), "s3:PutObject", objects).when(full);
        let check = (self.word == Word::Audit).then(|| said("Check audit", "s3:GetBucketAcl", bucket));
        Some(check.into_iter().chain([write]).collect())
    }

    /// The ARN of what is written.
    fn objects(&self, writer: &mut Writer<'_>, place: &S3Place) -> Option<(String, Origin)> {
        let span = place.prefix.as_ref().map_or(place.bucket.span, |prefix| prefix.span);
        let folder = place.prefix.as_ref().map(|prefix| prefix.value.as_str().trim_end_matches('/'));
        let mut pieces = vec![Piece::Literal(place.bucket.value.as_str()), Piece::Literal("/")];
        if let Some(folder) = folder.filter(|folder| !folder.is_empty()) {
            pieces.extend([Piece::Literal(folder), Piece::Literal("/")]);
        }
        pieces.extend([Piece::Literal("AWSLogs/"), Piece::Literal(writer.account.id())]);
        let within = if self.word == Word::Invocations { "/BedrockModelInvocationLogs/" } else { "/" };
        pieces.extend([Piece::Literal(within), Piece::AnyRun]);
        Some((writer.pattern("s3", ("", ""), (&pieces, span))?, Origin::written(span)))
    }

    fn sid(&self, verb: &'static str) -> &'static str {
        match (verb, self.word) {
            ("Write", Word::Invocations) => "Write invocations",
            ("Write", Word::Traces) => "Write traces",
            ("Write", Word::Spans) => "Write spans",
            ("Write", Word::Audit) => "Write audit",
            (_, Word::Invocations) => "Encrypt invocations",
            (_, Word::Traces) => "Encrypt traces",
            (_, Word::Spans) => "Encrypt spans",
            (_, Word::Audit) => "Encrypt audit",
        }
    }

    /// What the key of the store has to allow. Sources: the guides of CloudTrail (key policies), of CloudWatch Logs
    /// (encrypt log data) and of Bedrock.
    pub(super) fn key_statements(&self, writer: &mut Writer<'_>) -> Vec<Statement> {
        let Some(encryption) = &self.spec.encryption else { return Vec::new() };
        let (account, key) = (writer.account, &encryption.kms_key_arn);
        let said = |sid: &str, service: &str, actions: &[&str]| {
            let resource = (key.value.as_str().to_owned(), Origin::written(key.span));
            Statement::allowance(sid, actions, vec![resource], self.origin.clone())
                .about(Who::Service(service.to_owned()))
        };
        let sid = self.sid("Encrypt");
        if let Some((group, origin)) = self.group(account) {
            let pieces = [Piece::Literal("log-group:"), Piece::Literal(group)];
            let place = (&pieces[..], origin.span);
            let arn = writer.pattern("logs", (self.region(), account.id()), place);
            let context = "kms:EncryptionContext:aws:logs:arn";
            let context = arn.map(|arn| Condition::new("ArnEquals", context, arn, origin));
            let service = format!("logs.{}.amazonaws.com", self.region());
            return context
                .map(|context| said(sid, &service, LOG_GROUP).when([context]))
                .into_iter()
                .collect();
        }
        let Some((service, conditions)) = self.bucket().and_then(|_| self.service(account)) else {
            return Vec::new();
        };
        match self.word {
            Word::Invocations => vec![said(sid, service, GENERATE).when(conditions)],
            Word::Traces => vec![said(sid, service, DELIVERY).when(conditions)],
            Word::Audit => {
                let Some(trail) = account.trail() else { return Vec::new() };
                // A trail of every region names its files by the region that they are about.
                let arn = account.arn("cloudtrail", "*", &format!("trail/{trail}"));
                let context = "kms:EncryptionContext:aws:cloudtrail:arn";
                let context = Condition::new("StringLike", context, arn, account.default("origin.name"));
                let encrypt = said(sid, service, GENERATE).when(conditions.clone()).when([context]);
                vec![encrypt, said("Describe for audit", service, TRAIL).when(conditions)]
            }
            Word::Spans => Vec::new(),
        }
    }

    /// The log group that the store is, and where that is said.
    fn group(&self, account: &Account<'_>) -> Option<(&'a str, Origin)> {
        match &self.spec.kind {
            StoreKind::CloudWatch(group) => {
                Some((group.log_group.value.as_str(), Origin::written(group.log_group.span)))
            }
            StoreKind::Xray(_) => Some(("aws/spans", account.default("traces.spans"))),
            StoreKind::S3(_) | StoreKind::Cache(_) | StoreKind::Memory(_) | StoreKind::Session(_) => None,
        }
    }
}

const LOG_GROUP: &[&str] = &[
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];
const DELIVERY: &[&str] = &[
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];
const GENERATE: &[&str] = &["kms:GenerateDataKey"];
/// A bucket with a key for itself has the trail decrypt that key.
const TRAIL: &[&str] = &["kms:Decrypt", "kms:DescribeKey"];
