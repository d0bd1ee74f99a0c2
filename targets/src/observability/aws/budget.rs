//! Budgets of AWS, which see what is on the bill: a tenant's by the tags of the profiles through which its agents call
//! models, any other by everything that Bedrock bills in the account.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Severity};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetPeriod, BudgetScope, BudgetSpec, Notify, Threshold};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::model::value::{BudgetLimit, Money, Text};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{Span, Spanned};
use aipolicy_iam::Partition;

use super::{Cloud, action, address};
use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::billing::{self, Caller};
use crate::origin::Origin;
use crate::request::tag_list;
use crate::tree::Tree;

/// A budget that somebody spends here.
pub(super) struct Spent<'c, 'g> {
    pub(super) cloud: &'c Cloud<'c, 'g>,
    pub(super) budget: &'g Resource<BudgetSpec>,
    pub(super) notices: Vec<&'g Notify>,
    spenders: Vec<&'c Caller>,
}

/// The limit and the period of a budget in the words of the service.
struct Billed {
    money: Money,
    unit: &'static str,
    region: &'static str,
}

/// The budgets of an environment, and what stops calls when they are spent.
pub(super) fn artifacts(cloud: &Cloud<'_, '_>, out: &mut Diagnostics) -> Vec<Artifact> {
    let mut artifacts = Vec::new();
    for budget in cloud.account.graph().budgets_among(&cloud.callers.tenants()) {
        let spenders = billing::spenders(cloud.account, &budget.spec, &cloud.callers);
        let notices = budget.spec.thresholds.iter().filter_map(|threshold| match threshold {
            Threshold::Notify(notify) => Some(notify),
            Threshold::Shift(_) | Threshold::Block(_) => None,
        });
        if !spenders.is_empty() {
            let spent = Spent { cloud, budget, notices: notices.collect(), spenders };
            artifacts.extend(spent.artifacts(out));
        }
    }
    artifacts
}

impl Spent<'_, '_> {
    fn spec(&self) -> &BudgetSpec {
        &self.budget.spec
    }

    fn of_tenant(&self) -> bool {
        matches!(self.spec().scope, BudgetScope::Tenant(_))
    }

    /// Whether the bill tells that calls count towards this budget.
    fn on_bill(&self, caller: &Caller) -> bool {
        caller.billed && (caller.charged || !self.of_tenant())
    }

    /// Whether telemetry of gateways tells it.
    fn in_telemetry(&self, caller: &Caller) -> bool {
        let counted = match self.spec().limit.value {
            BudgetLimit::Money(money) => money.currency == "USD",
            BudgetLimit::Tokens(_) => true,
        };
        counted && caller.gateway.is_some_and(|gateway| self.cloud.counts(gateway))
    }

    fn artifacts(&self, out: &mut Diagnostics) -> Vec<Artifact> {
        self.refuse_shifts(out);
        let asks = !self.notices.is_empty() || (!self.of_tenant() && self.block().is_some());
        let stop = self.cloud.stops.iter().find(|stop| stop.budget.name() == self.budget.name());
        if !asks && stop.is_none() {
            return Vec::new();
        }
        let on_bill = self.spenders.iter().any(|caller| self.on_bill(caller));
        let in_telemetry = self.spenders.iter().any(|caller| self.in_telemetry(caller));
        let billed = if on_bill { self.billed() } else { Err(None) };
        match billed {
            Ok(billed) => {
                self.tell_differences(out);
                let made = self.artifact(&billed, out);
                let action = stop.and_then(|stop| action::artifact(self, stop, self.region(&billed), out));
                made.into_iter().chain(action).collect()
            }
            Err(Some((span, why))) if in_telemetry && self.of_tenant() => {
                let message = format!("{why}, so only what goes through gateways is watched");
                out.report(note(span, message));
                Vec::new()
            }
            Err(Some((span, why))) => {
                let help = "write the limit in USD, by the day, month, quarter or year";
                out.report(rule::UNSUPPORTED.at(span, why, "AWS Budgets cannot do this").help(help));
                Vec::new()
            }
            Err(None) => {
                if !in_telemetry {
                    self.refuse_notices(out);
                }
                Vec::new()
            }
        }
    }

    fn block(&self) -> Option<Span> {
        self.spec().thresholds.iter().find_map(|threshold| match threshold {
            Threshold::Block(block) => Some(block.at.span),
            Threshold::Notify(_) | Threshold::Shift(_) => None,
        })
    }

    /// What the service makes of the limit and the period, or the place that it can make nothing of.
    fn billed(&self) -> Result<Billed, Option<(Span, String)>> {
        let spec = self.spec();
        let no = |span: Span, why: &str| Err(Some((span, why.to_owned())));
        let money = match spec.limit.value {
            BudgetLimit::Money(money) if money.currency == "USD" => money,
            BudgetLimit::Money(_) => return no(spec.limit.span, "AWS Budgets counts US dollars"),
            BudgetLimit::Tokens(_) => return no(spec.limit.span, "AWS Budgets counts money, not tokens"),
        };
        let unit = match spec.period.value {
            BudgetPeriod::Day => "DAILY",
            BudgetPeriod::Week => return no(spec.period.span, "AWS Budgets has no weekly period"),
            BudgetPeriod::Month => "MONTHLY",
            BudgetPeriod::Quarter => "QUARTERLY",
            BudgetPeriod::Year => "ANNUALLY",
        };
        let region = match self.cloud.account.partition {
            Partition::Aws => "us-east-1",
            Partition::AwsCn => "cn-northwest-1",
            Partition::AwsUsGov | Partition::AwsEusc => {
                return no(spec.limit.span, "AWS Budgets is not in this partition");
            }
        };
        Ok(Billed { money, unit, region })
    }

    fn region(&self, billed: &Billed) -> (String, Origin) {
        (billed.region.to_owned(), self.cloud.account.default("budgets.region"))
    }

    fn refuse_notices(&self, out: &mut Diagnostics) {
        for notify in &self.notices {
            let message = format!(
                "nobody counts what of budget `{}` is spent here, so nobody can be told",
                self.budget.name()
            );
            let help =
                "set `telemetry: { prometheus: true }` of the gateways, or let agents call models themselves";
            out.report(rule::UNSUPPORTED.at(notify.at.span, message, "nothing to compare with").help(help));
        }
    }

    /// Nothing but a gateway can send requests elsewhere, and a gateway does so for a tenant.
    fn refuse_shifts(&self, out: &mut Diagnostics) {
        for threshold in self.spec().thresholds.iter().filter(|_| !self.of_tenant()) {
            if let Threshold::Shift(shift) = threshold {
                let message = "nothing shifts requests for more than a tenant";
                let help = "use `do: block`, or give the tenants budgets of their own";
                out.report(rule::UNSUPPORTED.at(shift.to.span, message, "").help(help));
            }
        }
    }

    fn tell_differences(&self, out: &mut Diagnostics) {
        let spec = self.spec();
        if let Some(zone) = spec.time_zone.as_ref().filter(|zone| zone.value.0.as_str() != "UTC") {
            out.report(note(zone.span, "periods of AWS Budgets begin at midnight UTC"));
        }
        let apart = self.spenders.iter().any(|caller| !self.on_bill(caller));
        if self.of_tenant() && apart {
            let message = "the bill of AWS tells what agents of the tenant call themselves; what goes through gateways is \
                           counted there, and each is compared with the whole limit";
            out.report(note(spec.limit.span, message));
        }
        let accounts = self.cloud.account.graph().each::<EnvironmentSpec>();
        let own = self.cloud.account.id();
        let several = accounts.into_iter().any(|(_, other)| other.spec.aws.account_id.value.as_str() != own);
        if matches!(spec.scope, BudgetScope::Organisation) && several {
            out.report(note(spec.limit.span, "each account is compared with the whole limit"));
        }
    }

    pub(super) fn name(&self) -> Option<String> {
        self.cloud.account.limited_name(&[self.budget.name().as_str()], "budgets.budgetName")
    }

    pub(super) fn address(&self) -> Option<Address> {
        Some(address("Budget", self.name()?))
    }

    fn artifact(&self, billed: &Billed, out: &mut Diagnostics) -> Option<Artifact> {
        let (account, spec) = (self.cloud.account, self.spec());
        let metric = account.default("budgets.metric");
        let amount = Tree::map([
            ("Amount", Tree::text(amount(billed.money))),
            ("Unit", Tree::text(billed.money.currency)),
        ]);
        let budget = Tree::map([
            ("BudgetName", Tree::text(self.name()?).from(account.default("origin.name"))),
            ("BudgetLimit", amount.from(Origin::written(spec.limit.span))),
            ("TimeUnit", Tree::text(billed.unit).from(Origin::written(spec.period.span))),
            ("BudgetType", Tree::text("COST").from(metric.clone())),
            ("FilterExpression", self.filter()),
            ("Metrics", Tree::list([Tree::text("UnblendedCost")]).from(metric)),
        ]);
        let mut members = vec![("AccountId", self::account(account)), ("Budget", budget)];
        let notifications = self.notifications(out)?;
        if !notifications.is_empty() {
            members.push(("NotificationsWithSubscribers", Tree::list(notifications)));
        }
        members.push(("ResourceTags", tag_list(account, ("Key", "Value"))));
        let request = self.cloud.request(self.address()?, self.region(billed), members);
        Some(request.artifact(&Origin::written(self.budget.name_span())))
    }

    /// What of the bill counts. A bill names the model of everything that is paid for one.
    fn filter(&self) -> Tree {
        let account = self.cloud.account;
        let BudgetScope::Tenant(tenant) = &self.spec().scope else {
            let absent = Tree::list([Tree::text("ABSENT")]);
            let model = Tree::map([("Key", Tree::text("model")), ("MatchOptions", absent)]);
            let none = Tree::map([("ProductAttributes", model)]);
            return Tree::map([("Not", none)]).from(account.default("budgets.filter"));
        };
        let tag = |key: &str, value: &str| {
            let tag = [("Key", Tree::text(key)), ("Values", Tree::list([Tree::text(value)]))];
            Tree::map([("Tags", Tree::map(tag))])
        };
        let workspace = account.input.metadata.name.value.as_str();
        let both = [
            tag("aipolicy:tenant", tenant.name.value.as_str()).from(Origin::written(tenant.name.span)),
            tag("aipolicy:workspace", workspace).from(account.default("aws.tags")),
        ];
        Tree::map([("And", Tree::list(both))]).from(account.default("budgets.filter"))
    }

    fn notifications(&self, out: &mut Diagnostics) -> Option<Vec<Tree>> {
        let most = self.cloud.account.graph().catalog().limit("budgets.notifications")?;
        if let Some(next) = usize::try_from(most).ok().and_then(|most| self.notices.get(most)) {
            let message = format!("a budget of AWS has at most {most} notices");
            out.report(rule::TARGET_LIMIT.at(next.at.span, message, "one too many").help("leave one out"));
            return None;
        }
        for (at, notify) in self.notices.iter().enumerate() {
            let same = |other: &&&Notify| other.at.value == notify.at.value;
            if let Some(first) = self.notices.iter().take(at).find(same) {
                let found =
                    rule::TARGET_LIMIT.at(notify.at.span, "a budget of AWS has one notice at a share", "");
                out.report(found.label(first.at.span, "the other one").help("put the addresses together"));
                return None;
            }
        }
        self.notices.iter().map(|notify| self.notification(notify, out)).collect()
    }

    fn notification(&self, notify: &Notify, out: &mut Diagnostics) -> Option<Tree> {
        let account = self.cloud.account;
        let notification = Tree::map([
            ("NotificationType", Tree::text("ACTUAL").from(account.default("budgets.metric"))),
            ("ComparisonOperator", Tree::text("GREATER_THAN").from(account.default("budgets.metric"))),
            ("Threshold", Tree::decimal(f64::from(notify.at.value.basis_points()) / 100.0)),
            ("ThresholdType", Tree::text("PERCENTAGE")),
        ]);
        let subscribers = subscribers(account, &notify.to, out)?;
        let tree = Tree::map([("Notification", notification), ("Subscribers", subscribers)]);
        Some(tree.from(Origin::written(notify.at.span)))
    }
}

/// The number of the account.
pub(super) fn account(account: &Account<'_>) -> Tree {
    Tree::text(account.id()).from(Origin::written(account.environment.spec.aws.account_id.span))
}

/// Everybody who is told: up to ten addresses of e-mail and one topic.
pub(super) fn subscribers(
    account: &Account<'_>,
    to: &[Spanned<Text>],
    out: &mut Diagnostics,
) -> Option<Tree> {
    let mut counts = BTreeMap::new();
    let mut all = Vec::new();
    for one in to {
        let text = one.value.as_str();
        let Some((kind, limit)) = subscription(text) else {
            let message = format!("AWS Budgets cannot tell `{text}`");
            let help = "name an e-mail address or the ARN of an SNS topic";
            out.report(rule::UNSUPPORTED.at(one.span, message, "").help(help));
            return None;
        };
        let most = account.graph().catalog().limit(limit)?;
        let count: &mut u64 = counts.entry(kind).or_default();
        *count += 1;
        if *count > most {
            let message =
                format!("a notice of AWS Budgets has at most {most} subscribers of the type {kind}");
            out.report(
                rule::TARGET_LIMIT.at(one.span, message, "one too many").help("use one topic for them"),
            );
            return None;
        }
        let tree = Tree::map([("SubscriptionType", Tree::text(kind)), ("Address", Tree::text(text))]);
        all.push(tree.from(Origin::written(one.span)));
    }
    Some(Tree::list(all))
}

/// The type of a subscriber, and the limit that the catalog has for it.
fn subscription(text: &str) -> Option<(&'static str, &'static str)> {
    if is_mail(text) {
        return Some(("EMAIL", "budgets.mailsOfNotice"));
    }
    let topic = text.starts_with("arn:") && text.split(':').nth(2) == Some("sns");
    topic.then_some(("SNS", "budgets.topicsOfNotice"))
}

fn is_mail(text: &str) -> bool {
    let plain = !text.contains(char::is_whitespace) && !text.contains(char::is_control);
    plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// Money without its currency.
fn amount(money: Money) -> String {
    let text = money.to_string();
    text.split_once(' ').map_or(text.clone(), |(_, amount)| amount.to_owned())
}

pub(super) fn note(span: Span, message: impl Into<String>) -> Diagnostic {
    let note = rule::APPROXIMATED.at(span, message, "AWS Budgets does this differently");
    Diagnostic { severity: Severity::Note, ..note }
}
