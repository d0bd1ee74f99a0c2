//! What one side allows and the other does not, as blocks of requests: none left is a proof.

use std::collections::BTreeSet;

use super::atoms::{Memory, TooMany};
use super::block::Block;
use super::draft::{Draft, Reading, Reasons, Toward, Variables, draft};
use super::space::Space;
use crate::document::{Effect, Matcher, Statement, Version};
use crate::pattern::{Pattern, may_have_variables};

/// The statements of the policies that decide together: a request is allowed when a statement of each layer allows it,
/// and no statement of any denies it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) layers: Vec<Vec<Placed<'a>>>,
}

/// A statement, and which it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) version: Version,
    /// The number of the policy among those of its side.
    pub(crate) policy: usize,
    /// The number of the statement in its policy.
    pub(crate) number: usize,
    /// The same for statements of both sides that differ in spelling alone.
    pub(crate) twin: usize,
}

impl Placed<'_> {
    /// The patterns of `Resource`; none of `NotResource`.
    pub(crate) fn resources(&self) -> Vec<Pattern> {
        match &self.statement.resources {
            Some(Matcher::In(texts)) => {
                texts.iter().map(|text| Pattern::resource(text, self.version)).collect()
            }
            Some(Matcher::NotIn(_)) | None => Vec::new(),
        }
    }

    /// The condition keys that policy variables of the statement name, in lower case.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        let values = self.statement.conditions.values().flat_map(|keys| keys.values()).flatten();
        let resources = self.statement.resources.iter().flat_map(Matcher::patterns);
        let texts = values.map(String::as_str).chain(resources).filter(|text| may_have_variables(text));
        let patterns = texts.map(|text| Pattern::like(text, self.version));
        patterns.flat_map(|pattern| pattern.variables().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

impl<'a> Scope<'a> {
    fn denies(&self) -> impl Iterator<Item = Placed<'a>> {
        self.layers.iter().flatten().filter(|one| one.statement.effect == Effect::Deny).copied()
    }

    fn allows(layer: &[Placed<'a>]) -> impl Iterator<Item = Placed<'a>> {
        layer.iter().filter(|one| one.statement.effect == Effect::Allow).copied()
    }
}

/// Requests that one side may allow and the other may not.
#[derive(Debug)]
pub(crate) struct Leftover<'a> {
    /// The statement that allows them; of several layers, that of the first.
    pub(crate) allowed_by: Placed<'a>,
    /// What denies them on the other side, where something does.
    pub(crate) denied_by: Option<Placed<'a>>,
    /// Requests, in a space of the search.
    pub(crate) block: Block,
    /// The number of the space.
    pub(crate) space: usize,
}

/// All that was found, and the spaces in which it stands.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) spaces: Vec<(Reading, Space)>,
    pub(crate) leftovers: Vec<Leftover<'a>>,
}

/// How many blocks may be made before the search gives up.
const BLOCKS: usize = 200_000;

/// A search for what `mine` allows and `other` does not.
pub(crate) struct Search<'a, 's> {
    pub(crate) mine: &'s Scope<'a>,
    pub(crate) other: &'s Scope<'a>,
    pub(crate) reasons: Reasons,
    found: Found<'a>,
    blocks: usize,
    memory: &'s mut Memory,
}

/// A statement, taken apart.
type Drafted<'a> = (Placed<'a>, Draft);
/// A statement, as blocks.
type Drawn<'a> = (Placed<'a>, Vec<Block>);

/// What a pass looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Whether the other side allows as much.
    Allows,
    /// Whether it denies anything of it.
    Denies,
}

impl<'a, 's> Search<'a, 's> {
    pub(crate) fn new(mine: &'s Scope<'a>, other: &'s Scope<'a>, memory: &'s mut Memory) -> Self {
        Self { mine, other, reasons: Reasons::new(), found: Found::default(), blocks: 0, memory }
    }

    /// Looks with both readings of `*` in resources, since AWS does not say which it takes.
    pub(crate) fn run(mut self) -> Result<(Found<'a>, Reasons), TooMany> {
        for over_colons in [true, false] {
            if !over_colons && !self.depends_on_colons() {
                continue;
            }
            self.pass(Pass::Allows, Reading { variables: Variables::Letters, over_colons })?;
            self.pass(Pass::Denies, Reading { variables: Variables::Anything, over_colons })?;
        }
        Ok((self.found, self.reasons))
    }

    fn depends_on_colons(&self) -> bool {
        let all = self.mine.layers.iter().chain(&self.other.layers).flatten();
        all.filter_map(|one| one.statement.resources.as_ref().map(|resources| (resources, one.version)))
            .flat_map(|(resources, version)| resources.patterns().map(move |text| (text, version)))
            .any(|(text, version)| {
                let pattern = Pattern::resource(text, version);
                pattern.within_components() != pattern
            })
    }

    fn pass(&mut self, pass: Pass, reading: Reading) -> Result<(), TooMany> {
        let (mine, other) = (self.mine, self.other);
        // Letters for variables are safe for one text alone, and each layer has its own.
        let layered = Reading { variables: Variables::Anything, ..reading };
        let first = if mine.layers.len() > 1 { layered } else { reading };
        let allowed: Vec<Vec<Drafted<'a>>> =
            mine.layers.iter().map(|layer| self.drafts(Scope::allows(layer), Toward::More, first)).collect();
        let taken = self.drafts(mine.denies(), Toward::Less, reading);
        let (given, denied) = match pass {
            Pass::Allows => {
                let layers = other.layers.iter();
                (
                    layers.map(|layer| self.drafts(Scope::allows(layer), Toward::Less, reading)).collect(),
                    Vec::new(),
                )
            }
            Pass::Denies => {
                let denies = other.denies().filter(|deny| !mine.denies().any(|own| own.twin == deny.twin));
                (Vec::new(), self.drafts(denies, Toward::More, reading))
            }
        };
        if given.is_empty() && denied.is_empty() {
            return Ok(());
        }
        let all = allowed.iter().chain(&given).chain([&taken, &denied]).flatten();
        let space = Space::of(all.map(|(_, draft)| draft), self.memory)?;
        let draw = |drafts: &Vec<Drafted<'a>>| -> Vec<Drawn<'a>> {
            drafts.iter().map(|(placed, draft)| (*placed, space.blocks(draft))).collect()
        };
        let allowed: Vec<Vec<Drawn<'a>>> = allowed.iter().map(draw).collect();
        let (taken, denied) = (draw(&taken), draw(&denied));
        let given: Vec<Vec<Drawn<'a>>> = given.iter().map(draw).collect();
        for (statements, block) in self.product(&allowed)? {
            let Some(allowed_by) = statements.first().copied() else { continue };
            let rest = self.without(vec![block], &taken, &space)?;
            for layer in &given {
                // Not even what is read with an error on the safe side is beyond a statement that is there as well.
                if layer.iter().any(|(one, _)| statements.iter().any(|own| own.twin == one.twin)) {
                    continue;
                }
                let left = self.without(rest.clone(), layer, &space)?;
                self.leave((allowed_by, None), left);
            }
            for (deny, blocks) in &denied {
                let hit = rest.iter().flat_map(|one| blocks.iter().filter_map(|deny| one.and(deny)));
                let hit = hit.collect();
                self.leave((allowed_by, Some(*deny)), hit);
            }
        }
        self.found.spaces.push((reading, space));
        Ok(())
    }

    fn drafts(
        &mut self,
        statements: impl Iterator<Item = Placed<'a>>,
        toward: Toward,
        reading: Reading,
    ) -> Vec<Drafted<'a>> {
        statements
            .filter_map(|one| {
                let draft = draft((one.statement, one.version), toward, reading, &mut self.reasons)?;
                Some((one, draft))
            })
            .collect()
    }

    /// What statements of all layers allow together, and these statements.
    fn product(&mut self, layers: &[Vec<Drawn<'a>>]) -> Result<Vec<(Vec<Placed<'a>>, Block)>, TooMany> {
        let Some((first, others)) = layers.split_first() else { return Ok(Vec::new()) };
        let blocks =
            first.iter().flat_map(|(one, blocks)| blocks.iter().map(|block| (vec![*one], block.clone())));
        let mut product: Vec<(Vec<Placed<'a>>, Block)> = blocks.collect();
        for layer in others {
            let mut both = Vec::new();
            for (statements, block) in &product {
                for (one, blocks) in layer {
                    let met = blocks.iter().filter_map(|other| block.and(other));
                    both.extend(met.map(|met| (statements.iter().copied().chain([*one]).collect(), met)));
                }
                self.spend(layer.len())?;
            }
            product = both;
        }
        Ok(product)
    }

    fn without(
        &mut self,
        mut blocks: Vec<Block>,
        taken: &[Drawn<'a>],
        space: &Space,
    ) -> Result<Vec<Block>, TooMany> {
        for other in taken.iter().flat_map(|(_, blocks)| blocks) {
            if blocks.is_empty() {
                break;
            }
            if blocks.iter().all(|block| block.is_apart(other)) {
                continue;
            }
            let mut left = Vec::with_capacity(blocks.len());
            blocks.into_iter().for_each(|block| block.without(other, &space.all, &mut left));
            blocks = left;
            self.spend(blocks.len())?;
        }
        Ok(blocks)
    }

    fn spend(&mut self, blocks: usize) -> Result<(), TooMany> {
        self.blocks += blocks;
        if self.blocks > BLOCKS { Err(TooMany) } else { Ok(()) }
    }

    fn leave(&mut self, (allowed_by, denied_by): (Placed<'a>, Option<Placed<'a>>), blocks: Vec<Block>) {
        let space = self.found.spaces.len();
        let leftovers = blocks.into_iter().map(|block| Leftover { allowed_by, denied_by, block, space });
        self.found.leftovers.extend(leftovers);
    }
}
