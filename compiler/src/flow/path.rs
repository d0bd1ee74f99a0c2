//! Ways of content, as a tree whose branches may be shared: how many there are, and which is the shortest that leaks.

use std::rc::Rc;
use std::sync::Arc;

use crate::model::residency_rule::CrossRegion;
use crate::resolve::{Processing, Residency};
use crate::source::Span;

/// One step of a way: what becomes of the content, by which resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'g> {
    /// What becomes of it, in words that go before the name: "falls back to model".
    pub what: &'static str,
    /// The name of the resource; empty for a place that has none.
    pub name: &'g str,
    /// The text that says so.
    pub span: Span,
}

/// Where a way ends: the region in which content is processed or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The region, `global` or `unknown`.
    pub region: String,
    /// The region of the call and the inference profile that moved it, where one did.
    pub moved: Option<(String, String)>,
    /// What the rules about this content allow together; nothing where no rule is about it.
    pub residency: Option<Arc<Residency>>,
}

impl End {
    /// Where content stays.
    pub(super) fn at(region: &str, residency: Option<Arc<Residency>>) -> Self {
        Self { region: region.to_owned(), moved: None, residency }
    }

    /// Where a call of a model is processed.
    pub(super) fn of_call(call: Processing, residency: Option<Arc<Residency>>) -> Self {
        let moved = call.profile.map(|profile| (call.source, profile));
        Self { region: call.region, moved, residency }
    }

    /// Whether the rules do not allow content here. What is not known is no region that a rule allows.
    fn leaks(&self) -> bool {
        let Some(residency) = &self.residency else { return false };
        let allowed = |region: &str| residency.regions.contains(region);
        match (&self.moved, residency.cross_region) {
            (Some((source, _)), CrossRegion::Any) if allowed(source) => false,
            (Some((source, _)), CrossRegion::Never) if *source != self.region => true,
            (Some(_) | None, CrossRegion::Any | CrossRegion::Never | CrossRegion::Within) => {
                !allowed(&self.region)
            }
        }
    }
}

/// How many ways there are from a step to the ends behind it. Numbers stop at the greatest that they can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Of content that a rule is about.
    pub held: u128,
    /// Of content that no rule is about.
    pub free: u128,
    /// To places that the rules do not allow.
    pub leaks: u128,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.held = self.held.saturating_add(other.held);
        self.free = self.free.saturating_add(other.free);
        self.leaks = self.leaks.saturating_add(other.leaks);
    }
}

/// A step with everything that follows. Ways that come together share what follows, so that there are as many nodes as there
/// are steps, and not as many as there are ways.
#[derive(Debug)]
pub(super) struct Node<'g> {
    step: Step<'g>,
    end: Option<End>,
    next: Vec<Rc<Node<'g>>>,
    pub(super) count: Count,
    /// How many steps the shortest way that leaks still has.
    nearest: Option<usize>,
}

impl<'g> Node<'g> {
    /// A step that others follow.
    pub(super) fn new(step: Step<'g>, next: Vec<Rc<Self>>) -> Rc<Self> {
        let mut count = Count::default();
        next.iter().for_each(|node| count += node.count);
        let nearest = next.iter().filter_map(|node| node.nearest).min().map(|steps| steps + 1);
        Rc::new(Self { step, end: None, next, count, nearest })
    }

    /// A last step.
    pub(super) fn end(step: Step<'g>, end: End) -> Rc<Self> {
        let (is_held, leaks) = (end.residency.is_some(), end.leaks());
        let count = Count { held: is_held.into(), free: (!is_held).into(), leaks: leaks.into() };
        Rc::new(Self { step, end: Some(end), next: Vec::new(), count, nearest: leaks.then_some(1) })
    }

    /// The shortest way from here that leaks, the first of several; nothing where none does.
    pub(super) fn shortest_leak(&self) -> Option<Leak<'g>> {
        let mut steps = vec![self.step];
        let mut node = self;
        loop {
            if let (Some(_), Some(end)) = (node.nearest, &node.end) {
                return Some(Leak { steps, end: end.clone() });
            }
            node = node.next.iter().filter(|next| next.nearest.is_some()).min_by_key(|next| next.nearest)?;
            steps.push(node.step);
        }
    }
}

/// A way that ends where no rule allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak<'g> {
    /// Its steps, from whoever has the content.
    pub steps: Vec<Step<'g>>,
    /// Where it ends.
    pub end: End,
}
