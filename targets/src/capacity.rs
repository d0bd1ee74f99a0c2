//! The most instances of a workload that its quota, the models that it calls and its budget can keep busy.

use std::collections::BTreeSet;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::ir::Object as Asked;
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::budget::{BudgetPeriod, BudgetSpec};
use aipolicy_compiler::model::model::{ModelSpec, Quota};
use aipolicy_compiler::model::reference::Ref;
use aipolicy_compiler::model::route::{FallbackTarget, RouteSpec};
use aipolicy_compiler::model::value::{BudgetLimit, Count, Name, Price, Rate, RateUnit};
use aipolicy_compiler::model::workload::{ScaleMetric, WorkloadSpec};
use aipolicy_compiler::source::{Span, Spanned};

use crate::account::Account;

/// What a quota says of one unit.
type OfQuota = for<'q> fn(&'q Quota) -> Option<&'q Spanned<Rate>>;

/// A unit of quotas: what a quota says of it, and how much of it is used.
type Unit = (RateUnit, OfQuota, fn(&Use) -> u128);

/// A day in seconds, which every period of a rate divides.
const DAY: u128 = 86_400;

/// One bound on the number of instances.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) most: u64,
    /// The computation, for people.
    pub(crate) told: String,
    /// What bounds.
    pub(crate) span: Span,
    /// `quota` or `budget`.
    pub(crate) by: &'static str,
}

impl Term {
    /// Says the period of a limit in the computation.
    fn per(mut self, period: &str) -> Self {
        self.told = self.told.replacen(" / ", &format!(" per {period} / "), 1);
        self
    }
}

/// What an instance uses at its best: a number of units in a number of milliseconds.
struct Use {
    tokens: u128,
    requests: u128,
    /// Micro-units of a currency, and which.
    cost: Option<(u128, &'static str)>,
    milliseconds: u128,
    told: String,
}

/// A workload with what it was granted, and what bounds it.
pub(crate) struct Capacity<'c, 'w> {
    pub(crate) account: &'c Account<'w>,
    pub(crate) spec: &'w WorkloadSpec,
    pub(crate) grants: &'c [Grant<'w>],
}

impl<'w> Capacity<'_, 'w> {
    /// Every bound, in the order of quotas, those of models that are called, and budgets.
    pub(crate) fn terms(&self) -> Vec<Term> {
        let graph = self.account.graph();
        let spec = self.spec;
        let Some(tenant) = graph.get(&spec.tenant) else { return Vec::new() };
        let uses = self.uses();
        let served = spec.serves.as_ref().and_then(|serves| graph.get(&serves.model));
        let quotas = tenant.spec.quota.iter().chain(served.and_then(|model| model.spec.quota.as_ref()));
        let mut terms: Vec<Term> = quotas.flat_map(|quota| self.by_quota(quota, &uses)).collect();
        terms.extend(self.by_models());
        let budgets = spec.tenant.id().into_iter().flat_map(|tenant| graph.budgets_of(tenant));
        terms.extend(budgets.filter_map(|budget| self.by_budget(&budget.spec, &uses)));
        terms
    }

    /// Quotas of tokens and of requests.
    fn by_quota(&self, quota: &Quota, uses: &[Use]) -> Vec<Term> {
        let rated = |rate: Option<&Spanned<Rate>>, unit: RateUnit, amount: fn(&Use) -> u128| {
            let rate = rate.filter(|rate| rate.value.unit == unit)?;
            let period = u128::from(rate.value.period.seconds()) * 1000;
            let most =
                |used: &Use| divided(u128::from(rate.value.amount), used.milliseconds, period, amount(used));
            self.term((rate.span, "quota"), uses, most)
        };
        let tokens = rated(quota.tokens.as_ref(), RateUnit::Tokens, |used| used.tokens);
        let requests = rated(quota.requests.as_ref(), RateUnit::Requests, |used| used.requests);
        tokens.into_iter().chain(requests).collect()
    }

    /// Quotas of the models that are called. A kind of use is bounded by all that it can reach together, since a fallback takes what
    /// is throttled; and not at all where one of them says nothing.
    fn by_models(&self) -> Vec<Term> {
        let kinds: Vec<_> = match (&self.spec.serves, self.rate()) {
            (Some(_), _) => Vec::new(),
            (None, Some(rate)) => vec![(self.at_rate(rate), self.reached(self.routes(), self.called()))],
            (None, None) => {
                let kind =
                    |route| Some((self.of_route(route)?, self.reached(std::iter::once(route), Vec::new())));
                self.routes().filter_map(kind).collect()
            }
        };
        let units: [Unit; 2] = [
            (RateUnit::Tokens, |quota| quota.tokens.as_ref(), |used| used.tokens),
            (RateUnit::Requests, |quota| quota.requests.as_ref(), |used| used.requests),
        ];
        let bound = |(unit, of, amount): Unit| {
            let counted = kinds.iter().filter(|(used, _)| amount(used) > 0);
            let bounds =
                counted.map(|(used, models)| self.together((unit, of), (used, amount(used)), models));
            bounds.collect::<Option<Vec<Term>>>()?.into_iter().max_by_key(|term| term.most)
        };
        units.into_iter().filter_map(bound).collect()
    }

    /// How many instances these models can serve together.
    fn together(
        &self,
        (unit, of): (RateUnit, OfQuota),
        (used, amount): (&Use, u128),
        models: &[&'w Resource<ModelSpec>],
    ) -> Option<Term> {
        let rate = |model: &&'w Resource<ModelSpec>| {
            let rate = of(model.spec.quota.as_ref()?).filter(|rate| rate.value.unit == unit)?;
            Some((rate, model.name()))
        };
        let rates = models.iter().map(rate).collect::<Option<Vec<_>>>()?;
        let daily = |rate: Rate| u128::from(rate.amount) * (DAY / u128::from(rate.period.seconds()));
        let sum = rates.iter().map(|(rate, _)| daily(rate.value)).sum();
        let most = divided(sum, used.milliseconds, DAY * 1000, amount)?;
        let written = |(rate, model): &(&Spanned<Rate>, &Name)| {
            format!("{} of {model}", self.account.input.sources.slice(rate.span))
        };
        let written = rates.iter().map(written).collect::<Vec<_>>().join(" + ");
        let written = if rates.len() > 1 { format!("({written})") } else { written };
        let (first, _) = rates.first()?;
        Some(Term {
            most,
            told: format!("{most} = {written} / {}", used.told),
            span: first.span,
            by: "quota",
        })
    }

    /// A budget that is spent evenly over its period.
    fn by_budget(&self, budget: &BudgetSpec, uses: &[Use]) -> Option<Term> {
        let period = seconds(budget.period.value) * 1000;
        let word = budget.period.value.word();
        let most = |used: &Use| match budget.limit.value {
            BudgetLimit::Tokens(tokens) => {
                divided(u128::from(tokens.count()), used.milliseconds, period, used.tokens)
            }
            BudgetLimit::Money(money) => {
                let (cost, _) = used.cost.filter(|(_, currency)| *currency == money.currency)?;
                divided(u128::from(money.micros), used.milliseconds, period, cost)
            }
        };
        self.term((budget.limit.span, "budget"), uses, most).map(|term| term.per(word))
    }

    /// The bound of the kind of use that allows the most instances, since any of them may be what they do.
    fn term(
        &self,
        (span, by): (Span, &'static str),
        uses: &[Use],
        most: impl Fn(&Use) -> Option<u64>,
    ) -> Option<Term> {
        let bounds = uses.iter().filter_map(|used| Some((most(used)?, used)));
        let (most, used) = bounds.max_by_key(|(most, _)| *most)?;
        let written = self.account.input.sources.slice(span);
        let told = format!("{most} = {written} / {}", used.told);
        Some(Term { most, told, span, by })
    }

    /// What an instance may be doing: so many tokens a second where that is said, else one request of a route at a time.
    fn uses(&self) -> Vec<Use> {
        match self.rate() {
            Some(rate) => vec![self.at_rate(rate)],
            None => self.routes().filter_map(|route| self.of_route(route)).collect(),
        }
    }

    /// How many tokens a second an instance is said to use.
    fn rate(&self) -> Option<&'w Spanned<Count>> {
        let metrics = self.spec.scale.iter().flat_map(|scale| &scale.metrics);
        metrics.into_iter().find_map(|metric| match metric {
            ScaleMetric::TokensPerSecond(rate) => Some(rate),
            ScaleMetric::P95(_) | ScaleMetric::QueueDepth(_) => None,
        })
    }

    fn at_rate(&self, rate: &Spanned<Count>) -> Use {
        let tokens = u128::from(rate.value.0);
        let graph = self.account.graph();
        let served = self.spec.serves.as_ref().and_then(|serves| graph.get(&serves.model));
        let models: Vec<_> = match served {
            Some(model) => vec![model],
            None => {
                let routed = self.routes().flat_map(|route| self.models(route));
                routed.chain(self.called()).collect()
            }
        };
        let dearest = models.into_iter().filter_map(|model| self.dearest(&model.spec)).max();
        Use {
            tokens,
            requests: 0,
            cost: dearest.map(|(price, currency)| ((price * tokens).div_ceil(1_000_000), currency)),
            milliseconds: 1000,
            told: format!("{tokens} tokens per second and instance"),
        }
    }

    /// One request at its caps, for as long as it may take.
    fn of_route(&self, route: &'w Resource<RouteSpec>) -> Option<Use> {
        let spec = &route.spec;
        let timeout = spec.timeout.as_ref()?;
        let longest = timeout.total.as_ref().or(timeout.attempt.as_ref())?;
        let cap = |input: bool| {
            let caps = spec.caps.as_ref()?;
            let cap = if input { caps.input.as_ref() } else { caps.output.as_ref() };
            Some(u128::from(cap?.value.count()))
        };
        let (input, output) = (cap(true), cap(false));
        let cost = |model: &'w Resource<ModelSpec>| {
            let (of_input, of_output, currency) = self.prices(&model.spec)?;
            let micros = input? * of_input + output? * of_output;
            Some((micros.div_ceil(1_000_000), currency))
        };
        Some(Use {
            tokens: input.zip(output).map_or(0, |(input, output)| input + output),
            requests: 1,
            cost: self.models(route).into_iter().filter_map(cost).max(),
            milliseconds: u128::from(longest.value.milliseconds()),
            told: format!(
                "one request of route {} at its caps, {} long",
                route.name(),
                self.account.input.sources.slice(longest.span)
            ),
        })
    }

    fn routes(&self) -> impl Iterator<Item = &'w Resource<RouteSpec>> {
        let mut granted = Vec::new();
        for grant in self.grants {
            if let Asked::Route(route) = grant.decision.request.object {
                granted.extend(self.account.graph().resource(route));
            }
        }
        granted.into_iter()
    }

    /// The models that a workload calls directly.
    fn called(&self) -> Vec<&'w Resource<ModelSpec>> {
        let mut granted = Vec::new();
        for grant in self.grants {
            if let Asked::Model(model) = grant.decision.request.object {
                granted.extend(self.account.graph().resource(model));
            }
        }
        granted
    }

    /// The models that a route names itself.
    fn models(&self, route: &'w Resource<RouteSpec>) -> Vec<&'w Resource<ModelSpec>> {
        let graph = self.account.graph();
        let fallbacks = route.spec.fallback.iter().filter_map(|fallback| match &fallback.target {
            FallbackTarget::Model(model) => Some(model),
            FallbackTarget::Route(_) => None,
        });
        let named = route.spec.primary.iter().map(|primary| &primary.model).chain(fallbacks);
        named.filter_map(|model: &Ref<ModelSpec>| graph.get(model)).collect()
    }

    /// Some models, and those of routes and of the routes behind them, each once.
    fn reached(
        &self,
        routes: impl Iterator<Item = &'w Resource<RouteSpec>>,
        mut models: Vec<&'w Resource<ModelSpec>>,
    ) -> Vec<&'w Resource<ModelSpec>> {
        let graph = self.account.graph();
        let (mut waiting, mut seen): (Vec<_>, BTreeSet<_>) = (routes.collect(), BTreeSet::new());
        while let Some(route) = waiting.pop() {
            if !seen.insert(route.name()) {
                continue;
            }
            models.extend(self.models(route));
            waiting.extend(route.spec.fallback.iter().filter_map(|fallback| match &fallback.target {
                FallbackTarget::Model(_) => None,
                FallbackTarget::Route(route) => graph.get(route),
            }));
        }
        models.sort_by_key(|model| model.name());
        models.dedup_by_key(|model| model.name());
        models
    }

    /// Micro-units for a million tokens of input and of output, as written or as the catalog knows them.
    fn prices(&self, model: &ModelSpec) -> Option<(u128, u128, &'static str)> {
        let (input, output) = match &model.price {
            Some(prices) => (prices.input.value, prices.output.as_ref().map(|price| price.value)),
            None => {
                let fact = self.account.graph().catalog().model(model.model_id.value.as_str())?;
                let read = |text: &Option<String>| Price::of_catalog(text.as_deref()?);
                (read(&fact.price.input)?, read(&fact.price.output))
            }
        };
        let output = output.filter(|output| output.money.currency == input.money.currency);
        let micros = |price: Price| u128::from(price.micros_per_million());
        Some((micros(input), output.map_or(0, micros), input.money.currency))
    }

    fn dearest(&self, model: &ModelSpec) -> Option<(u128, &'static str)> {
        let (input, output, currency) = self.prices(model)?;
        Some((input.max(output), currency))
    }
}

/// How many instances share `amount` in a period, each using `used` in `milliseconds`.
fn divided(amount: u128, milliseconds: u128, period: u128, used: u128) -> Option<u64> {
    let most = amount.saturating_mul(milliseconds).checked_div(period.checked_mul(used)?)?;
    Some(u64::try_from(most).unwrap_or(u64::MAX).min(MOST))
}

/// What `maxReplicaCount` may hold is a number of 32 bits; nobody has a million instances.
const MOST: u64 = 1_000_000;

/// The length of a period in seconds; the shortest one where lengths differ would allow more than the budget, so months
/// have 31 days.
fn seconds(period: BudgetPeriod) -> u128 {
    let days = match period {
        BudgetPeriod::Day => 1,
        BudgetPeriod::Week => 7,
        BudgetPeriod::Month => 31,
        BudgetPeriod::Quarter => 92,
        BudgetPeriod::Year => 366,
    };
    days * 86_400
}
