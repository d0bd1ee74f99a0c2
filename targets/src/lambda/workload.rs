//! One workload as a function.

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::gateway::GatewaySpec;
use aipolicy_compiler::model::workload::{Architecture, Consumes, WorkloadSpec};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::capacity::{Capacity, Term};
use crate::function::{Named, Taken, plain_name};
use crate::origin::Origin;
use crate::request::{Members, Request, reference, role, tag_map};
use crate::tree::Tree;

/// How many functions may take messages of a queue at once.
const TAKERS: std::ops::RangeInclusive<u64> = 2..=1000;

/// A variable of a function.
type Variable = (&'static str, Tree);

/// Writes the documents of one workload, and reports what Lambda cannot do.
pub(super) struct Writer<'w, 'a> {
    pub(super) account: &'w Account<'a>,
    pub(super) workload: &'a Resource<WorkloadSpec>,
    pub(super) grants: &'w [Grant<'a>],
    pub(super) out: &'w mut Diagnostics,
}

impl<'a> Writer<'_, 'a> {
    /// The function with its log, its queue and its bound; nothing where it cannot run.
    pub(super) fn artifacts(&mut self) -> Option<Vec<Artifact>> {
        let role = self.support("role")?;
        let first = self.account.environment.spec.aws.regions.first()?;
        let region = (first.value.as_str().to_owned(), Origin::written(first.span));
        let name = self.account.workload(self.workload)?;
        let named = Named { target: "lambda", name: &name, region, origin: Origin::granted(role) };
        self.refuse_network();
        let function = self.function(&named)?;
        let most = self.most()?;
        let mut artifacts = named.logs(self.account);
        artifacts.push(function);
        artifacts.extend(self.taken(&named, most.as_ref()).unwrap_or_default());
        artifacts.extend(most.map(|most| {
            let number = Tree::integer(most.most).from(Origin::written(most.span));
            named.concurrency(self.account, number)
        }));
        Some(artifacts)
    }

    fn support(&self, need: &'static str) -> Option<Grant<'a>> {
        let is = |grant: &&Grant<'_>| grant.decision.request.circumstances == Circumstances::Support(need);
        self.grants.iter().find(is).copied()
    }

    fn refuse<T>(&mut self, span: Span, message: &str, help: &str) -> Option<T> {
        self.out.report(rule::UNSUPPORTED.at(span, message, "Lambda cannot do this").help(help));
        None
    }

    /// Where an environment has a network of its own, a function outside of it would go around it.
    fn refuse_network(&mut self) {
        let network = self.account.environment.spec.network.as_ref();
        if let Some(vpc) = network.and_then(|network| network.vpc.as_ref()) {
            let message = format!("functions run outside of `{}`, the network of the environment", vpc.value);
            let found = rule::UNSUPPORTED.at(self.workload.spec.platform.span, message, "");
            let found = found.label(vpc.span, "its network");
            self.out.report(found.help("use `platform: eks`, or `environments` without a `network.vpc`"));
        }
    }

    fn function(&mut self, named: &Named<'_>) -> Option<Artifact> {
        let account = self.account;
        let spec = &self.workload.spec;
        let image = self.image(&named.region.0)?;
        let seconds = self.seconds()?;
        let (role, role_address) = role(account, &["workload", self.workload.name().as_str()]);
        let memory = spec.resources.as_ref().and_then(|resources| resources.memory.as_ref());
        let memory = match memory {
            Some(memory) => Tree::integer(memory.value.mebibytes).from(Origin::written(memory.span)),
            None => Tree::integer(512).from(account.default("lambda.memory")),
        };
        let mut members: Members = vec![
            ("FunctionName", Tree::text(named.name).from(account.default("origin.name"))),
            ("PackageType", Tree::text("Image").from(account.default("lambda.image"))),
            ("Code", Tree::map([("ImageUri", image)])),
            ("Role", role),
            ("Timeout", seconds.1),
            ("MemorySize", memory),
            ("Architectures", Tree::list([self.architecture()])),
        ];
        let (guardrail, made) = self.guardrail()?;
        let variables: Vec<_> = self.gateway()?.into_iter().chain(guardrail).collect();
        if !variables.is_empty() {
            members.push(("Environment", Tree::map([("Variables", Tree::map(variables))])));
        }
        members.push(("LoggingConfig", named.log(account)));
        members.push(("Tags", tag_map(account)));
        let needs = [role_address, named.address("LogGroup")].into_iter().chain(made).collect();
        let request =
            Request { address: named.address("Function"), region: named.region.clone(), members, needs };
        Some(request.artifact(&named.origin))
    }

    /// The image, which Lambda takes from a private registry of its own region, by digest.
    fn image(&mut self, region: &str) -> Option<Tree> {
        let Some(image) = &self.workload.spec.image else {
            let help = "add `image` with a digest, from ECR";
            return self.refuse(self.workload.name_span(), "a function runs an image", help);
        };
        let text = image.value.as_str();
        let registry = format!(".dkr.ecr.{region}.");
        let account =
            |account: &str| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let own = text.split_once(&registry).is_some_and(|(owner, _)| account(owner));
        if !own || !text.contains("@sha256:") {
            let message = format!("a function runs an image of ECR in {region}, by its digest");
            let help = format!("use `ACCOUNT.dkr.ecr.{region}.amazonaws.com/NAME@sha256:…`");
            return self.refuse(image.span, &message, &help);
        }
        Some(Tree::text(text).from(Origin::written(image.span)))
    }

    /// How long it runs.
    fn seconds(&self) -> Option<(u64, Tree)> {
        match &self.workload.spec.timeout {
            Some(time) => {
                let seconds = time.value.seconds();
                Some((seconds, Tree::integer(seconds).from(Origin::written(time.span))))
            }
            None => {
                let most = self.account.graph().catalog().limit("lambda.duration")?;
                Some((most, Tree::integer(most).from(self.account.default("lambda.timeout"))))
            }
        }
    }

    fn architecture(&self) -> Tree {
        let resources = self.workload.spec.resources.as_ref();
        let written = resources.and_then(|resources| resources.architecture.as_ref());
        let Some(written) = written else {
            return Tree::text("x86_64").from(self.account.default("lambda.architecture"));
        };
        let word = match written.value {
            Architecture::Amd64 => "x86_64",
            Architecture::Arm64 => "arm64",
        };
        Tree::text(word).from(Origin::written(written.span))
    }

    /// Where it finds its gateway, under the name that OpenAI clients read. With several gateways there is no one address.
    fn gateway(&mut self) -> Option<Option<Variable>> {
        let graph = self.account.graph();
        let mut gateways: Vec<(&Resource<GatewaySpec>, Grant<'a>)> = Vec::new();
        for grant in self.grants {
            let Object::Route(route) = grant.decision.request.object else { continue };
            let Some(gateway) = graph.resource(route).and_then(|route| graph.get(&route.spec.gateway)) else {
                continue;
            };
            if gateways.iter().all(|(known, _)| known.name() != gateway.name()) {
                gateways.push((gateway, *grant));
            }
        }
        for (gateway, grant) in &gateways {
            if gateway.spec.endpoint.is_none() {
                let message =
                    format!("gateway `{}` has no address that a function could call", gateway.name());
                return self.refuse(grant.decision.request.span, &message, "add `endpoint` to the gateway");
            }
        }
        let [(gateway, _)] = gateways.as_slice() else { return Some(None) };
        let endpoint = gateway.spec.endpoint.as_ref()?;
        let address = format!("{}/v1", endpoint.value.as_str().trim_end_matches('/'));
        Some(Some(("OPENAI_BASE_URL", Tree::text(address).from(Origin::written(endpoint.span)))))
    }

    /// The guardrail that its calls have to name, and what has to be made before. Calls of two regions would name two.
    fn guardrail(&mut self) -> Option<(Vec<Variable>, Vec<Address>)> {
        let named = self.workload.spec.uses.as_ref().and_then(|uses| uses.guardrail.as_ref());
        let Some(named) = named else { return Some((Vec::new(), Vec::new())) };
        let regions: Vec<_> = self.account.called_from(self.grants).into_iter().collect();
        let [region] = regions.as_slice() else {
            let message =
                format!("models are called from {} regions, and each has its own guardrail", regions.len());
            let help = "name models of Bedrock that are called from one region";
            return self.refuse(named.name.span, &message, help);
        };
        let name = self.account.guardrail(named.name.value.as_str(), region)?;
        let made = |kind: &str| Address { target: "bedrock".into(), kind: kind.into(), name: name.clone() };
        let (guardrail, version) = (made("Guardrail"), made("GuardrailVersion"));
        let origin = Origin::written(named.name.span);
        let variables = vec![
            ("BEDROCK_GUARDRAIL_ID", reference(&guardrail, "guardrailId").from(origin.clone())),
            ("BEDROCK_GUARDRAIL_VERSION", reference(&version, "version").from(origin)),
        ];
        Some((variables, vec![guardrail, version]))
    }

    /// The bound on functions at once; none where the workload calls no model. One that cannot be computed is refused.
    fn most(&mut self) -> Option<Option<Term>> {
        let calls =
            |grant: &&Grant<'_>| matches!(grant.decision.request.object, Object::Model(_) | Object::Route(_));
        let Some(first) = self.grants.iter().find(calls) else { return Some(None) };
        let place = first.decision.request.span;
        let capacity = Capacity { account: self.account, spec: &self.workload.spec, grants: self.grants };
        let Some(most) = capacity.terms().into_iter().min_by_key(|term| term.most) else {
            let message = format!("how often `{}` may run at once cannot be computed", self.workload.name());
            let help = "give the tenant a quota, and use routes with caps and a timeout";
            return self.refuse(place, &message, help);
        };
        if most.most == 0 {
            let message = format!("`{}` cannot run: its {} keeps none busy", self.workload.name(), most.by);
            let found = rule::UNSUPPORTED.at(place, message, "").label(most.span, "this bounds it");
            self.out.report(found.note(most.told).help("raise the bound"));
            return None;
        }
        Some(Some(most))
    }

    /// The queue whose messages it takes.
    fn taken(&mut self, named: &Named<'_>, most: Option<&Term>) -> Option<Vec<Artifact>> {
        self.support("trigger")?;
        let Consumes::Sqs(queue) = self.workload.spec.consumes.as_ref()?;
        let name = plain_name(queue, self.out)?.to_owned();
        let dead = self.dead_letter(&named.region.0, (&name, queue.span))?;
        let at_once = most.filter(|most| most.most < *TAKERS.end()).map(|most| {
            let number = most.most.max(*TAKERS.start());
            Tree::integer(number).from(Origin::written(most.span))
        });
        let default = |name: &str| self.account.default(name);
        let taken = Taken {
            queue: name,
            place: Origin::written(queue.span),
            dead,
            attempts: Tree::integer(5).from(default("function.attempts")),
            batch: Tree::integer(1).from(default("lambda.batch")),
            most: at_once,
            seconds: self.seconds()?.0,
        };
        Some(named.takes(self.account, taken))
    }

    /// The ARN of the queue for work that fails.
    fn dead_letter(&mut self, region: &str, (source, span): (&str, Span)) -> Option<Tree> {
        let Some(named) = &self.workload.spec.dead_letter else {
            return self.refuse(span, "work that fails would be lost", "add `deadLetter`");
        };
        let connector = self.account.graph().get(named)?;
        let ConnectorKind::Sqs(queue) = &connector.spec.kind else {
            let message = format!("`{}` is no queue", named.name.value);
            return self.refuse(named.name.span, &message, "name a connector of the kind `sqs`");
        };
        let name = plain_name(&queue.queue, self.out)?;
        if connector.spec.region.value.as_str() != region || name == source {
            let message = format!("`{}` cannot take what fails in `{source}`", named.name.value);
            let help = format!("name another queue in {region}");
            return self.refuse(named.name.span, &message, &help);
        }
        if name.ends_with(".fifo") != source.ends_with(".fifo") {
            let message = format!("`{}` and `{source}` are not of one type", named.name.value);
            return self.refuse(named.name.span, &message, "SQS wants two FIFO queues, or two standard ones");
        }
        let arn = self.account.arn("sqs", region, name);
        Some(Tree::text(arn).from(Origin::written(queue.queue.span)))
    }
}
