//! What keys have to allow to roles and services. A key has one policy, which decides who manages it too, so it is for
//! whoever has the key to put this into it.

use std::collections::{BTreeMap, BTreeSet};

use aipolicy_compiler::diagnostic::{Diagnostic, Severity};
use aipolicy_compiler::ir::{Circumstances, Object, Principal};
use aipolicy_compiler::model::connector::ConnectorKind;
use aipolicy_compiler::model::value::Arn;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_iam::{Effect, limits};

use super::log::logs;
use super::statement::{Shared, Who, document, shared, size};
use super::{Held, Said, part};
use crate::artifact::Artifact;
use crate::iam::Writer;
use crate::iam::policy::{Allow, Condition};
use crate::origin::Origin;
use crate::tree::Tree;

const QUEUE: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];
const VECTORS: &[&str] = &["kms:Decrypt"];

/// What a key has to allow, and where it is named.
#[derive(Default)]
struct Needed {
    span: Option<Span>,
    roles: Vec<(String, Allow)>,
    services: Vec<Said>,
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
        let mut services: Vec<_> =
            logs(self.account).iter().flat_map(|log| log.key_statements(self.account)).collect();
        services.extend(self.letters());
        services.extend(self.vectors());
        for said in services {
            for (key, origin) in &said.resources {
                let needed = keys.entry(key.clone()).or_default();
                needed.span.get_or_insert(origin.span);
                needed.services.push(said.clone());
            }
        }
        keys.into_iter().filter_map(|(key, needed)| self.key_statements(&key, needed)).collect()
    }

    /// Services that put what fails into an encrypted queue. Source: SQS developer guide, key management.
    fn letters(&self) -> Vec<Said> {
        let account = self.account;
        let mut said = Vec::new();
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
            said.push(allowed(sid, service, (QUEUE, &key.kms_key_arn), (conditions, Origin::granted(grant))));
        }
        said
    }

    /// S3 Vectors keeps indexes in order by itself. Source: S3 user guide, data protection and encryption in S3 Vectors.
    fn vectors(&self) -> Vec<Said> {
        let account = self.account;
        let (mut said, mut seen) = (Vec::new(), BTreeSet::new());
        for grant in account.input.grants.grants() {
            let Object::Connector(id) = grant.decision.request.object else { continue };
            let Some(connector) = account.graph().resource(id).filter(|_| seen.insert(id)) else { continue };
            let ConnectorKind::S3Vectors(source) = &connector.spec.kind else { continue };
            let Some(key) = &connector.spec.encryption else { continue };
            let bucket = format!("bucket/{}", source.bucket.value);
            let arn = account.arn("s3vectors", connector.spec.region.value.as_str(), &bucket);
            let conditions = self.on_behalf_of("ArnLike", vec![arn.clone(), format!("{arn}/*")]);
            let sid = format!("Index {}", connector.name());
            let what = (VECTORS, &key.kms_key_arn);
            let granted = Origin::granted(grant);
            said.push(allowed(sid, "indexing.s3vectors.amazonaws.com", what, (conditions, granted)));
        }
        said
    }

    /// That a service acts for something of this account.
    fn on_behalf_of(&self, operator: &'static str, sources: Vec<String>) -> Vec<Condition> {
        let guard = self.account.default("iam.confusedDeputy");
        let source =
            Condition { operator, key: "aws:SourceArn".into(), values: sources, origin: guard.clone() };
        vec![Condition::equals("aws:SourceAccount", self.account.id(), guard), source]
    }

    fn key_statements(&mut self, key: &str, needed: Needed) -> Option<Artifact> {
        let span = needed.span?;
        let of_roles = shared(needed.roles).into_iter().map(|Shared { roles, allow }| Said {
            sid: allow.sid,
            effect: Effect::Allow,
            who: Who::Roles(roles),
            actions: allow.actions.iter().map(|action| (*action).to_owned()).collect(),
            resources: allow.resources.into_iter().filter(|(arn, _)| arn == key).collect(),
            conditions: allow.conditions,
            origin: allow.origin,
        });
        let said: Vec<_> = of_roles.chain(needed.services.iter().cloned()).collect();
        let mut policy = document(self.account, &said);
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

fn allowed(
    sid: String,
    service: &str,
    (actions, key): (&[&str], &Spanned<Arn>),
    (conditions, origin): (Vec<Condition>, Origin),
) -> Said {
    Said {
        sid,
        effect: Effect::Allow,
        who: Who::Service(service.to_owned()),
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources: vec![(key.value.as_str().to_owned(), Origin::written(key.span))],
        conditions,
        origin,
    }
}
