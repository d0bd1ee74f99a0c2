//! Policies of VPC endpoints: through each goes what the roles in the network were granted of its service, and nothing
//! else.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;
use aipolicy_iam::limits;

use super::shared::{Shared, shared};
use super::{Held, Home, denial, whole};
use crate::artifact::Artifact;
use crate::iam::Writer;
use crate::iam::condition::Condition;
use crate::iam::policy::Allow;
use crate::iam::statement::{Statement, Who, document, size};
use crate::origin::Origin;
use crate::tree::Tree;

/// Services whose endpoints take a policy, by the name of the endpoint, with the actions that are called through it: a
/// prefix of their names. Source: the pages on interface and gateway endpoints in the guide of each service.
const SERVICES: &[(&str, &[&str])] = &[
    ("bedrock-agent-runtime", &["bedrock:Retrieve"]),
    ("bedrock-runtime", &["bedrock:ApplyGuardrail", "bedrock:InvokeModel"]),
    ("dynamodb", &["dynamodb:"]),
    ("lambda", &["lambda:"]),
    ("s3", &["s3:"]),
    ("secretsmanager", &["secretsmanager:"]),
    ("sqs", &["sqs:"]),
    ("states", &["states:"]),
];

/// A wildcard in a text that is compared needs so many characters before or after it. Source: AWS PrivateLink guide,
/// considerations of endpoint policies.
const BESIDE_WILDCARD: usize = 6;

const SOURCE: &str = "aws:SourceVpce";

/// An endpoint whose policy is ours.
struct Endpoint<'w> {
    /// The line that says so.
    named: &'w Spanned<Text>,
    id: &'w Spanned<Text>,
    service: &'static str,
    actions: &'static [&'static str],
    region: String,
}

impl<'w> Writer<'w> {
    /// The policy of each endpoint that the environment writes.
    pub(super) fn endpoints(&mut self, held: &[Held]) -> Vec<Artifact> {
        let Some(policies) = &self.account.environment.spec.resource_policies else { return Vec::new() };
        let mut seen = BTreeMap::new();
        let mut artifacts = Vec::new();
        for named in &policies.endpoints {
            let Some(endpoint) = self.our_endpoint(named, held) else { continue };
            match seen.insert(endpoint.id.value.as_str(), named.span) {
                None => artifacts.extend(self.endpoint_policy(&endpoint, held)),
                Some(first) => {
                    let message = format!("`{}` would have two policies", endpoint.id.value);
                    let found = rule::NAME_COLLISION.at(named.span, message, "this one");
                    self.out.report(found.label(first, "and this one"));
                }
            }
        }
        artifacts
    }

    /// The endpoint that is named; what is none, or has a policy that is not known, is refused.
    fn our_endpoint(&mut self, named: &'w Spanned<Text>, held: &[Held]) -> Option<Endpoint<'w>> {
        let account = self.account;
        let text = named.value.as_str();
        let network = account.environment.spec.network.as_ref();
        let Some(id) = network.and_then(|network| network.endpoints.0.get(text)) else {
            let message = format!("the environment names no VPC endpoint for `{text}`");
            return self.refuse(named.span, message, "add it to `network.endpoints`");
        };
        let (name, region) = match text.split_once('.') {
            Some((name, region)) if account.graph().catalog().region(region).is_some() => {
                (name, region.to_owned())
            }
            _ => (text, self.network_region(named, held)?),
        };
        let Some((service, actions)) = SERVICES.iter().find(|(service, _)| *service == name) else {
            let message = format!("nothing is known about who calls `{name}` through its endpoint");
            let known: Vec<_> = SERVICES.iter().map(|(service, _)| format!("`{service}`")).collect();
            let help = format!("leave it out; policies are written for {}", known.join(", "));
            return self.refuse(named.span, message, &help);
        };
        self.refuse_twice(named, id)?;
        Some(Endpoint { named, id, service, actions, region })
    }

    /// The region of the network: that of the pods in it.
    fn network_region(&mut self, named: &Spanned<Text>, held: &[Held]) -> Option<String> {
        let pods: BTreeSet<_> = held
            .iter()
            .filter_map(|held| match &held.home {
                Some(Home::Pod(region)) => Some(region.as_str()),
                Some(Home::Task(_)) | None => None,
            })
            .collect();
        let first = self.account.environment.spec.aws.regions.first().map(|region| region.value.as_str());
        let mut regions = pods.into_iter();
        match (regions.next(), regions.next()) {
            (Some(one), Some(other)) => {
                let message =
                    format!("pods run in {one} and in {other}, and nothing says where this endpoint is");
                self.refuse(
                    named.span,
                    message,
                    "give the clusters of each region an environment of their own",
                )
            }
            (one, _) => one.or(first).map(str::to_owned),
        }
    }

    /// Another environment of the account that writes the same policy would replace this one.
    fn refuse_twice(&mut self, named: &Spanned<Text>, id: &Spanned<Text>) -> Option<()> {
        let account = self.account;
        for other in account.neighbours() {
            let own = other.spec.resource_policies.iter().flat_map(|policies| &policies.endpoints);
            let endpoints = other.spec.network.as_ref().map(|network| &network.endpoints.0);
            let same = own.into_iter().find(|key| {
                let found = endpoints.and_then(|endpoints| endpoints.get(key.value.as_str()));
                found.is_some_and(|found| found.value == id.value)
            });
            if let Some(same) = same {
                self.refuse_two_writers(id.value.as_str(), (named.span, same.span), other.name().as_str());
                return None;
            }
        }
        Some(())
    }

    fn endpoint_policy(&mut self, endpoint: &Endpoint<'w>, held: &[Held]) -> Option<Artifact> {
        let buckets = self.bucket_regions();
        let home = self.network_region(endpoint.named, held)?;
        let mut allowed = Vec::new();
        for held in held.iter().filter(|held| held.is_in(&home)) {
            let through = held.allows.iter().filter_map(|allow| endpoint.takes(allow, &buckets));
            allowed.extend(through.map(|allow| (held.role.clone(), allow)));
        }
        let mut all: Vec<_> = shared(allowed).into_iter().map(|shared| self.let_through(shared)).collect();
        all.extend(self.image_layers(endpoint));
        let origin = Origin::written(endpoint.named.span);
        if all.is_empty() {
            let everything = vec![("*".to_owned(), origin.clone())];
            all.push(denial("Nothing was granted", &["*"], everything, origin.clone()));
        }
        let policy = document(self.account, &all);
        self.check_policy_size((size(&policy), limits::ENDPOINT_POLICY), endpoint.named.span).then_some(())?;
        let members = vec![
            ("VpcEndpointId", Tree::text(endpoint.id.value.as_str()).from(Origin::written(endpoint.id.span))),
            ("PolicyDocument", policy),
        ];
        let name = self.account.name(&[endpoint.service, &endpoint.region], usize::MAX);
        let region = (endpoint.region.clone(), origin.clone());
        Some(whole(("EndpointPolicy", name), region, members, &origin))
    }

    /// Calls of these roles. A gateway endpoint takes no other principal than everybody, so roles are a condition. Source:
    /// AWS PrivateLink guide, principals for gateway endpoints.
    fn let_through(&mut self, shared: Shared) -> Statement {
        let Shared { roles, mut allow } = shared;
        allow.conditions.retain(|condition| self.is_comparable(condition));
        let of_roles = Condition::any("ArnEquals", "aws:PrincipalArn", roles);
        Statement::from(allow).about(Who::Everybody).when([of_roles])
    }

    /// Whether the policy of an endpoint takes a condition. The role's own policies hold one that it does not take.
    fn is_comparable(&mut self, condition: &Condition) -> bool {
        let is_short = |value: &str| {
            let mut parts = value.split(['*', '?']);
            value.contains(['*', '?']) && parts.all(|part| part.chars().count() < BESIDE_WILDCARD)
        };
        let mut values = condition.values.iter().filter(|_| condition.operator == "StringLike");
        let short = values.find(|(value, _)| is_short(value));
        if let Some((_, origin)) = short {
            let message = format!(
                "the policy of an endpoint takes no wildcard with fewer than {BESIDE_WILDCARD} characters beside it, so \
                 `{}` is left to the policies of the roles",
                condition.key
            );
            let note = rule::APPROXIMATED.at(origin.span, message, "");
            self.out.report(Diagnostic { severity: Severity::Note, ..note });
        }
        short.is_none()
    }

    /// The layers of images, which nodes fetch from a bucket of ECR by signed addresses. Source: ECR user guide, minimum
    /// permissions of the gateway endpoint for S3.
    fn image_layers(&self, endpoint: &Endpoint<'_>) -> Option<Statement> {
        if endpoint.service != "s3" {
            return None;
        }
        let account = self.account;
        let registry = format!(".dkr.ecr.{}.", endpoint.region);
        let pulled = account.input.grants.grants().find(|grant| {
            let request = &grant.decision.request;
            let Principal::Workload(id) = request.principal else { return false };
            let image = account.graph().resource(id).and_then(|workload| workload.spec.image.as_ref());
            let is_ours = image.is_some_and(|image| image.value.as_str().contains(&registry));
            request.circumstances == Circumstances::Support("image") && is_ours
        })?;
        let origin = Origin::granted(pulled);
        let (partition, region) = (account.partition.as_str(), &endpoint.region);
        let layers = format!("arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*");
        let id = Origin::written(endpoint.id.span);
        let resources = vec![(layers, origin.clone())];
        let through = Condition::equals(SOURCE, endpoint.id.value.as_str(), id);
        let pull = Statement::allowance("Pull images", &["s3:GetObject"], resources, origin);
        Some(pull.about(Who::Everybody).when([through]))
    }

    /// The region of each bucket, which its ARN does not say.
    fn bucket_regions(&self) -> BTreeMap<&'w str, &'w str> {
        let graph = self.account.graph();
        let granted = self.account.input.grants.grants().filter_map(|grant| {
            let Object::Connector(id) = grant.decision.request.object else { return None };
            let spec = &graph.resource(id)?.spec;
            let ConnectorKind::S3(bucket) = &spec.kind else { return None };
            Some((bucket.bucket.value.as_str(), spec.region.value.as_str()))
        });
        granted.collect()
    }
}

impl Held {
    /// Whether its calls may come from a network in this region.
    fn is_in(&self, network: &str) -> bool {
        match &self.home {
            Some(Home::Pod(region) | Home::Task(region)) => region == network,
            None => false,
        }
    }
}

impl Endpoint<'_> {
    /// What of a permission goes through: actions of the service, in the region, that ask for no other endpoint.
    fn takes(&self, allow: &Allow, buckets: &BTreeMap<&str, &str>) -> Option<Allow> {
        let is_ours = |action: &&str| self.actions.iter().any(|prefix| action.starts_with(prefix));
        if !allow.actions.iter().all(is_ours) || region(allow, buckets)? != self.region {
            return None;
        }
        let (asked, conditions): (Vec<_>, Vec<_>) =
            allow.conditions.iter().cloned().partition(|condition| condition.key == SOURCE);
        let own = |condition: &Condition| condition.texts().any(|id| id == self.id.value.as_str());
        asked.iter().all(own).then(|| Allow { conditions, ..allow.clone() })
    }
}

/// The region that calls are made in: that of the profile that they go through, or else of what they are about.
fn region<'a>(allow: &'a Allow, buckets: &BTreeMap<&str, &'a str>) -> Option<&'a str> {
    let profile = allow.conditions.iter().find(|condition| condition.key == "bedrock:InferenceProfileArn");
    let named = profile.and_then(|condition| condition.values.first());
    let (arn, _) = named.or(allow.resources.first())?;
    let mut parts = arn.splitn(6, ':').skip(2);
    match (parts.next()?, parts.next()?, parts.nth(1)?) {
        ("s3", _, resource) => buckets.get(resource.split('/').next()?).copied(),
        (_, region, _) => Some(region),
    }
}
