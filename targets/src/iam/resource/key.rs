//! What keys have to allow to roles and services. A key has one policy, which decides who manages it too, so it is for
//! whoever has the key to put this into it.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::value::Arn;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_iam::limits;

use super::log::logs;
use super::shared::{Shared, shared};
use super::{Held, part};
use crate::artifact::Artifact;
use crate::iam::Writer;
use crate::iam::condition::Condition;
use crate::iam::policy::Allow;
use crate::iam::statement::{Statement, Who, document, size};
use crate::origin::Origin;
use crate::tree::Tree;

const QUEUE: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
const VECTORS: &[&str] = &["kms:Decrypt"];

/// What a key has to allow, and where it is named.
#[derive(Default)]
struct Needed {
    span: Option<Span>,
    roles: Vec<(String, Allow)>,
    services: Vec<Statement>,
}

/// Keys by ARN.
type Keys = BTreeMap<String, Needed>;

impl<'w> Writer<'w> {
    /// What each key has to allow.
    pub(super) fn keys(&mut self, held: &[Held]) -> Vec<Artifact> {
        let mut keys = Keys::new();
        for held in held {
            for allow in
                held.allows.iter().filter(|allow| allow.actions.iter().all(|one| one.starts_with("kms:")))
            {
                for (key, origin) in &allow.resources {
                    let needed = keys.entry(key.clone()).or_default();
                    needed.span.get_or_insert(origin.span);
                    needed.roles.push((held.role.clone(), allow.clone()));
                }
            }
        }
        let mut services = Vec::new();
        for log in logs(self.account) {
            services.extend(log.key_statements(self));
        }
        services.extend(self.letters());
        services.extend(self.vectors());
        for one in services {
            for (key, origin) in &one.resources {
                let needed = keys.entry(key.clone()).or_default();
                needed.span.get_or_insert(origin.span);
                needed.services.push(one.clone());
            }
        }
        keys.into_iter().filter_map(|(key, needed)| self.key_statements(&key, needed)).collect()
    }

    /// Services that put what fails into an encrypted queue. Source: SQS developer guide, key management.
    fn letters(&self) -> Vec<Statement> {
        let account = self.account;
        let mut all = Vec::new();
        for grant in account.input.grants.grants() {
            let request = &grant.decision.request;
            let (Principal::Agent(id), Circumstances::Trigger(at)) =
                (request.principal, &request.circumstances)
            else {
                continue;
            };
            let Some(agent) = account.graph().resource(id) else { continue };
            let Some(trigger) = agent.spec.triggers.get(*at) else { continue };
            let queue = trigger.dead_letter().and_then(|named| account.graph().get(named));
            let Some(key) = queue.and_then(|queue| queue.spec.encryption.as_ref()) else { continue };
            let Some((service, source)) = account.delivers(agent, trigger) else { continue };
            let sid = format!("Keep what fails at {} {}", agent.name(), trigger.name());
            let conditions = self.on_behalf_of("ArnEquals", vec![source]);
            let granted = Origin::granted(grant);
            all.push(allowed((sid, service), QUEUE, &key.kms_key_arn, granted).when(conditions));
        }
        all
    }

    /// S3 Vectors keeps indexes in order by itself. Source: S3 user guide, data protection and encryption in S3 Vectors.
    fn vectors(&self) -> Vec<Statement> {
        let account = self.account;
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for grant in account.input.grants.grants() {
            let Object::Connector(id) = grant.decision.request.object else { continue };
            let Some(connector) = account.graph().resource(id).filter(|_| seen.insert(id)) else { continue };
            let ConnectorKind::S3Vectors(source) = &connector.spec.kind else { continue };
            let Some(key) = &connector.spec.encryption else { continue };
            let bucket = format!("bucket/{}", source.bucket.value);
            let arn = account.arn("s3vectors", connector.spec.region.value.as_str(), &bucket);
            let conditions = self.on_behalf_of("ArnLike", vec![arn.clone(), format!("{arn}/*")]);
            let who = (format!("Index {}", connector.name()), "indexing.s3vectors.amazonaws.com");
            let granted = Origin::granted(grant);
            all.push(allowed(who, VECTORS, &key.kms_key_arn, granted).when(conditions));
        }
        all
    }

    /// That a service acts for something of this account.
    fn on_behalf_of(&self, operator: &'static str, sources: Vec<String>) -> Vec<Condition> {
        let guard = self.account.default("iam.confusedDeputy");
        let sources = sources.into_iter().map(|source| (source, guard.clone()));
        let source = Condition::any(operator, "aws:SourceArn", sources);
        vec![Condition::equals("aws:SourceAccount", self.account.id(), guard), source]
    }

    fn key_statements(&mut self, key: &str, needed: Needed) -> Option<Artifact> {
        let span = needed.span?;
        let of_roles = shared(needed.roles).into_iter().map(|Shared { roles, mut allow }| {
            allow.resources.retain(|(arn, _)| arn == key);
            Statement::from(allow).about(Who::Roles(roles))
        });
        let all: Vec<_> = of_roles.chain(needed.services.iter().cloned()).collect();
        let mut policy = document(self.account, &all);
        if size(&policy) > limits::KEY_POLICY {
            let message = format!(
                "what the roles of this environment do with this key does not fit into a policy of {} bytes, so that has to \
                 leave them to the policies of the account",
                limits::KEY_POLICY
            );
            let note = rule::APPROXIMATED.at(span, message, "");
            self.out.report(Diagnostic { severity: Severity::Note, ..note });
            policy = document(self.account, &needed.services);
        }
        let mut parts = key.splitn(6, ':').skip(3);
        let (region, id) = (parts.next()?, parts.nth(1)?);
        let id = id.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let name = self.account.name(&[region, &id], usize::MAX);
        let place = Origin::written(span);
        let members = vec![("KeyId", Tree::text(key).from(place.clone())), ("PolicyDocument", policy)];
        Some(part(("KeyStatements", name), members, &place))
    }
}

/// What a service does with a key.
fn allowed(
    (sid, service): (String, &str),
    actions: &[&str],
    key: &Spanned<Arn>,
    origin: Origin,
) -> Statement {
    let resource = (key.value.as_str().to_owned(), Origin::written(key.span));
    Statement::allowance(sid, actions, vec![resource], origin).about(Who::Service(service.to_owned()))
}
