//! What AWS is asked when an approved request is carried out, by the documentation of its services.

use std::collections::BTreeMap;

use aipolicy_compiler::ir::Invocation;
use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec, DynamoDbSource, S3Source};
use aipolicy_compiler::model::model::{Inference, ModelProvider, ModelSpec};

/// A request to AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) action: &'static str,
    pub(super) resource: String,
    pub(super) context: BTreeMap<String, Vec<String>>,
    /// Resources beside this one, which nobody may be given with it, and what each differs in.
    pub(super) beside: Vec<(&'static str, String)>,
}

impl Asked {
    fn new(action: &'static str, resource: impl Into<String>, region: &str) -> Self {
        let context = BTreeMap::from([("aws:RequestedRegion".to_owned(), vec![region.to_owned()])]);
        Self { action, resource: resource.into(), context, beside: Vec::new() }
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key.to_owned(), vec![value.into()]);
        self
    }

    fn beside(mut self, what: &'static str, resource: impl Into<String>) -> Self {
        self.beside.push((what, resource.into()));
        self
    }

    /// The request with a resource whose name goes on.
    fn not_beyond_its_name(self) -> Self {
        let longer = format!("{}-other", self.resource);
        self.beside("name", longer)
    }

    /// Whether whoever may ask the other may ask this: it is the same, and says as much or more.
    pub(super) fn is_covered_by(&self, other: &Self) -> bool {
        let says = |(key, values): (&String, &Vec<String>)| self.context.get(key) == Some(values);
        self.action == other.action && self.resource == other.resource && other.context.iter().all(says)
    }

    /// The same with one thing changed, and what that is.
    pub(super) fn outside(&self) -> Vec<(&'static str, Self)> {
        let mut outside: Vec<_> = self
            .beside
            .iter()
            .map(|(what, other)| (*what, Self { resource: other.clone(), ..self.clone() }))
            .collect();
        for (what, field, other) in [("region", 3, "ap-southeast-2"), ("account", 4, "999999999999")] {
            let mut fields: Vec<&str> = self.resource.splitn(6, ':').collect();
            if !fields[field].is_empty() {
                fields[field] = other;
                let mut changed = Self { resource: fields.join(":"), ..self.clone() };
                if what == "region" {
                    changed = changed.with("aws:RequestedRegion", other);
                }
                outside.push((what, changed));
            }
        }
        for (key, what) in DEMANDED {
            for (name, values) in self.context.iter().filter(|(name, _)| name.starts_with(key)) {
                let mut without = self.clone();
                without.context.remove(name);
                let mut several = self.clone();
                several
                    .context
                    .insert(name.clone(), values.iter().cloned().chain(["other".to_owned()]).collect());
                outside.extend([(*what, without), (*what, self.clone().with(name, "other"))]);
                if name == "dynamodb:LeadingKeys" {
                    outside.push((*what, several));
                }
            }
        }
        if let Some([version]) = self.context.get(GUARDRAIL).map(Vec::as_slice) {
            let (draft, _) = version.rsplit_once(':').unwrap();
            outside.push(("guardrail", self.clone().with(GUARDRAIL, draft)));
        }
        let service = self.action.split(':').next().unwrap();
        let others = OTHER_ACTIONS.iter().filter(|other| other.starts_with(&format!("{service}:")));
        outside.extend(others.map(|action| ("action", Self { action, ..self.clone() })));
        outside
    }
}

const GUARDRAIL: &str = "bedrock:GuardrailIdentifier";

/// The keys that tell what may be done from what may not, and what each stands for.
const DEMANDED: &[(&str, &str)] = &[
    ("aws:SourceVpce", "VPC endpoint"),
    ("aws:ResourceTag/aipolicy:tenant", "tenant"),
    ("aws:ResourceTag/aipolicy:model", "model"),
    ("aws:ResourceTag/aipolicy:environment", "environment"),
    ("aws:ResourceTag/aipolicy:guardrail", "guardrail"),
    ("bedrock:InferenceProfileArn", "profile"),
    (GUARDRAIL, "guardrail"),
    ("bedrock-mantle:Model", "model"),
    ("dynamodb:LeadingKeys", "tenant"),
    ("kms:ViaService", "service of the key"),
    ("s3:prefix", "prefix"),
];

/// What nobody who uses these services is ever given.
const OTHER_ACTIONS: &[&str] = &[
    "aoss:DashboardsAccessAll",
    "bedrock:CreateModelInvocationJob",
    "bedrock:DeleteKnowledgeBase",
    "bedrock-mantle:CreateProject",
    "dynamodb:DeleteTable",
    "dynamodb:Scan",
    "kms:CreateGrant",
    "kms:ScheduleKeyDeletion",
    "lambda:UpdateFunctionCode",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3vectors:DeleteIndex",
    "secretsmanager:DeleteSecret",
    "sqs:PurgeQueue",
    "states:DeleteStateMachine",
];

/// Who calls, and where.
#[derive(Clone, Copy)]
pub(super) struct Caller<'c> {
    pub(super) account: &'c str,
    pub(super) workspace: &'c str,
    pub(super) environment: &'c str,
    pub(super) tenant: Option<&'c str>,
}

const INVOKE: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

/// What a call of a model asks. Sources: Bedrock user guide, "Prerequisites for inference profiles" (the profile where the
/// call is made, and the model where it is processed), "Global cross-Region inference" (the model without a region, where
/// `aws:RequestedRegion` is `unspecified`); Service Authorization Reference of `bedrock-mantle`.
pub(super) fn of_call(model: &ModelSpec, call: &Invocation, caller: Caller<'_>) -> Vec<Asked> {
    let (id, source, account) = (model.model_id.value.as_str(), call.source.as_ref(), caller.account);
    match model.provider.value {
        ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => return Vec::new(),
        ModelProvider::BedrockMantle => {
            let project = format!("arn:aws:bedrock-mantle:{source}:{account}:project/default");
            let call = Asked::new("bedrock-mantle:CreateInference", project, source);
            return vec![call.with("bedrock-mantle:Model", id).not_beyond_its_name()];
        }
        ModelProvider::Bedrock => {}
    }
    let each =
        |of_action: &dyn Fn(&'static str) -> Vec<Asked>| INVOKE.into_iter().flat_map(of_action).collect();
    match (model.inference.as_ref().map(|one| &one.value), &call.profile) {
        (Some(Inference::Provisioned(arn)), _) => {
            each(&|action| vec![Asked::new(action, arn.value.as_str(), source).not_beyond_its_name()])
        }
        (Some(Inference::Profile(_)), Some(profile)) => each(&|action| {
            let arn =
                |profile: &str| format!("arn:aws:bedrock:{source}:{account}:inference-profile/{profile}");
            let entry = Asked::new(action, arn(profile), source).beside("model", arn("eu.amazon.other-v1:0"));
            let regions =
                if call.region.as_ref() == "global" { vec![source, ""] } else { vec![call.region.as_ref()] };
            let behind = regions.into_iter().map(|region| foundation(action, (region, model)));
            let behind = behind.map(|one| one.with("bedrock:InferenceProfileArn", arn(profile)));
            [entry.not_beyond_its_name()].into_iter().chain(behind).collect()
        }),
        (Some(Inference::OnDemand) | None, _) | (Some(Inference::Profile(_)), None) => {
            each(&|action| vec![foundation(action, (source, model))])
        }
    }
}

/// What a call of an agent asks that its tenant is charged for: the profile that carries the tags of tenant and model, and
/// the model behind it. Source: Bedrock user guide, "Application inference profiles".
pub(super) fn of_charged_call(
    (name, model): (&str, &ModelSpec),
    call: &Invocation,
    caller: Caller<'_>,
) -> Vec<Asked> {
    let source = call.source.as_ref();
    let arn =
        format!("arn:aws:bedrock:{source}:{}:application-inference-profile/a1b2c3d4e5f6", caller.account);
    let tags = [
        ("workspace", caller.workspace),
        ("environment", caller.environment),
        ("tenant", caller.tenant.unwrap_or_default()),
        ("model", name),
    ];
    let region = if call.profile.is_some() { call.region.as_ref() } else { source };
    let behind = INVOKE
        .into_iter()
        .map(|action| foundation(action, (region, model)).with("bedrock:InferenceProfileArn", &arn));
    let entries = INVOKE.into_iter().map(|action| {
        let asked = Asked::new(action, arn.clone(), source);
        let tagged = |asked: Asked, (tag, value): &(&str, &str)| {
            asked.with(&format!("aws:ResourceTag/aipolicy:{tag}"), *value)
        };
        tags.iter().fold(asked, tagged)
    });
    entries.chain(behind).collect()
}

/// The same calls as whoever names a guardrail makes them: what is decided about the model knows its version. Source:
/// Bedrock user guide, "Enforce the use of specific guardrails in model inference requests".
pub(super) fn naming_guardrail(calls: Vec<Asked>, call: &Invocation, caller: Caller<'_>) -> Vec<Asked> {
    let version = format!("{}:3", guardrail(&call.source, caller));
    let named = |asked: Asked| match asked.resource.contains(":inference-profile/") {
        true => asked,
        false => asked.with(GUARDRAIL, &version),
    };
    calls.into_iter().map(named).collect()
}

fn guardrail(region: &str, caller: Caller<'_>) -> String {
    format!("arn:aws:bedrock:{region}:{}:guardrail/a1b2c3d4e5f6", caller.account)
}

/// What passing a guardrail asks, whose tags tell which it is.
pub(super) fn of_guardrail(name: &str, region: &str, caller: Caller<'_>) -> Asked {
    Asked::new("bedrock:ApplyGuardrail", guardrail(region, caller), region)
        .with("aws:ResourceTag/aipolicy:workspace", caller.workspace)
        .with("aws:ResourceTag/aipolicy:environment", caller.environment)
        .with("aws:ResourceTag/aipolicy:guardrail", name)
}

/// The model itself, in a region, or without one.
fn foundation(action: &'static str, (region, model): (&str, &ModelSpec)) -> Asked {
    let arn = |id: &str| format!("arn:aws:bedrock:{region}::foundation-model/{id}");
    let requested = if region.is_empty() { "unspecified" } else { region };
    let asked = Asked::new(action, arn(model.model_id.value.as_str()), requested);
    asked.beside("model", arn("amazon.other-v1:0")).not_beyond_its_name()
}

/// What a use of a connector asks, of AWS; nothing of a server elsewhere. Source: Service Authorization Reference.
pub(super) fn of_connector(connector: &ConnectorSpec, write: bool, caller: Caller<'_>) -> Vec<Asked> {
    let (region, account) = (connector.region.value.as_str(), caller.account);
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:{region}:{account}:{resource}");
    let one = |actions: [&'static str; 2], service: &str, resource: String| {
        let action = actions[usize::from(write)];
        vec![Asked::new(action, arn(service, &resource), region).not_beyond_its_name()]
    };
    let mut asked = match &connector.kind {
        ConnectorKind::S3(bucket) => objects((connector, bucket), write, caller.tenant),
        ConnectorKind::DynamoDb(table) => items((connector, table), write, caller),
        ConnectorKind::Lambda(tool) => {
            let name = format!("function:{}", tool.function.value);
            let alias = tool.qualifier.as_ref().map(|alias| format!(":{}", alias.value)).unwrap_or_default();
            let mut call = one(["lambda:InvokeFunction"; 2], "lambda", format!("{name}{alias}"));
            if !alias.is_empty() {
                call = call.into_iter().map(|call| call.beside("alias", arn("lambda", &name))).collect();
            }
            call
        }
        ConnectorKind::SecretsManager(secret) => {
            let name = |name: &str| format!("secret:{name}-AbCdEf");
            let actions = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"];
            one(actions, "secretsmanager", name(secret.secret.value.as_str()))
        }
        ConnectorKind::OpenSearch(search) => {
            one(["aoss:APIAccessAll"; 2], "aoss", format!("collection/{}", search.collection.value))
        }
        ConnectorKind::S3Vectors(vectors) => {
            let index = format!("bucket/{}/index/{}", vectors.bucket.value, vectors.index.value);
            one(["s3vectors:QueryVectors", "s3vectors:PutVectors"], "s3vectors", index)
        }
        ConnectorKind::KnowledgeBase(base) => {
            one(["bedrock:Retrieve"; 2], "bedrock", format!("knowledge-base/{}", base.id.value))
        }
        ConnectorKind::Sqs(queue) => {
            one(["sqs:ReceiveMessage", "sqs:SendMessage"], "sqs", queue.queue.value.to_string())
        }
        ConnectorKind::StepFunctions(machine) => {
            let actions = ["states:DescribeStateMachine", "states:StartExecution"];
            one(actions, "states", format!("stateMachine:{}", machine.state_machine.value))
        }
        ConnectorKind::Http(_) | ConnectorKind::Mcp(_) => return Vec::new(),
    };
    if let Some(network) = &connector.network {
        let endpoint = network.vpc_endpoint.value.as_str();
        asked = asked.into_iter().map(|asked| asked.with("aws:SourceVpce", endpoint)).collect();
    }
    asked.extend(of_key(connector, write));
    asked
}

/// What a service asks of the key in the name of the caller. Source: KMS developer guide, `kms:ViaService`.
fn of_key(connector: &ConnectorSpec, write: bool) -> Vec<Asked> {
    let service = match &connector.kind {
        ConnectorKind::S3(_) => "s3",
        ConnectorKind::DynamoDb(_) => "dynamodb",
        ConnectorKind::Sqs(_) => "sqs",
        ConnectorKind::SecretsManager(_) => "secretsmanager",
        ConnectorKind::Lambda(_)
        | ConnectorKind::OpenSearch(_)
        | ConnectorKind::S3Vectors(_)
        | ConnectorKind::KnowledgeBase(_)
        | ConnectorKind::StepFunctions(_)
        | ConnectorKind::Http(_)
        | ConnectorKind::Mcp(_) => return Vec::new(),
    };
    through(service, connector, write)
}

/// What the table of starts asks of the key of the queue.
pub(super) fn of_table_of_starts(queue: &ConnectorSpec) -> Vec<Asked> {
    through("dynamodb", queue, true)
}

fn through(service: &str, connector: &ConnectorSpec, write: bool) -> Vec<Asked> {
    let Some(encryption) = &connector.encryption else { return Vec::new() };
    let (key, region) = (encryption.kms_key_arn.value.as_str(), connector.region.value.as_str());
    let (start, _) = key.rsplit_once('/').unwrap();
    let actions = if write { vec!["kms:Decrypt", "kms:GenerateDataKey"] } else { vec!["kms:Decrypt"] };
    let asked = actions.into_iter().map(|action| {
        Asked::new(action, key, region)
            .with("kms:ViaService", format!("{service}.{region}.amazonaws.com"))
            .beside("key", format!("{start}/ffffffff-ffff-4fff-8fff-ffffffffffff"))
    });
    asked.collect()
}

fn objects(
    (connector, source): (&ConnectorSpec, &S3Source),
    write: bool,
    tenant: Option<&str>,
) -> Vec<Asked> {
    let (bucket, region) = (source.bucket.value.as_str(), connector.region.value.as_str());
    let written: Vec<&str> = source.prefixes.iter().map(|prefix| prefix.value.as_str()).collect();
    let written = if written.is_empty() { vec![""] } else { written };
    let own = connector.partition.as_ref().map(|_| tenant.unwrap_or_default());
    let mut asked = Vec::new();
    for prefix in written {
        let start = own.map_or_else(|| prefix.to_owned(), |tenant| format!("{prefix}{tenant}/"));
        let of = |action| {
            let arn = |bucket: &str, start: &str| format!("arn:aws:s3:::{bucket}/{start}2026/report.csv");
            let mut asked =
                Asked::new(action, arn(bucket, &start), region).beside("bucket", arn("other", &start));
            if !prefix.is_empty() {
                asked = asked.beside("prefix", arn(bucket, "other/"));
            }
            if own.is_some() {
                asked = asked.beside("tenant", arn(bucket, &format!("{prefix}other/")));
            }
            asked
        };
        if write {
            let deletes = source.delete.as_ref().is_some_and(|delete| delete.value);
            asked.push(of("s3:PutObject"));
            asked.extend(deletes.then(|| of("s3:DeleteObject")));
            continue;
        }
        let list = Asked::new("s3:ListBucket", format!("arn:aws:s3:::{bucket}"), region);
        let list = list.beside("bucket", "arn:aws:s3:::other");
        asked.extend([
            of("s3:GetObject"),
            if start.is_empty() { list } else { list.with("s3:prefix", start) },
        ]);
    }
    asked
}

fn items(
    (connector, source): (&ConnectorSpec, &DynamoDbSource),
    write: bool,
    caller: Caller<'_>,
) -> Vec<Asked> {
    let region = connector.region.value.as_str();
    let table = format!("arn:aws:dynamodb:{region}:{}:table/{}", caller.account, source.table.value);
    let on = |action, arn: String| {
        let asked = Asked::new(action, arn, region).not_beyond_its_name();
        match (&connector.partition, caller.tenant) {
            (Some(_), Some(tenant)) => asked.with("dynamodb:LeadingKeys", tenant),
            (Some(_) | None, _) => asked,
        }
    };
    if write {
        return vec![on("dynamodb:PutItem", table.clone()), on("dynamodb:UpdateItem", table)];
    }
    let mut asked = vec![on("dynamodb:GetItem", table.clone()), on("dynamodb:Query", table.clone())];
    asked.extend(
        source.indexes.iter().map(|index| on("dynamodb:Query", format!("{table}/index/{}", index.value))),
    );
    asked
}
