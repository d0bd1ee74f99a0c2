//! Policies of buckets and secrets: what connectors demand of everybody, and what services may write.

use std::collections::BTreeMap;

use aipolicy_compiler::model::connector::{ConnectorKind, ConnectorSpec, S3Source, SecretSource};
use aipolicy_compiler::model::data_store::StoreKind;
use aipolicy_compiler::model::environment::{EnvironmentSpec, TlsVersion};
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::model::{Ref, Resource};
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_iam::{Piece, limits};

use super::guard::Ways;
use super::log::{Log, logs};
use super::{Held, denial, part, whole};
use crate::account::Account;
use crate::artifact::Artifact;
use crate::iam::Writer;
use crate::iam::condition::Condition;
use crate::iam::statement::{Statement, document, size};
use crate::origin::Origin;
use crate::tree::Tree;

const READ: &[&str] = &["s3:GetObject*", "s3:ListBucket*"];
const WRITE: &[&str] = &[
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject*",
    "s3:PutObject*",
    "s3:RestoreObject",
];
/// What changes objects that are there, or puts others in their place.
const CHANGE: &[&str] = &["s3:BypassGovernanceRetention", "s3:DeleteObject*", "s3:PutObject*"];
const ENCRYPTED: &str = "s3:x-amz-server-side-encryption";
const KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
const READ_SECRET: &[&str] = &["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"];
const WRITE_SECRET: &[&str] = &["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"];

/// A bucket whose policy is ours.
struct Bucket {
    /// The line that says so, and where the bucket is.
    named: Span,
    region: (String, Origin),
    /// Where its name is written.
    name: Span,
    statements: Vec<Statement>,
}

/// Buckets by name.
type Buckets<'w> = BTreeMap<&'w str, Bucket>;

impl<'w> Writer<'w> {
    /// The policies of buckets, and what buckets of others have to allow to services.
    pub(super) fn buckets(&mut self, held: &[Held]) -> Vec<Artifact> {
        let account = self.account;
        let mut buckets = Buckets::new();
        self.connector_buckets(&mut buckets, held);
        let mut artifacts = Vec::new();
        let ours = account.environment.spec.resource_policies.as_ref().map(|policies| &policies.stores);
        let logs = logs(account);
        for named in ours.into_iter().flatten() {
            if !logs.iter().any(|log| log.named.id() == named.id() && log.bucket().is_some()) {
                let message =
                    format!("no service writes for this environment to a bucket `{}`", named.name.value);
                let help = "name a store of the kind `s3` that `logging` names";
                self.refuse::<()>(named.name.span, message, help);
            }
        }
        let mut others: BTreeMap<&str, Vec<(&Log<'w>, &Spanned<Text>)>> = BTreeMap::new();
        for log in &logs {
            let Some(place) = log.bucket() else { continue };
            let own = ours.into_iter().flatten().find(|named| named.id() == log.named.id());
            match own {
                Some(named) => self.log_bucket(&mut buckets, (log, &place.bucket), named.name.span),
                None => others.entry(place.bucket.value.as_str()).or_default().push((log, &place.bucket)),
            }
        }
        for (name, logs) in others {
            artifacts.extend(self.bucket_statements(name, &logs));
        }
        for (name, bucket) in buckets {
            artifacts.extend(self.bucket_policy(name, bucket));
        }
        artifacts
    }

    fn connector_buckets(&mut self, buckets: &mut Buckets<'w>, held: &[Held]) {
        let account = self.account;
        let Some(policies) = &account.environment.spec.resource_policies else { return };
        for named in &policies.connectors {
            let Some(connector) = account.graph().get(named) else { continue };
            match &connector.spec.kind {
                ConnectorKind::S3(source) => {
                    let (own, region) =
                        (self.connector_bucket((connector, source), held), &connector.spec.region);
                    let region = (region.value.as_str().to_owned(), Origin::written(region.span));
                    self.bucket_of(buckets, (&source.bucket, region), named.name.span).extend(own);
                }
                ConnectorKind::SecretsManager(_) => {}
                ConnectorKind::DynamoDb(_)
                | ConnectorKind::Lambda(_)
                | ConnectorKind::OpenSearch(_)
                | ConnectorKind::S3Vectors(_)
                | ConnectorKind::KnowledgeBase(_)
                | ConnectorKind::Sqs(_)
                | ConnectorKind::StepFunctions(_)
                | ConnectorKind::Http(_)
                | ConnectorKind::Mcp(_) => {
                    let message = format!("the policy of `{}` is not written by us", named.name.value);
                    let help = "leave it out; policies are written for buckets and secrets";
                    self.refuse::<()>(named.name.span, message, help);
                }
            }
        }
    }

    /// The statements of a bucket, which begin with what holds for every one.
    fn bucket_of<'b>(
        &mut self,
        buckets: &'b mut Buckets<'w>,
        (name, region): (&'w Spanned<Text>, (String, Origin)),
        named: Span,
    ) -> &'b mut Vec<Statement> {
        let bucket = buckets.entry(name.value.as_str()).or_insert_with(|| Bucket {
            named,
            region,
            name: name.span,
            statements: Vec::new(),
        });
        if bucket.statements.is_empty() {
            bucket.statements = self.encrypted_in_transit((name, named));
        }
        &mut bucket.statements
    }

    /// The ARN of a bucket.
    pub(super) fn bucket_arn(&mut self, bucket: &Spanned<Text>) -> Option<(String, Origin)> {
        let pieces = [Piece::Literal(bucket.value.as_str())];
        let arn = self.pattern("s3", ("", ""), (&pieces, bucket.span))?;
        Some((arn, Origin::written(bucket.span)))
    }

    /// The ARN of what is below a prefix of a bucket.
    fn objects_arn(
        &mut self,
        bucket: &Spanned<Text>,
        prefix: Option<&Spanned<Text>>,
    ) -> Option<(String, Origin)> {
        let span = prefix.map_or(bucket.span, |prefix| prefix.span);
        let mut pieces = vec![Piece::Literal(bucket.value.as_str()), Piece::Literal("/")];
        pieces.extend(prefix.map(|prefix| Piece::Literal(prefix.value.as_str())));
        pieces.push(Piece::AnyRun);
        Some((self.pattern("s3", ("", ""), (&pieces, span))?, Origin::written(span)))
    }

    /// Nobody reaches the bucket without TLS, or with a version of it that is older than the environment allows.
    fn encrypted_in_transit(&mut self, (bucket, named): (&Spanned<Text>, Span)) -> Vec<Statement> {
        let (Some(own), Some(objects)) = (self.bucket_arn(bucket), self.objects_arn(bucket, None)) else {
            return Vec::new();
        };
        let account = self.account;
        let deny =
            |sid: &str| denial(sid, &["s3:*"], vec![own.clone(), objects.clone()], Origin::written(named));
        let plain = Condition::new("Bool", "aws:SecureTransport", "false", account.default("iam.tls"));
        let network = account.environment.spec.network.as_ref();
        let old = network.and_then(|network| network.tls.as_ref()).map(|tls| {
            let word = TlsVersion::word(tls.value);
            Condition::new("NumericLessThan", "s3:TlsVersion", word, Origin::written(tls.span))
        });
        let old = old.map(|condition| deny("Only new TLS").when([condition]));
        std::iter::once(deny("Only TLS").when([plain])).chain(old).collect()
    }

    fn connector_bucket(
        &mut self,
        (connector, source): (&Resource<ConnectorSpec>, &'w S3Source),
        held: &[Held],
    ) -> Vec<Statement> {
        let Some(own) = self.bucket_arn(&source.bucket) else { return Vec::new() };
        let objects: Vec<_> = match source.prefixes.as_slice() {
            [] => self.objects_arn(&source.bucket, None).into_iter().collect(),
            some => some.iter().filter_map(|prefix| self.objects_arn(&source.bucket, Some(prefix))).collect(),
        };
        let ways = Ways {
            read: (READ, "s3:GetObject"),
            write: (WRITE, "s3:PutObject"),
            begins: format!("{}/", own.0),
            resources: objects.iter().cloned().chain([own]).collect(),
        };
        let mut all = self.guards(connector, &ways, held);
        if let Some(encryption) = &connector.spec.encryption {
            let key = &encryption.kms_key_arn;
            let name = connector.name();
            all.extend(other_keys(name.as_str(), key.value.as_str(), (objects, Origin::written(key.span))));
        }
        all
    }

    fn log_bucket(
        &mut self,
        buckets: &mut Buckets<'w>,
        (log, bucket): (&Log<'w>, &'w Spanned<Text>),
        named: Span,
    ) {
        let region = (log.spec.region.value.as_str().to_owned(), Origin::written(log.spec.region.span));
        let Some(mut own) = log.bucket_statements(self) else { return };
        let objects = log.bucket().and_then(|place| self.objects_arn(bucket, place.prefix.as_ref()));
        if let (Some(word), Some(objects)) = (log.spec.immutable.as_ref().filter(|word| word.value), objects)
        {
            let origin = Origin::written(word.span);
            let people = Condition::new("Bool", "aws:PrincipalIsAWSService", "false", origin.clone());
            let sid = format!("Nobody changes {}", log.named.name.value);
            own.push(denial(sid, CHANGE, vec![objects], origin).when([people]));
        }
        let known = self.bucket_of(buckets, (bucket, region), named);
        for one in own {
            if !known.iter().any(|before| before.sid == one.sid) {
                known.push(one);
            }
        }
    }

    fn bucket_policy(&mut self, name: &str, bucket: Bucket) -> Option<Artifact> {
        let account = self.account;
        for other in account.neighbours() {
            if let Some(span) = writes_bucket(account, other, name) {
                self.refuse_two_writers(name, (bucket.named, span), other.name().as_str());
                return None;
            }
        }
        let policy = document(account, &bucket.statements);
        self.check_policy_size((size(&policy), limits::BUCKET_POLICY), bucket.named).then_some(())?;
        let members =
            vec![("Bucket", Tree::text(name).from(Origin::written(bucket.name))), ("Policy", policy)];
        let origin = Origin::written(bucket.named);
        let own = account.name(&[name], usize::MAX);
        Some(whole(("BucketPolicy", own), bucket.region, members, &origin))
    }

    /// What the policy of somebody else's bucket has to allow.
    fn bucket_statements(&mut self, name: &str, logs: &[(&Log<'w>, &Spanned<Text>)]) -> Option<Artifact> {
        let (first, bucket) = logs.first()?;
        let mut all = Vec::new();
        for (log, _) in logs {
            all.extend(log.bucket_statements(self)?);
        }
        let members = vec![
            ("Bucket", Tree::text(name).from(Origin::written(bucket.span))),
            ("PolicyDocument", document(self.account, &all)),
        ];
        let own = self.account.name(&[name], usize::MAX);
        Some(part(("BucketStatements", own), members, &first.origin))
    }

    /// The policies of secrets.
    pub(super) fn secrets(&mut self, held: &[Held]) -> Vec<Artifact> {
        let account = self.account;
        let policies = account.environment.spec.resource_policies.iter();
        let named = policies.flat_map(|policies| &policies.connectors);
        let mut artifacts = Vec::new();
        for named in named {
            let Some(connector) = account.graph().get(named) else { continue };
            let ConnectorKind::SecretsManager(source) = &connector.spec.kind else { continue };
            artifacts.extend(self.secret_policy((connector, source), named, held));
        }
        artifacts
    }

    fn secret_policy(
        &mut self,
        (connector, source): (&Resource<ConnectorSpec>, &SecretSource),
        reference: &Ref<ConnectorSpec>,
        held: &[Held],
    ) -> Option<Artifact> {
        let (account, named) = (self.account, reference.name.span);
        let (name, region) = (&source.secret, &connector.spec.region);
        let begins = account.arn("secretsmanager", region.value.as_str(), &format!("secret:{}-", name.value));
        // A policy of a secret is about this secret alone.
        let ways = Ways {
            read: (READ_SECRET, "secretsmanager:GetSecretValue"),
            write: (WRITE_SECRET, "secretsmanager:PutSecretValue"),
            resources: vec![("*".to_owned(), Origin::written(name.span))],
            begins,
        };
        let all = self.guards(connector, &ways, held);
        if all.is_empty() {
            let message =
                format!("`{}` demands nothing that a policy of its secret could hold", connector.name());
            return self.refuse(
                named,
                message,
                "add `exclusive` or `network` to the connector, or leave it out",
            );
        }
        for other in account.neighbours() {
            let policies = other.spec.resource_policies.iter().flat_map(|policies| &policies.connectors);
            let same = policies.into_iter().find(|other| other.id() == reference.id());
            if let Some(same) = same {
                self.refuse_two_writers(name.value.as_str(), (named, same.name.span), other.name().as_str());
                return None;
            }
        }
        let policy = document(account, &all);
        self.check_policy_size((size(&policy), limits::SECRET_POLICY), named).then_some(())?;
        let members = vec![
            ("SecretId", Tree::text(name.value.as_str()).from(Origin::written(name.span))),
            ("ResourcePolicy", policy),
            ("BlockPublicPolicy", Tree::bool(true).from(account.default("iam.blockPublic"))),
        ];
        let plain = name.value.as_str().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let own = account.name(&[&plain], usize::MAX);
        let region = (region.value.as_str().to_owned(), Origin::written(region.span));
        Some(whole(("SecretPolicy", own), region, members, &Origin::written(named)))
    }
}

/// Objects are encrypted with this key: whoever names another, or another way, is denied. Who names none gets what the
/// bucket does by default, which is for whoever has it to say.
fn other_keys(
    connector: &str,
    key: &str,
    (objects, origin): (Vec<(String, Origin)>, Origin),
) -> Vec<Statement> {
    let unless = |sid: &str, name: &str, values: &[&str]| {
        let values = values.iter().map(|value| ((*value).to_owned(), origin.clone()));
        let sid = format!("{sid} {connector}");
        denial(sid, &["s3:PutObject"], objects.clone(), origin.clone()).when([
            Condition::any("StringNotEquals", name, values),
            Condition::new("Null", name, "false", origin.clone()),
        ])
    };
    vec![
        unless("Only the key of", KEY, &[key]),
        unless("Only keys of KMS for", ENCRYPTED, &["aws:kms", "aws:kms:dsse"]),
    ]
}

/// Where an environment says that the policy of a bucket is its own.
fn writes_bucket(
    account: &Account<'_>,
    environment: &Resource<EnvironmentSpec>,
    bucket: &str,
) -> Option<Span> {
    let policies = environment.spec.resource_policies.as_ref()?;
    let graph = account.graph();
    let of_connector = policies.connectors.iter().find(|named| {
        let kind = graph.get(named).map(|connector| &connector.spec.kind);
        matches!(kind, Some(ConnectorKind::S3(source)) if source.bucket.value.as_str() == bucket)
    });
    let of_store = || {
        policies.stores.iter().find(|named| {
            let kind = graph.get(named).map(|store| &store.spec.kind);
            matches!(kind, Some(StoreKind::S3(place)) if place.bucket.value.as_str() == bucket)
        })
    };
    of_connector.map(|named| named.name.span).or_else(|| of_store().map(|named| named.name.span))
}
