//! `Connector`: one data source or tool.

use super::data_class::DataClassSpec;
use super::data_store::Encryption;
use super::macros::{choice, record};
use super::reference::Ref;
use super::value::{Arn, File, Region, Text};
use crate::source::Spanned;

record! {
    /// Objects of an S3 bucket.
    pub struct S3Source {
        /// Name of the bucket.
        bucket: Spanned<Text>,
        /// Prefixes of the keys; the whole bucket when left out.
        prefixes: Vec<Spanned<Text>>,
        /// Whether objects may be deleted by those who may write.
        delete: Option<Spanned<bool>>,
    }
}

record! {
    /// A DynamoDB table.
    pub struct DynamoDbSource {
        /// Name of the table.
        table: Spanned<Text>,
        /// Indexes that may be queried.
        indexes: Vec<Spanned<Text>>,
    }
}

record! {
    /// A Lambda function.
    pub struct LambdaTool {
        /// Name of the function.
        function: Spanned<Text>,
        /// Alias or version.
        qualifier: Option<Spanned<Text>>,
    }
}

record! {
    /// A secret.
    pub struct SecretSource {
        /// Name of the secret.
        secret: Spanned<Text>,
    }
}

record! {
    /// A collection of OpenSearch Serverless.
    pub struct OpenSearchSource {
        /// Id of the collection.
        collection: Spanned<Text>,
        /// Index in it.
        index: Option<Spanned<Text>>,
    }
}

record! {
    /// An index of S3 Vectors.
    pub struct S3VectorsSource {
        /// Name of the vector bucket.
        bucket: Spanned<Text>,
        /// Name of the index.
        index: Spanned<Text>,
    }
}

record! {
    /// A Bedrock knowledge base.
    pub struct KnowledgeBaseSource {
        /// Its id: ten capital letters and digits.
        id: Spanned<Text>,
        /// Connectors that its content comes from.
        sources: Vec<Ref<ConnectorSpec>>,
    }
}

record! {
    /// An SQS queue.
    pub struct SqsQueue {
        /// Name of the queue.
        queue: Spanned<Text>,
    }
}

record! {
    /// A Step Functions state machine.
    pub struct StateMachine {
        /// Name of the state machine.
        state_machine: Spanned<Text>,
    }
}

choice! {
    /// How a server knows who calls.
    pub enum ServerAuth {
        /// By a credential that a secret holds.
        Secret(Ref<ConnectorSpec>) = secret,
        /// By the credential of a connection of EventBridge, which somebody else keeps.
        Connection(Spanned<Arn>) = connection,
    }
}

record! {
    /// An HTTP interface.
    pub struct HttpTool {
        /// Its address.
        url: Spanned<Text>,
        /// Its OpenAPI document.
        open_api: Option<File>,
        /// How it knows who calls.
        auth: Option<ServerAuth>,
    }
}

record! {
    /// An MCP server.
    pub struct McpServer {
        /// Its address.
        url: Spanned<Text>,
        /// The version that was reviewed.
        version: Option<Spanned<Text>>,
        /// The digest of what was reviewed.
        digest: Option<Spanned<Text>>,
        /// How it knows who calls.
        auth: Option<ServerAuth>,
    }
}

choice! {
    /// What is connected.
    pub enum ConnectorKind {
        /// Objects of an S3 bucket.
        S3(S3Source) = s3,
        /// A DynamoDB table.
        DynamoDb(DynamoDbSource) = dynamo_db,
        /// A Lambda function.
        Lambda(LambdaTool) = lambda,
        /// A secret.
        SecretsManager(SecretSource) = secrets_manager,
        /// A collection of OpenSearch Serverless.
        OpenSearch(OpenSearchSource) = open_search,
        /// An index of S3 Vectors.
        S3Vectors(S3VectorsSource) = s3_vectors,
        /// A Bedrock knowledge base.
        KnowledgeBase(KnowledgeBaseSource) = knowledge_base,
        /// An SQS queue.
        Sqs(SqsQueue) = sqs,
        /// A Step Functions state machine.
        StepFunctions(StateMachine) = step_functions,
        /// An HTTP interface.
        Http(HttpTool) = http,
        /// An MCP server.
        Mcp(McpServer) = mcp,
    }
}

record! {
    /// The network path to it.
    pub struct ConnectorNetwork {
        /// The VPC endpoint that calls come through.
        vpc_endpoint: Spanned<Text>,
    }
}

record! {
    /// How tenants are kept apart.
    pub struct Partitioning {
        /// The key that names the tenant.
        key: Spanned<Text>,
    }
}

record! {
    /// Where copies are.
    pub struct Backup {
        /// Their regions.
        regions: Vec<Spanned<Region>>,
    }
}

record! {
    /// One data source or tool.
    pub struct ConnectorSpec {
        /// Its region; of a server, where it processes what it is sent.
        region: Spanned<Region>,
        /// The highest class of data behind it.
        data_class: Ref<DataClassSpec>,
        /// How it is encrypted.
        encryption: Option<Encryption>,
        /// The network path to it.
        network: Option<ConnectorNetwork>,
        /// How tenants are kept apart where they share it.
        partition: Option<Partitioning>,
        /// Whether nobody may do with it what somebody was granted: read it where somebody reads, write to it where somebody
        /// writes. The policy of the resource holds that, where an environment writes it (`resourcePolicies`).
        exclusive: Option<Spanned<bool>>,
        /// Where copies are.
        backup: Option<Backup>,
    }
    flatten {
        /// What is connected.
        kind: ConnectorKind
    }
}

impl ConnectorSpec {
    /// Whether it covers a whole bucket, where tenants are not kept apart.
    pub fn is_whole(&self) -> bool {
        let whole = matches!(&self.kind, ConnectorKind::S3(bucket) if bucket.prefixes.is_empty());
        whole && self.partition.is_none()
    }
}

impl ConnectorKind {
    /// The server, where it speaks HTTP.
    pub fn http(&self) -> Option<&HttpTool> {
        if let Self::Http(server) = self { Some(server) } else { None }
    }

    /// The server, where it speaks MCP.
    pub fn mcp(&self) -> Option<&McpServer> {
        if let Self::Mcp(server) = self { Some(server) } else { None }
    }

    /// The queue, where it is one.
    pub fn queue(&self) -> Option<&SqsQueue> {
        if let Self::Sqs(queue) = self { Some(queue) } else { None }
    }

    /// With what a server wants to be called.
    pub fn auth(&self) -> Option<&ServerAuth> {
        let http = self.http().and_then(|server| server.auth.as_ref());
        http.or_else(|| self.mcp().and_then(|server| server.auth.as_ref()))
    }

    /// Everything that the connector covers, in the notation of its service: what a reviewer compares.
    pub fn scope(&self) -> String {
        let list = |texts: &[Spanned<Text>], make: &dyn Fn(&Text) -> String| {
            texts.iter().map(|text| make(&text.value)).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::S3(S3Source { bucket, prefixes, .. }) if prefixes.is_empty() => {
                format!("s3://{}/", bucket.value)
            }
            Self::S3(s3) => list(&s3.prefixes, &|prefix| format!("s3://{}/{prefix}", s3.bucket.value)),
            Self::DynamoDb(table) if table.indexes.is_empty() => format!("table {}", table.table.value),
            Self::DynamoDb(table) => {
                let indexes = list(&table.indexes, &|index| index.to_string());
                format!("table {}, indexes {indexes}", table.table.value)
            }
            Self::Lambda(LambdaTool { function, qualifier: Some(qualifier) }) => {
                format!("function {}:{}", function.value, qualifier.value)
            }
            Self::Lambda(tool) => format!("function {}", tool.function.value),
            Self::SecretsManager(secret) => format!("secret {}", secret.secret.value),
            Self::OpenSearch(search) => format!("collection {}", search.collection.value),
            Self::S3Vectors(vectors) => format!("index {}/{}", vectors.bucket.value, vectors.index.value),
            Self::KnowledgeBase(base) => format!("knowledge base {}", base.id.value),
            Self::Sqs(queue) => format!("queue {}", queue.queue.value),
            Self::StepFunctions(machine) => format!("state machine {}", machine.state_machine.value),
            Self::Http(tool) => tool.url.value.to_string(),
            Self::Mcp(server) => server.url.value.to_string(),
        }
    }
}
