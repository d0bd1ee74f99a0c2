//! The trail of an environment: what is done in its account, in every region of it, and calls of what was granted.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::data_store::{DataStoreSpec, S3Place, StoreKind};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Span;

use super::address;
use super::recorded::{self, Recorded};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::request::{Members, Request, tag_list};
use crate::tree::Tree;

/// The bucket that the records of a trail go to.
struct Trail<'t> {
    account: &'t Account<'t>,
    spec: &'t DataStoreSpec,
    place: &'t S3Place,
    /// The line that names the store.
    named: Span,
    /// The grant to write there.
    origin: Origin,
    own: Address,
}

/// The trail, what it records, and that it does.
pub(super) fn artifacts(account: &Account<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let Some(trail) = trail(account, out) else { return Vec::new() };
    let selectors = trail.selectors(recorded::calls(account, out), out);
    vec![trail.trail(out), selectors, trail.started()]
}

fn trail<'t>(account: &'t Account<'t>, out: &mut Diagnostics) -> Option<Trail<'t>> {
    let named = account.environment.spec.logging.as_ref()?.audit.as_ref()?;
    let id = named.id()?;
    let grant = account.input.grants.grants().find(|grant| {
        let request = &grant.decision.request;
        let logs = request.circumstances == Circumstances::Support("logs");
        logs && request.object == Object::DataStore(id) && request.span == named.name.span
    })?;
    let spec = &account.graph().get(named)?.spec;
    let StoreKind::S3(place) = &spec.kind else {
        let message = "a trail of CloudTrail is written to a bucket";
        out.report(rule::UNSUPPORTED.at(named.name.span, message, "").help("name a store with `s3`"));
        return None;
    };
    let name = account.trail()?;
    if name.contains("--") {
        let message = "a trail cannot have `--` in its name";
        let found = rule::TARGET_LIMIT.at(account.environment.name_span(), message, "");
        out.report(found.help("rename the environment"));
        return None;
    }
    let own = address("Trail", name);
    Some(Trail { account, spec, place, named: named.name.span, origin: Origin::granted(grant), own })
}

impl Trail<'_> {
    fn document(&self, kind: &str, members: Members, needs: Vec<Address>) -> Artifact {
        let region = (self.spec.region.value.as_str().to_owned(), Origin::written(self.spec.region.span));
        let address = address(kind, self.own.name.clone());
        Request { address, region, members, needs }.artifact(&self.origin)
    }

    fn name(&self) -> Tree {
        Tree::text(&self.own.name).from(self.account.default("origin.name"))
    }

    /// The trail itself. Whoever has the bucket lets CloudTrail write there, and says how long records are kept.
    fn trail(&self, out: &mut Diagnostics) -> Artifact {
        let bucket = &self.place.bucket;
        let mut members: Members = vec![
            ("Name", self.name()),
            ("S3BucketName", Tree::text(bucket.value.as_str()).from(Origin::written(bucket.span))),
        ];
        members.extend(self.prefix(out).map(|prefix| ("S3KeyPrefix", prefix)));
        let all = || Tree::bool(true).from(self.account.default("audit.trail"));
        members.extend([
            ("IncludeGlobalServiceEvents", all()),
            ("IsMultiRegionTrail", all()),
            ("EnableLogFileValidation", all()),
        ]);
        members.extend(self.spec.encryption.as_ref().map(|encryption| {
            let key = &encryption.kms_key_arn;
            ("KmsKeyId", Tree::text(key.value.as_str()).from(Origin::written(key.span)))
        }));
        members.push(("TagsList", tag_list(self.account, ("Key", "Value"))));
        self.document("Trail", members, Vec::new())
    }

    /// The folder in the bucket, without the stroke that CloudTrail adds.
    fn prefix(&self, out: &mut Diagnostics) -> Option<Tree> {
        let written = self.place.prefix.as_ref()?;
        let text = written.value.as_str().trim_end_matches('/');
        let most = self.account.graph().catalog().limit("cloudtrail.trailPrefix")?;
        if text.chars().count() as u64 > most {
            let message = format!("the prefix of a trail has at most {most} characters");
            out.report(rule::TARGET_LIMIT.at(written.span, message, "").help("shorten it"));
        }
        (!text.is_empty()).then(|| Tree::text(text).from(Origin::written(written.span)))
    }

    /// Which events are recorded: those of management, and calls of these resources.
    fn selectors(&self, calls: Vec<Recorded>, out: &mut Diagnostics) -> Artifact {
        let default = |name: &str| self.account.default(name);
        let management = selector("Management", vec![equal("eventCategory", "Management")]);
        let mut needs = vec![self.own.clone()];
        let mut values: u64 = 1;
        let mut all = vec![management.from(default("audit.management"))];
        for found in calls {
            values += 2 + found.arns.len() as u64;
            needs.extend(found.needs);
            let mut fields = vec![equal("eventCategory", "Data"), equal("resources.type", found.kind)];
            if !found.arns.is_empty() {
                let arns = Tree::list(found.arns);
                fields.push(Tree::map([("Field", Tree::text("resources.ARN")), (found.operator, arns)]));
            }
            all.push(selector(found.kind, fields).from(default("audit.data")));
        }
        let most = self.account.graph().catalog().limit("cloudtrail.selectorValues");
        if let Some(most) = most.filter(|most| values > *most) {
            let message = format!("a trail selects by at most {most} values, and this takes {values}");
            let help = "split the environment, so that each has an account and a trail of its own";
            out.report(rule::TARGET_LIMIT.at(self.named, message, "").help(help));
        }
        let members = vec![("TrailName", self.name()), ("AdvancedEventSelectors", Tree::list(all))];
        self.document("TrailSelectors", members, needs)
    }

    /// That it records, from when its selectors are there.
    fn started(&self) -> Artifact {
        let needs = vec![self.own.clone(), address("TrailSelectors", self.own.name.clone())];
        self.document("TrailLogging", vec![("Name", self.name())], needs)
    }
}

fn selector(name: &str, fields: Vec<Tree>) -> Tree {
    Tree::map([("Name", Tree::text(name)), ("FieldSelectors", Tree::list(fields))])
}

fn equal(field: &str, value: &str) -> Tree {
    Tree::map([("Field", Tree::text(field)), ("Equals", Tree::list([Tree::text(value)]))])
}
