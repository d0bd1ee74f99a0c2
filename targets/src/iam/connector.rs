//! Permissions on connectors: the actions that a way of access needs, on exactly what the connector names.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::ir::{Action, Object, Principal};
use aipolicy_compiler::model::connector::{
    ConnectorKind, ConnectorSpec, DynamoDbSource, S3Source, ServerAuth,
};
use aipolicy_compiler::model::workload::Consumes;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;
use aipolicy_iam::Piece;

use super::Writer;
use super::condition::Condition;
use super::policy::Allow;
use crate::origin::Origin;

const S3_READ: &[&str] = &["s3:GetObject"];
const S3_LIST: &[&str] = &["s3:ListBucket"];
const S3_WRITE: &[&str] = &["s3:AbortMultipartUpload", "s3:PutObject"];
const S3_DELETE: &[&str] = &["s3:DeleteObject"];
const TABLE_READ: &[&str] =
    &["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"];
const TABLE_DESCRIBE: &[&str] = &["dynamodb:DescribeTable"];
const TABLE_WRITE: &[&str] =
    &["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
const INDEX_READ: &[&str] = &["dynamodb:Query"];
const FUNCTION: &[&str] = &["lambda:InvokeFunction"];
const SECRET_READ: &[&str] = &["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
const SECRET_WRITE: &[&str] = &["secretsmanager:PutSecretValue"];
const COLLECTION: &[&str] = &["aoss:APIAccessAll"];
const VECTORS_READ: &[&str] = &["s3vectors:GetIndex", "s3vectors:GetVectors", "s3vectors:QueryVectors"];
const VECTORS_WRITE: &[&str] = &["s3vectors:DeleteVectors", "s3vectors:PutVectors"];
const RETRIEVE: &[&str] = &["bedrock:Retrieve"];
const QUEUE_READ: &[&str] = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
const QUEUE_WRITE: &[&str] = &["sqs:SendMessage"];
const MACHINE_START: &[&str] = &["states:StartExecution"];
const MACHINE_READ: &[&str] = &["states:DescribeStateMachine"];
const KEY_READ: &[&str] = &["kms:Decrypt"];
const KEY_WRITE: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// A granted use of a connector.
struct Use<'g> {
    connector: &'g Resource<ConnectorSpec>,
    write: bool,
    tenant: Option<&'g str>,
    origin: Origin,
}

impl<'w> Writer<'w> {
    /// What a granted use of a connector needs.
    pub(super) fn connector(&mut self, grant: Grant<'w>) -> Vec<Allow> {
        let Some(used) = self.used(grant) else { return Vec::new() };
        let kind = &used.connector.spec.kind;
        let mut allows = if let ConnectorKind::S3(bucket) = kind {
            self.bucket(&used, bucket)
        } else if let ConnectorKind::DynamoDb(table) = kind {
            self.table(&used, table)
        } else if used.connector.spec.partition.is_some() {
            self.cannot_partition(&used)
        } else if used.write && matches!(kind, ConnectorKind::KnowledgeBase(_)) {
            self.cannot_write(&used)
        } else if kind.http().is_some() || kind.mcp().is_some() {
            return self.server_of_workload(&used);
        } else {
            self.single(&used, kind)
        };
        if let Some(network) = &used.connector.spec.network {
            let endpoint = network.vpc_endpoint.value.as_str();
            let condition =
                Condition::equals("aws:SourceVpce", endpoint, Origin::written(network.vpc_endpoint.span));
            allows.iter_mut().for_each(|allow| allow.conditions.push(condition.clone()));
        }
        allows.extend(self.key(&used));
        allows
    }

    fn used(&self, grant: Grant<'w>) -> Option<Use<'w>> {
        let request = &grant.decision.request;
        let Object::Connector(id) = request.object else { return None };
        Some(Use {
            connector: self.account.graph().resource(id)?,
            write: request.action == Action::WriteConnector,
            tenant: request.tenant.map(|tenant| self.account.graph().name(tenant)),
            origin: Origin::granted(grant),
        })
    }

    fn cannot_partition(&mut self, used: &Use<'_>) -> Vec<Allow> {
        let span = used.connector.spec.partition.as_ref().map_or(used.origin.span, |part| part.key.span);
        let message = "IAM cannot keep tenants apart inside a connector of this kind".to_owned();
        self.refuse::<()>(span, message, "give each tenant a connector of its own");
        Vec::new()
    }

    fn cannot_write(&mut self, used: &Use<'_>) -> Vec<Allow> {
        let message = "a knowledge base is written through its sources, not by a tool".to_owned();
        self.refuse::<()>(used.origin.span, message, "write to the connector that is its source");
        Vec::new()
    }

    /// A server is called without IAM. What is asked for and a workload cannot do there is refused; whatever calls a
    /// server for an agent says so itself.
    fn server_of_workload(&mut self, used: &Use<'_>) -> Vec<Allow> {
        let Principal::Workload(_) = self.principal else { return Vec::new() };
        if let Some(network) = &used.connector.spec.network {
            let message =
                "a workload calls a server by its address, and not through a VPC endpoint".to_owned();
            self.refuse::<()>(network.vpc_endpoint.span, message, "leave `network` out of the connector");
        }
        if let Some(ServerAuth::Connection(arn)) = used.connector.spec.kind.auth() {
            let message = "a workload cannot use the credential of a connection of EventBridge".to_owned();
            self.refuse::<()>(
                arn.span,
                message,
                "give the server a connector of its own, with `auth: { secret: … }`",
            );
        }
        Vec::new()
    }

    /// IAM has one right for a whole collection. No tool of an agent searches one.
    fn note_collection(&mut self, used: &Use<'_>) {
        let Principal::Workload(_) = self.principal else { return };
        let message = format!(
            "IAM has one right for reading and writing all of `{}`; its data access policy tells them and its indexes apart, \
             and is not written by us",
            used.connector.name()
        );
        let note = rule::APPROXIMATED.at(used.origin.span, message, "IAM does this differently");
        self.out.report(Diagnostic { severity: Severity::Note, ..note });
    }

    /// Objects below the prefixes of a bucket, of the tenant alone where the bucket is partitioned.
    fn bucket(&mut self, used: &Use<'_>, source: &S3Source) -> Vec<Allow> {
        let bucket = (source.bucket.value.as_str(), source.bucket.span);
        let Some(own) = self.pattern("s3", ("", ""), (&[Piece::Literal(bucket.0)], bucket.1)) else {
            return Vec::new();
        };
        let prefixes = prefixes(used, source);
        let mut objects = Vec::new();
        for (prefix, span) in &prefixes {
            let pieces =
                [Piece::Literal(bucket.0), Piece::Literal("/"), Piece::Literal(prefix), Piece::AnyRun];
            let pieces: Vec<_> = pieces.into_iter().filter(|piece| *piece != Piece::Literal("")).collect();
            let arn = self.pattern("s3", ("", ""), (&pieces, *span));
            objects.extend(arn.map(|arn| (arn, Origin::written(*span))));
        }
        if used.write {
            let mut allows = vec![used.allow("Write", S3_WRITE, objects.clone())];
            if source.delete.as_ref().is_some_and(|word| word.value) {
                allows.push(used.allow("Delete", S3_DELETE, objects));
            }
            return allows;
        }
        let mut list = used.allow("List", S3_LIST, vec![(own, Origin::written(bucket.1))]);
        if prefixes.iter().any(|(prefix, _)| !prefix.is_empty()) {
            let values = prefixes.iter().map(|(prefix, span)| (format!("{prefix}*"), Origin::written(*span)));
            list.conditions.push(Condition::any("StringLike", "s3:prefix", values));
        }
        vec![used.allow("Read", S3_READ, objects), list]
    }

    /// Items of a table and its indexes, of the tenant alone where the table is partitioned. `Scan` is never among
    /// them: it does not know the key that keeps tenants apart.
    fn table(&mut self, used: &Use<'_>, source: &DynamoDbSource) -> Vec<Allow> {
        let region = used.region();
        let name = &source.table;
        let table = format!("table/{}", name.value);
        let Some(arn) = self.arn("dynamodb", region, (&table, name.span)) else { return Vec::new() };
        let own = vec![(arn, Origin::written(name.span))];
        let mut allows = if used.write {
            vec![used.allow("Write", TABLE_WRITE, own)]
        } else {
            let mut indexes = Vec::new();
            for index in &source.indexes {
                let resource = format!("{table}/index/{}", index.value);
                let arn = self.arn("dynamodb", region, (&resource, index.span));
                indexes.extend(arn.map(|arn| (arn, Origin::written(index.span))));
            }
            let mut found = vec![used.allow("Read", TABLE_READ, own)];
            if !indexes.is_empty() {
                found.push(used.allow("Query", INDEX_READ, indexes));
            }
            found
        };
        allows.iter_mut().for_each(|allow| allow.conditions.extend(used.leading_keys()));
        if !used.write {
            let arn = allows.first().map(|allow| allow.resources.clone()).unwrap_or_default();
            allows.push(used.allow("Describe", TABLE_DESCRIBE, arn));
        }
        allows
    }

    /// A connector that is one resource.
    fn single(&mut self, used: &Use<'_>, kind: &ConnectorKind) -> Vec<Allow> {
        let region = used.region();
        let own = |resource: String, span: Span| (resource, span);
        let (service, (resource, span), actions) = match kind {
            ConnectorKind::Lambda(tool) => {
                let qualifier =
                    tool.qualifier.as_ref().map_or_else(String::new, |found| format!(":{}", found.value));
                (
                    "lambda",
                    own(format!("function:{}{qualifier}", tool.function.value), tool.function.span),
                    FUNCTION,
                )
            }
            ConnectorKind::SecretsManager(source) => return self.secret(used, &source.secret),
            ConnectorKind::OpenSearch(source) => {
                self.note_collection(used);
                (
                    "aoss",
                    own(format!("collection/{}", source.collection.value), source.collection.span),
                    COLLECTION,
                )
            }
            ConnectorKind::S3Vectors(source) => {
                let resource = format!("bucket/{}/index/{}", source.bucket.value, source.index.value);
                ("s3vectors", own(resource, source.index.span), used.choose(VECTORS_READ, VECTORS_WRITE))
            }
            ConnectorKind::KnowledgeBase(base) => {
                ("bedrock", own(format!("knowledge-base/{}", base.id.value), base.id.span), RETRIEVE)
            }
            ConnectorKind::Sqs(queue) => (
                "sqs",
                own(queue.queue.value.to_string(), queue.queue.span),
                used.choose(QUEUE_READ, QUEUE_WRITE),
            ),
            ConnectorKind::StepFunctions(machine) => {
                let resource = format!("stateMachine:{}", machine.state_machine.value);
                (
                    "states",
                    own(resource, machine.state_machine.span),
                    used.choose(MACHINE_READ, MACHINE_START),
                )
            }
            ConnectorKind::Http(_)
            | ConnectorKind::Mcp(_)
            | ConnectorKind::S3(_)
            | ConnectorKind::DynamoDb(_) => {
                return Vec::new();
            }
        };
        let arn = self.arn(service, region, (&resource, span));
        let verb = if used.write { "Write" } else { "Read" };
        arn.map(|arn| used.allow(verb, actions, vec![(arn, Origin::written(span))])).into_iter().collect()
    }

    /// A secret by name: the service adds six characters to it.
    fn secret(
        &mut self,
        used: &Use<'_>,
        name: &aipolicy_compiler::source::Spanned<aipolicy_compiler::model::value::Text>,
    ) -> Vec<Allow> {
        let mut pieces =
            vec![Piece::Literal("secret:"), Piece::Literal(name.value.as_str()), Piece::Literal("-")];
        pieces.extend([Piece::AnyOne; 6]);
        let arn = self.pattern("secretsmanager", (used.region(), self.account.id()), (&pieces, name.span));
        let verb = if used.write { "Write" } else { "Read" };
        let actions = used.choose(SECRET_READ, SECRET_WRITE);
        arn.map(|arn| used.allow(verb, actions, vec![(arn, Origin::written(name.span))]))
            .into_iter()
            .collect()
    }

    /// The key that content is encrypted with, only through the service that holds the content. Vectors are written with
    /// the data key of their bucket. Source: S3 user guide, data protection and encryption in S3 Vectors.
    fn key(&self, used: &Use<'_>) -> Option<Allow> {
        let key = &used.connector.spec.encryption.as_ref()?.kms_key_arn;
        let both = used.choose(KEY_READ, KEY_WRITE);
        let (service, actions) = match &used.connector.spec.kind {
            ConnectorKind::S3(_) => ("s3", both),
            ConnectorKind::DynamoDb(_) => ("dynamodb", both),
            ConnectorKind::Sqs(_) => ("sqs", both),
            ConnectorKind::SecretsManager(_) => ("secretsmanager", both),
            ConnectorKind::S3Vectors(_) => ("s3vectors", KEY_READ),
            ConnectorKind::Lambda(_)
            | ConnectorKind::OpenSearch(_)
            | ConnectorKind::KnowledgeBase(_)
            | ConnectorKind::StepFunctions(_)
            | ConnectorKind::Http(_)
            | ConnectorKind::Mcp(_) => return None,
        };
        let origin = Origin::written(key.span);
        let mut allow = used.allow("Key", actions, vec![(key.value.as_str().into(), origin.clone())]);
        let via = format!("{service}.{}.amazonaws.com", used.region());
        allow.conditions.push(Condition::equals("kms:ViaService", via, origin));
        Some(allow)
    }

    /// The right to put messages into a queue, without a grant of its own: what follows from one that is named.
    pub(super) fn written_by(&mut self, queue: &Ref<ConnectorSpec>, origin: Origin) -> Vec<Allow> {
        let account = self.account;
        let Some(connector) = account.graph().get(queue) else { return Vec::new() };
        if !matches!(connector.spec.kind, ConnectorKind::Sqs(_)) {
            let message = format!("`{}` is no queue", queue.name.value);
            self.refuse::<()>(queue.name.span, message, "name a connector of the kind `sqs`");
            return Vec::new();
        }
        let used = Use { connector, write: true, tenant: None, origin };
        let mut allows = self.single(&used, &connector.spec.kind);
        allows.extend(self.key(&used));
        allows
    }

    /// The queue that a workload takes its work from.
    pub(super) fn consumed(&mut self, grant: Grant<'w>) -> Option<Allow> {
        let Principal::Workload(id) = self.principal else { return None };
        let workload = self.account.graph().resource(id)?;
        let Consumes::Sqs(queue) = workload.spec.consumes.as_ref()?;
        let cluster = workload.spec.cluster.as_ref().and_then(|cluster| self.account.graph().get(cluster));
        let first = self.account.environment.spec.aws.regions.first();
        let region = cluster.map(|cluster| &cluster.spec.region).or(first)?;
        let arn = self.arn("sqs", region.value.as_str(), (queue.value.as_str(), queue.span))?;
        Some(Allow {
            sid: format!("Consume {}", queue.value),
            about: queue.value.to_string(),
            actions: QUEUE_READ,
            resources: vec![(arn, Origin::written(queue.span))],
            conditions: Vec::new(),
            origin: Origin::granted(grant),
        })
    }
}

/// The prefixes of a bucket that are meant; where tenants share it, each has its name below every prefix.
fn prefixes(used: &Use<'_>, source: &S3Source) -> Vec<(String, Span)> {
    let written: Vec<_> = match source.prefixes.as_slice() {
        [] => vec![(String::new(), source.bucket.span)],
        some => some.iter().map(|prefix| (prefix.value.to_string(), prefix.span)).collect(),
    };
    match (&used.connector.spec.partition, used.tenant) {
        (Some(_), Some(tenant)) => {
            written.into_iter().map(|(prefix, span)| (format!("{prefix}{tenant}/"), span)).collect()
        }
        _ => written,
    }
}

impl Use<'_> {
    fn region(&self) -> &str {
        self.connector.spec.region.value.as_str()
    }

    fn choose(
        &self,
        read: &'static [&'static str],
        write: &'static [&'static str],
    ) -> &'static [&'static str] {
        if self.write { write } else { read }
    }

    fn allow(&self, verb: &str, actions: &'static [&'static str], resources: Vec<(String, Origin)>) -> Allow {
        let sid = format!("{verb} {}", self.connector.name());
        let about = self.connector.name().to_string();
        Allow { sid, about, actions, resources, conditions: Vec::new(), origin: self.origin.clone() }
    }

    /// Items of the tenant alone. `ForAllValues` holds when the key is absent, so `Null` demands that it is there.
    fn leading_keys(&self) -> Vec<Condition> {
        let (Some(partition), Some(tenant)) = (&self.connector.spec.partition, self.tenant) else {
            return Vec::new();
        };
        let condition = |operator, value: &str| {
            Condition::new(operator, "dynamodb:LeadingKeys", value, Origin::written(partition.key.span))
        };
        vec![condition("ForAllValues:StringEquals", tenant), condition("Null", "false")]
    }
}
