//! Calls of connectors: what each way of access asks of the service behind it.
//!
//! Sources: service authorization reference of each service; DynamoDB developer guide, "Using IAM policy conditions";
//! KMS developer guide, `kms:ViaService`.

use aipolicy_compiler::ir::{AccessRequest, Action};
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec, DynamoDbSource, S3Source};
use aipolicy_iam::ArnError;

use super::super::need::{Calls, Needs};

/// A use of a connector.
pub(super) struct Use<'u> {
    connector: &'u ConnectorSpec,
    write: bool,
    /// The tenant whose part alone is meant, where tenants share the connector.
    part: Option<&'u str>,
}

impl<'u> Use<'u> {
    /// The use that a request is about.
    pub(super) fn of(needs: &Needs<'u>, connector: &'u ConnectorSpec, request: &AccessRequest) -> Self {
        let tenant = request.tenant.filter(|_| connector.partition.is_some());
        let part = tenant.map(|tenant| needs.account.graph().name(tenant));
        Self { connector, write: request.action == Action::WriteConnector, part }
    }

    /// Messages that are put into a queue.
    pub(super) fn filling(connector: &'u ConnectorSpec) -> Self {
        Self { connector, write: true, part: None }
    }

    /// The calls that it takes, with those of the key that the content is encrypted with.
    pub(super) fn calls(&self, needs: &Needs<'_>) -> Vec<Calls> {
        let calls = self.of_service(needs);
        let endpoint = self.connector.network.as_ref().map(|network| network.vpc_endpoint.value.as_str());
        let through = |calls: Calls| match endpoint {
            Some(endpoint) => calls.where_is("aws:SourceVpce", endpoint),
            None => calls,
        };
        calls.into_iter().map(through).chain(self.key()).collect()
    }

    fn region(&self) -> &'u str {
        self.connector.region.value.as_str()
    }

    fn of_service(&self, needs: &Needs<'_>) -> Vec<Calls> {
        let region = self.region();
        let choose = |read: &[&str], write: &[&str]| Calls::of(if self.write { write } else { read });
        let one = |calls: Calls, arn: Result<String, ArnError>| vec![calls.on(arn)];
        match &self.connector.kind {
            ConnectorKind::S3(bucket) => self.bucket(needs, bucket),
            ConnectorKind::DynamoDb(table) => self.table(needs, table),
            ConnectorKind::Lambda(tool) => {
                let function = tool.function.value.as_str();
                let arn = match &tool.qualifier {
                    Some(at) => {
                        needs.own(("lambda", region), "function:{}:{}", &[function, at.value.as_str()])
                    }
                    None => needs.own(("lambda", region), "function:{}", &[function]),
                };
                one(Calls::of(&["lambda:InvokeFunction"]), arn)
            }
            ConnectorKind::SecretsManager(secret) => {
                let read = &["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
                let name = secret.secret.value.as_str();
                one(
                    choose(read, &["secretsmanager:PutSecretValue"]),
                    needs.own(("secretsmanager", region), "secret:{}-??????", &[name]),
                )
            }
            ConnectorKind::OpenSearch(search) => one(
                Calls::of(&["aoss:APIAccessAll"]),
                needs.own(("aoss", region), "collection/{}", &[search.collection.value.as_str()]),
            ),
            ConnectorKind::S3Vectors(vectors) => {
                let names = [vectors.bucket.value.as_str(), vectors.index.value.as_str()];
                let read = &["s3vectors:GetIndex", "s3vectors:GetVectors", "s3vectors:QueryVectors"];
                let write = &["s3vectors:DeleteVectors", "s3vectors:PutVectors"];
                one(choose(read, write), needs.own(("s3vectors", region), "bucket/{}/index/{}", &names))
            }
            ConnectorKind::KnowledgeBase(base) => one(
                Calls::of(&["bedrock:Retrieve"]),
                needs.own(("bedrock", region), "knowledge-base/{}", &[base.id.value.as_str()]),
            ),
            ConnectorKind::Sqs(queue) => {
                let read = &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
                let arn = needs.own(("sqs", region), "{}", &[queue.queue.value.as_str()]);
                one(choose(read, &["sqs:SendMessage"]), arn)
            }
            ConnectorKind::StepFunctions(machine) => {
                let name = machine.state_machine.value.as_str();
                one(
                    choose(&["states:DescribeStateMachine"], &["states:StartExecution"]),
                    needs.own(("states", region), "stateMachine:{}", &[name]),
                )
            }
            // Servers are called by machines and gateways, whose own rights these are.
            ConnectorKind::Http(_) | ConnectorKind::Mcp(_) => Vec::new(),
        }
    }

    /// Objects are named by their keys; a list is of the bucket, and the prefix that is asked for is a condition.
    fn bucket(&self, needs: &Needs<'_>, source: &S3Source) -> Vec<Calls> {
        let bucket = source.bucket.value.as_str();
        let mut prefixes: Vec<&str> = source.prefixes.iter().map(|prefix| prefix.value.as_str()).collect();
        if prefixes.is_empty() {
            prefixes.push("");
        }
        let own = self.part.map(|tenant| format!("{tenant}/")).unwrap_or_default();
        let below = |calls: Calls| {
            prefixes.iter().fold(calls, |calls, prefix| {
                calls.on(needs.shared(("s3", ""), "{}/{}{}*", &[bucket, prefix, &own]))
            })
        };
        if self.write {
            let mut actions = vec!["s3:AbortMultipartUpload", "s3:PutObject"];
            actions.extend(source.delete.as_ref().filter(|word| word.value).map(|_| "s3:DeleteObject"));
            return vec![below(Calls::of(&actions))];
        }
        let mut list = Calls::of(&["s3:ListBucket"]).on(needs.shared(("s3", ""), "{}", &[bucket]));
        let whole = own.is_empty() && prefixes == [""];
        if !whole {
            let listed = prefixes.iter().map(|prefix| format!("{prefix}{own}*"));
            list = list.when("StringLike", "s3:prefix", listed);
        }
        vec![below(Calls::of(&["s3:GetObject"])), list]
    }

    /// Items by their keys, never a scan. Where tenants share the table, the leading key has to be there and to be the
    /// tenant.
    fn table(&self, needs: &Needs<'_>, source: &DynamoDbSource) -> Vec<Calls> {
        let site = ("dynamodb", self.region());
        let table = source.table.value.as_str();
        let arn = needs.own(site, "table/{}", &[table]);
        let keyed = |calls: Calls| match self.part {
            Some(tenant) => leading(calls, tenant),
            None => calls,
        };
        if self.write {
            let actions = ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"]
                .map(|verb| format!("dynamodb:{verb}"));
            let actions = actions.each_ref().map(String::as_str);
            return vec![keyed(Calls::of(&actions).on(arn))];
        }
        let read = Calls::of(&["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem"]);
        let query = source.indexes.iter().fold(Calls::of(&["dynamodb:Query"]), |calls, index| {
            calls.on(needs.own(site, "table/{}/index/{}", &[table, index.value.as_str()]))
        });
        let describe = Calls::of(&["dynamodb:DescribeTable"]).on(arn.clone());
        vec![keyed(read.on(arn.clone())), keyed(query.on(arn)), describe]
    }

    /// The key, through the service that holds what is encrypted with it. Writing reads too: parts of an upload, and
    /// keys of data that are used again.
    fn key(&self) -> Option<Calls> {
        let service = match &self.connector.kind {
            ConnectorKind::S3(_) => "s3",
            ConnectorKind::DynamoDb(_) => "dynamodb",
            ConnectorKind::Sqs(_) => "sqs",
            ConnectorKind::SecretsManager(_) => "secretsmanager",
            ConnectorKind::S3Vectors(_) => "s3vectors",
            ConnectorKind::Lambda(_)
            | ConnectorKind::OpenSearch(_)
            | ConnectorKind::KnowledgeBase(_)
            | ConnectorKind::StepFunctions(_)
            | ConnectorKind::Http(_)
            | ConnectorKind::Mcp(_) => return None,
        };
        // Vectors are written with the data key of their bucket. Source: S3 user guide, encryption in S3 Vectors.
        let makes_keys = self.write && service != "s3vectors";
        let key = self.connector.encryption.as_ref()?.kms_key_arn.value.as_str();
        let actions: &[&str] =
            if makes_keys { &["kms:Decrypt", "kms:GenerateDataKey"] } else { &["kms:Decrypt"] };
        Some(through(Calls::of(actions).on(Ok(key.to_owned())), (service, self.region())))
    }
}

/// Only for a service of a region that uses a key on somebody's behalf.
pub(super) fn through(calls: Calls, (service, region): (&str, &str)) -> Calls {
    calls.where_is("kms:ViaService", &format!("{service}.{region}.amazonaws.com"))
}

/// Only items with this leading key, and only where the request has one.
pub(super) fn leading(calls: Calls, key: &str) -> Calls {
    let calls = calls.when("ForAllValues:StringEquals", "dynamodb:LeadingKeys", [key]);
    calls.when("Null", "dynamodb:LeadingKeys", ["false"])
}
