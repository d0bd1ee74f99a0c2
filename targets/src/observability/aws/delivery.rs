//! Where AgentCore delivers what it writes of an agent, and Agents Classic what it writes of a memory: to the stores for traces
//! and spans of the environment, in their region, for as long and under the key that each says.

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::Ref;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::{AgentRuntime, AgentSpec};
use aipolicy_compiler::model::data_store::{DataStoreSpec, StoreKind};
use aipolicy_compiler::model::workspace::TargetName;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::{Cloud, address};
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::request::{Members, Request, reference, tag_map};
use crate::tree::Tree;

/// What CloudWatch Logs takes as retention, in days. Source: `PutRetentionPolicy`.
const RETENTIONS: [u64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// The group in which X-Ray keeps spans.
pub(super) const SPANS: &str = "aws/spans";

/// A store for what is written of the agents of an environment.
struct Store<'c, 'g> {
    cloud: &'c Cloud<'c, 'g>,
    /// What is kept there.
    word: &'static str,
    spec: &'g DataStoreSpec,
    /// The line that names it.
    named: Span,
    /// The grant to write there.
    origin: Origin,
}

/// What of an agent is delivered, and to which kind of place.
#[derive(Clone, Copy)]
struct Route {
    kind: &'static str,
    log: &'static str,
    /// What the names of its sources end in.
    end: &'static str,
}

/// The deliveries of an environment, and what holds for the places that they go to.
pub(super) fn artifacts(cloud: &Cloud<'_, '_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(logging) = &cloud.account.environment.spec.logging else { return Vec::new() };
    let invocations = logging.invocations.as_ref().and_then(|named| store(cloud, ("invocations", named)));
    let traces = logging.traces.as_ref().and_then(|named| store(cloud, ("traces", named)));
    let spans = logging.spans.as_ref().and_then(|named| store(cloud, ("spans", named)));
    if let Some(spans) = &spans {
        let is_xray = |store: &Store<'_, '_>| matches!(store.spec.kind, StoreKind::Xray(_));
        let refused = match &traces {
            _ if !is_xray(spans) => Some(("spans are kept by X-Ray alone", "name a store with `xray`")),
            Some(traces) if is_xray(traces) => Some(("spans go to `traces` already", "leave it out")),
            Some(_) | None => None,
        };
        if let Some((message, help)) = refused {
            out.report(rule::UNSUPPORTED.at(spans.named, message, "").help(help));
            return Vec::new();
        }
    }
    let mut artifacts = invocations.map_or_else(Vec::new, |store| match &store.spec.kind {
        StoreKind::CloudWatch(group) => store.group(group.log_group.value.as_str(), out),
        StoreKind::S3(_)
        | StoreKind::Xray(_)
        | StoreKind::Cache(_)
        | StoreKind::Memory(_)
        | StoreKind::Session(_) => Vec::new(),
    });
    artifacts.extend(traces.into_iter().chain(spans).flat_map(|store| delivered(&store, out)));
    artifacts
}

fn delivered(store: &Store<'_, '_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let (route, mut artifacts) = match &store.spec.kind {
        StoreKind::CloudWatch(group) => {
            let name = group.log_group.value.as_str();
            (Route { kind: "CWL", log: "APPLICATION_LOGS", end: "" }, store.group(name, out))
        }
        StoreKind::S3(_) => (Route { kind: "S3", log: "APPLICATION_LOGS", end: "" }, Vec::new()),
        StoreKind::Xray(_) => (Route { kind: "XRAY", log: "TRACES", end: "-spans" }, store.spans(out)),
        StoreKind::Cache(_) | StoreKind::Memory(_) | StoreKind::Session(_) => return Vec::new(),
    };
    let delivered: Vec<_> =
        store.agents(route, out).iter().flat_map(|agent| store.agent(agent, route)).collect();
    if !delivered.is_empty() {
        artifacts.extend(store.destination(route));
    }
    artifacts.extend(delivered);
    artifacts
}

fn store<'c, 'g>(
    cloud: &'c Cloud<'c, 'g>,
    (word, named): (&'static str, &'g Ref<DataStoreSpec>),
) -> Option<Store<'c, 'g>> {
    let account = cloud.account;
    let id = named.id()?;
    let grant = account.input.grants.grants().find(|grant| {
        let request = &grant.decision.request;
        request.object == Object::DataStore(id)
            && request.circumstances == Circumstances::Support("logs")
            && request.span == named.name.span
    })?;
    let spec = &account.graph().get(named)?.spec;
    Some(Store { cloud, word, spec, named: named.name.span, origin: Origin::granted(grant) })
}

fn is_classic(agent: &Resource<AgentSpec>) -> bool {
    agent.spec.runtime.as_ref().is_some_and(|one| one.value == AgentRuntime::BedrockAgents)
}

/// What Agents Classic has to deliver: logs of how it sums up a memory, and nothing else.
fn classic_note(agent: &Resource<AgentSpec>, route: Route) -> Diagnostic {
    let span = agent.spec.runtime.as_ref().map_or(agent.name_span(), |runtime| runtime.span);
    let name = agent.name();
    let message = if route.log == "TRACES" {
        format!("Agents Classic delivers no spans of agent `{name}`")
    } else {
        format!("Agents Classic delivers no logs of agent `{name}` but those of its memory")
    };
    let found = rule::APPROXIMATED.at(span, message, "Agents Classic does this differently");
    Diagnostic { severity: Severity::Note, ..found }
}

fn note(span: Span, message: String) -> Diagnostic {
    let note = rule::APPROXIMATED.at(span, message, "AgentCore does this differently");
    Diagnostic { severity: Severity::Note, ..note }
}

impl<'g> Store<'_, 'g> {
    fn region(&self) -> (String, Origin) {
        (self.spec.region.value.as_str().to_owned(), Origin::written(self.spec.region.span))
    }

    /// The agents whose traces may go there. Logs hold what tools are given, and nothing blacks that out on the way, so
    /// those of an agent that wants something blacked out stay where they are.
    fn agents(&self, route: Route, out: &mut Diagnostics) -> Vec<&'g Resource<AgentSpec>> {
        let account = self.cloud.account;
        if !account.input.workspace.targets.iter().any(|target| target.value == TargetName::Bedrock) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (principal, grants) in account.input.grants.by_principal() {
            let Principal::Agent(id) = principal else { continue };
            let Some(agent) = account.graph().resource(id) else { continue };
            let role = Circumstances::Support("role");
            let runs = grants.iter().any(|grant| grant.decision.request.circumstances == role);
            if !runs {
                continue;
            }
            if is_classic(agent) {
                out.report(classic_note(agent, route));
                if agent.spec.memory.is_none() || route.log != "APPLICATION_LOGS" {
                    continue;
                }
            }
            let redact = agent.spec.trace.as_ref().and_then(|trace| trace.redact.first());
            if let Some(redact) = redact.filter(|_| route.log == "APPLICATION_LOGS") {
                let message = format!(
                    "logs of agent `{}` hold what its tools are given, and are not delivered; its gates keep records",
                    agent.name()
                );
                out.report(note(redact.span, message));
            } else if account.region_of(agent) == self.spec.region.value.as_str() {
                found.push(agent);
            } else {
                let message =
                    format!("traces of agent `{}` stay in {}", agent.name(), account.region_of(agent));
                out.report(note(self.named, message));
            }
        }
        found
    }

    /// Sources of an agent, each with its delivery.
    fn agent(&self, agent: &Resource<AgentSpec>, route: Route) -> Vec<Artifact> {
        let account = self.cloud.account;
        let bedrock = |kind: &str, name: Option<String>| {
            name.map(|name| Address { target: "bedrock".into(), kind: kind.into(), name })
        };
        let gateway = bedrock("Gateway", account.gateway(agent)).filter(|_| !agent.spec.tools.is_empty());
        let memory = bedrock("Memory", account.memory(agent)).filter(|_| agent.spec.memory.is_some());
        let runtime = "harness.environment.agentCoreRuntimeEnvironment.agentRuntimeArn";
        let sources = if is_classic(agent) {
            let arn = "agentAlias.agentAliasArn";
            vec![
                ("memory", arn, bedrock("AgentAlias", account.alias(agent))),
                ("memory-canary", arn, bedrock("AgentAlias", account.canary_alias(agent))),
            ]
        } else {
            vec![
                ("gateway", "gatewayArn", gateway),
                ("memory", "memory.arn", memory),
                ("runtime", runtime, bedrock("Harness", account.harness(agent))),
            ]
        };
        let origin = Origin::written(agent.name_span());
        let made = sources.into_iter().filter_map(|(word, member, made)| {
            let made = made?;
            let word = format!("{word}{}", route.end);
            let name = account.limited_name(&[agent.name().as_str(), &word], "logs.deliveryName")?;
            let source = address("DeliverySource", name.clone());
            let arn = reference(&made, member);
            let members: Members = vec![
                ("name", Tree::text(&name).from(account.default("origin.name"))),
                ("resourceArn", arn),
                ("logType", Tree::text(route.log).from(account.default("traces.delivery"))),
                ("tags", tag_map(account)),
            ];
            let mut request = self.cloud.request(source.clone(), self.region(), members);
            request.needs = vec![made];
            let destination = self.destination_address(route)?;
            let target = reference(&destination, "deliveryDestination.arn");
            let members: Members = vec![
                ("deliverySourceName", Tree::text(&name).from(account.default("origin.name"))),
                ("deliveryDestinationArn", target.from(self.origin.clone())),
                ("tags", tag_map(account)),
            ];
            let mut delivery = self.cloud.request(address("Delivery", name), self.region(), members);
            delivery.needs = vec![source, destination];
            Some([request.artifact(&origin), delivery.artifact(&origin)])
        });
        made.flatten().collect()
    }

    fn destination_address(&self, route: Route) -> Option<Address> {
        let words = ["traces", &route.kind.to_lowercase()];
        Some(address("DeliveryDestination", self.cloud.account.limited_name(&words, "logs.deliveryName")?))
    }

    fn destination(&self, route: Route) -> Option<Artifact> {
        let account = self.cloud.account;
        let own = self.destination_address(route)?;
        let mut members: Members = vec![
            ("name", Tree::text(&own.name).from(account.default("origin.name"))),
            ("deliveryDestinationType", Tree::text(route.kind)),
        ];
        if let Some(place) = self.place() {
            let place = Tree::map([("destinationResourceArn", place)]);
            members.push(("deliveryDestinationConfiguration", place));
            members.push(("outputFormat", Tree::text("json").from(account.default("traces.delivery"))));
        }
        members.push(("tags", tag_map(account)));
        Some(self.cloud.request(own, self.region(), members).artifact(&self.origin))
    }

    /// The ARN of a log group or a bucket; X-Ray has none.
    fn place(&self) -> Option<Tree> {
        let account = self.cloud.account;
        match &self.spec.kind {
            StoreKind::CloudWatch(group) => {
                let name = group.log_group.value.as_str();
                let arn = account.arn("logs", self.spec.region.value.as_str(), &format!("log-group:{name}"));
                Some(Tree::text(arn).from(Origin::written(group.log_group.span)))
            }
            StoreKind::S3(place) => {
                let prefix = place.prefix.as_ref().map_or("", |prefix| prefix.value.as_str());
                let folder = format!("{}/{prefix}", place.bucket.value.as_str());
                let arn = format!("arn:{}:s3:::{}", account.partition.as_str(), folder.trim_end_matches('/'));
                Some(Tree::text(arn).from(Origin::written(place.bucket.span)))
            }
            StoreKind::Xray(_) | StoreKind::Cache(_) | StoreKind::Memory(_) | StoreKind::Session(_) => None,
        }
    }

    /// A document about a log group, which is there already.
    fn about(&self, kind: &str, members: Members) -> Option<Request> {
        let name = self.cloud.account.limited_name(&[self.word], "logs.deliveryName")?;
        Some(self.cloud.request(address(kind, name), self.region(), members))
    }

    fn named(&self, group: &str) -> (&'static str, Tree) {
        ("logGroupName", Tree::text(group).from(self.origin.clone()))
    }

    /// How long a group keeps what is in it.
    fn retention(&self, group: &str, out: &mut Diagnostics) -> Option<Artifact> {
        let written = self.spec.retention.as_ref()?;
        let days = written.value.days();
        if written.value.seconds() != days * 86_400 || !RETENTIONS.contains(&days) {
            let shorter = RETENTIONS.into_iter().rfind(|known| *known <= days).unwrap_or(1);
            let message = "CloudWatch Logs does not keep anything for exactly so long";
            let help = format!("use `{shorter}d`");
            out.report(rule::TARGET_LIMIT.at(written.span, message, "").help(help));
            return None;
        }
        let days = Tree::integer(days).from(Origin::written(written.span));
        let request = self.about("LogRetention", vec![self.named(group), ("retentionInDays", days)])?;
        Some(request.artifact(&Origin::written(written.span)))
    }

    /// What holds for a log group: its retention and its key.
    fn group(&self, group: &str, out: &mut Diagnostics) -> Vec<Artifact> {
        let key = self.spec.encryption.as_ref().map(|encryption| &encryption.kms_key_arn);
        let key = key.and_then(|key| {
            let origin = Origin::written(key.span);
            let id = Tree::text(key.value.as_str()).from(origin.clone());
            Some(self.about("LogKey", vec![self.named(group), ("kmsKeyId", id)])?.artifact(&origin))
        });
        self.retention(group, out).into_iter().chain(key).collect()
    }

    /// What lets X-Ray keep spans in CloudWatch Logs, where they can be searched and have a retention and a key.
    fn spans(&self, out: &mut Diagnostics) -> Vec<Artifact> {
        let policy = self.span_policy();
        let mut destination: Members = vec![(
            "Destination",
            Tree::text("CloudWatchLogs").from(self.cloud.account.default("traces.spans")),
        )];
        if let Some(encryption) = &self.spec.encryption {
            let key = &encryption.kms_key_arn;
            let id = Tree::text(key.value.as_str()).from(Origin::written(key.span));
            destination.push(("CloudWatchLogsConfiguration", Tree::map([("SpansLogGroupKmsKeyId", id)])));
        }
        let destination = self.about("TraceDestination", destination).map(|mut request| {
            request.needs = policy.iter().map(|policy| policy.document.address.clone()).collect();
            request.artifact(&self.origin)
        });
        let mut all: Vec<_> = policy.into_iter().chain(destination).collect();
        all.extend(self.retention(SPANS, out));
        all
    }

    /// The policy of CloudWatch Logs that lets X-Ray write spans for this account. Source: AgentCore developer guide,
    /// transaction search.
    fn span_policy(&self) -> Option<Artifact> {
        let account = self.cloud.account;
        let region = self.spec.region.value.as_str();
        let group = |name: &str| Tree::text(account.arn("logs", region, &format!("log-group:{name}:*")));
        let source = account.arn("xray", region, "*");
        let condition = Tree::map([
            ("ArnLike", Tree::map([("aws:SourceArn", Tree::text(source))])),
            ("StringEquals", Tree::map([("aws:SourceAccount", Tree::text(account.id()))])),
        ]);
        let statement = Tree::map([
            ("Sid", Tree::text("TransactionSearchXRayAccess")),
            ("Effect", Tree::text("Allow")),
            ("Principal", Tree::map([("Service", Tree::text("xray.amazonaws.com"))])),
            ("Action", Tree::list([Tree::text("logs:PutLogEvents")])),
            ("Resource", Tree::list([group(SPANS), group("/aws/application-signals/data")])),
            ("Condition", condition.from(account.default("iam.confusedDeputy"))),
        ]);
        let version = Tree::text("2012-10-17").from(account.default("iam.policyVersion"));
        let document = Tree::map([("Version", version), ("Statement", Tree::list([statement]))]);
        let name = account.limited_name(&["traces"], "logs.deliveryName")?;
        let name = Tree::text(name).from(account.default("origin.name"));
        let members = vec![("policyName", name), ("policyDocument", document)];
        Some(self.about("LogPolicy", members)?.artifact(&self.origin))
    }
}
