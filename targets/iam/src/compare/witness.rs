//! Requests out of blocks, as close to real ones as can be.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::atoms::{Atoms, Letter};
use super::block::{Block, Side};
use super::draft::Key;
use super::search::Leftover;
use super::space::{Classes, Dimension, Space};
use crate::document::{PrincipalKind, Version};
use crate::pattern::{Pattern, Token};
use crate::request::{Caller, Request};

/// Requests of a leftover, the most likely first.
pub(crate) fn requests(leftover: &Leftover<'_>, space: &Space) -> Vec<Request> {
    Maker { leftover, space, values: BTreeMap::new() }.requests()
}

/// How many actions and how many resources are tried with each other.
const TRIED: usize = 6;

/// What stands for a policy variable whose key has any value.
const VALUE: &str = "example";

struct Maker<'a> {
    leftover: &'a Leftover<'a>,
    space: &'a Space,
    /// What each condition key has.
    values: BTreeMap<String, Vec<String>>,
}

impl Maker<'_> {
    fn requests(mut self) -> Vec<Request> {
        let Some(()) = self.conditions() else { return Vec::new() };
        let caller = self.texts(&Key::Principal, Vec::new()).into_iter().find_map(|text| caller(&text));
        let mut requests = Vec::new();
        for action in self.actions() {
            for resource in self.resources() {
                let mut request = Request::new(action.clone(), resource);
                request.principal.clone_from(&caller);
                for (key, values) in &self.values {
                    request.context.set(key, values.clone());
                }
                requests.push(request);
            }
        }
        requests
    }

    fn dimension(&self, key: &Key) -> Option<(&Dimension, &Side)> {
        let at = self.space.dimensions.iter().position(|dimension| dimension.key == *key)?;
        let all = self.space.all.get(at)?;
        let side = match self.leftover.block.side(at) {
            Side::Full => all,
            side @ (Side::One(_) | Side::Many(_)) => side,
        };
        Some((self.space.dimensions.get(at)?, side))
    }
}
