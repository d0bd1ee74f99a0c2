//! Events of a bus: EventBridge hands what fits a pattern to the function.

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::trigger::{EventMatch, EventTrigger};
use aipolicy_compiler::model::value::Literal;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;

use super::{DeadLetters, Trigger, refusal};
use crate::artifact::Artifact;
use crate::bedrock::request::{Request, address};
use crate::bedrock::shared::plain_name;
use crate::origin::Origin;
use crate::request::tag_list;
use crate::tree::Tree;

/// The longest pattern of a rule, in characters.
const LONGEST: usize = 2048;

pub(super) fn artifacts(
    trigger: &Trigger<'_>,
    found: &EventTrigger,
    letters: &mut DeadLetters,
    out: &mut Diagnostics,
) -> Vec<Artifact> {
    let (account, region) = (trigger.agent.account, trigger.agent.region());
    let bus = match &found.bus {
        Some(bus) => {
            let Some(name) = plain_name(bus, out) else { return Vec::new() };
            Tree::text(name).from(Origin::written(bus.span))
        }
        None => Tree::text("default").from(trigger.default("trigger.bus")),
    };
    let Some((service, rule_arn)) = account.delivers(trigger.agent.resource, trigger.spec) else {
        return Vec::new();
    };
    let members = vec![
        ("Name", trigger.named()),
        ("EventBusName", bus.clone()),
        ("EventPattern", pattern(found, out)),
        ("State", Tree::text("ENABLED").from(trigger.default("trigger.function"))),
        ("Tags", tag_list(account, ("Key", "Value"))),
    ];
    let own = address("Rule", &trigger.name);
    let rule = Request { address: own.clone(), region: region.clone(), members, needs: Vec::new() };
    let permission = trigger.permission((service, &rule_arn));
    let permitted = letters.permit(trigger, (service, &rule_arn), out);
    let target = Tree::map([
        ("Id", Tree::text("agent").from(trigger.default("origin.name"))),
        ("Arn", Tree::text(trigger.function_arn()).from(trigger.default("origin.name"))),
        ("DeadLetterConfig", Tree::map([("Arn", trigger.dead.arn())])),
        ("RetryPolicy", trigger.retries()),
    ]);
    let members = vec![("Rule", trigger.named()), ("EventBusName", bus), ("Targets", Tree::list([target]))];
    let needs = vec![own, permission.document.address.clone(), permitted];
    let targets = Request { address: address("RuleTargets", &trigger.name), region, members, needs };
    vec![rule.artifact(&trigger.origin), permission, targets.artifact(&trigger.origin)]
}

/// The pattern that events have to fit.
fn pattern(found: &EventTrigger, out: &mut Diagnostics) -> Tree {
    let text = |one: &Spanned<aipolicy_compiler::model::value::Text>| {
        Tree::text(one.value.as_str()).from(Origin::written(one.span))
    };
    let mut entries = vec![("source", Tree::list([text(&found.source)]))];
    if !found.detail_type.is_empty() {
        entries.push(("detail-type", Tree::list(found.detail_type.iter().map(text))));
    }
    let mut detail = Fields::default();
    for (path, wanted) in &found.detail.0 {
        let names: Vec<_> = path.split('.').collect();
        if detail.put(&names, conditions(wanted, out)).is_none() {
            let message = format!("`{path}` is inside another field that is compared, or holds one");
            out.report(refusal(wanted.span, &message, "compare one of the two"));
        }
    }
    if !found.detail.0.is_empty() {
        entries.push(("detail", detail.tree()));
    }
    let tree = Tree::map(entries);
    let size = serde_json::to_string(&tree).map_or(usize::MAX, |text| text.chars().count());
    if size > LONGEST {
        let message = format!("a pattern has at most {LONGEST} characters, and this has {size}");
        out.report(rule::TARGET_LIMIT.at(found.source.span, message, "").help("compare fewer fields"));
    }
    tree
}

/// Fields of an event, as they are nested.
#[derive(Default)]
struct Fields(BTreeMap<String, Field>);

enum Field {
    Is(Tree),
    Has(Fields),
}

impl Fields {
    /// Puts what a field must be where its names lead; nothing where another is in the way.
    fn put(&mut self, names: &[&str], wanted: Tree) -> Option<()> {
        let (first, rest) = names.split_first()?;
        if rest.is_empty() {
            let before = self.0.insert((*first).to_owned(), Field::Is(wanted));
            return before.is_none().then_some(());
        }
        let inner = self.0.entry((*first).to_owned()).or_insert_with(|| Field::Has(Self::default()));
        match inner {
            Field::Has(inner) => inner.put(rest, wanted),
            Field::Is(_) => None,
        }
    }

    fn tree(self) -> Tree {
        Tree::map(self.0.into_iter().map(|(name, field)| {
            let inner = match field {
                Field::Is(wanted) => wanted,
                Field::Has(inner) => inner.tree(),
            };
            (name, inner)
        }))
    }
}

/// What a field must be, any of it.
fn conditions(wanted: &Spanned<EventMatch>, out: &mut Diagnostics) -> Tree {
    let EventMatch { one_of, prefix, min, max, exists } = &wanted.value;
    let mut all: Vec<_> = one_of.iter().map(literal).collect();
    all.extend(prefix.as_ref().map(|prefix| {
        let text = Tree::text(prefix.value.as_str()).from(Origin::written(prefix.span));
        Tree::map([("prefix", text)])
    }));
    let bound = |word: &'static str, bound: &Option<Spanned<Literal>>| {
        bound.as_ref().map(|bound| [Tree::text(word), literal(bound)])
    };
    let bounds: Vec<_> = [bound(">=", min), bound("<=", max)].into_iter().flatten().flatten().collect();
    if !bounds.is_empty() {
        all.push(Tree::map([("numeric", Tree::list(bounds))]));
    }
    all.extend(
        exists.as_ref().map(|exists| {
            Tree::map([("exists", Tree::bool(exists.value).from(Origin::written(exists.span)))])
        }),
    );
    let kinds = [!one_of.is_empty(), prefix.is_some(), min.is_some() || max.is_some(), exists.is_some()];
    if kinds.into_iter().filter(|said| *said).count() != 1 {
        let message = "a field is compared in one way: EventBridge would take several for alternatives";
        out.report(refusal(wanted.span, message, "write `oneOf`, `prefix`, `exists`, or `min` and `max`"));
    }
    for number in [min, max].into_iter().flatten() {
        if !matches!(number.value, Literal::Integer(_)) {
            out.report(refusal(number.span, "this is no number", "write a whole number"));
        }
    }
    Tree::list(all).from(Origin::written(wanted.span))
}

fn literal(one: &Spanned<Literal>) -> Tree {
    let tree = match &one.value {
        Literal::Text(text) => Tree::text(text),
        Literal::Integer(number) => Tree::integer(*number),
        Literal::Bool(value) => Tree::bool(*value),
    };
    tree.from(Origin::written(one.span))
}
