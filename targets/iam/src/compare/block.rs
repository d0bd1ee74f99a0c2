//! Sets of requests as blocks: one set for each dimension of a request, and what is left of a block without another.

use std::rc::Rc;

use fixedbitset::FixedBitSet;

/// The requests whose every dimension is within a set.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    sides: Vec<Side>,
}

/// What a block says of one dimension.
#[derive(Clone, Debug)]
pub(crate) enum Side {
    /// Anything.
    Full,
    /// One of these classes, for a dimension with one value.
    One(Rc<FixedBitSet>),
    /// These lists of values, for a key with many.
    Many(Rc<Values>),
}

/// Lists of values, none included, whose every value is of a class in `within` and which have one of each of `meets`.
///
/// Such sets are closed under intersection, and what one lacks of another is a union of such, so that no list of lists
/// is ever needed.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    /// The classes of which values may be.
    pub(crate) within: FixedBitSet,
    /// Of each of these sets, the list has a value.
    pub(crate) meets: Vec<FixedBitSet>,
}

impl Values {
    fn and(&self, other: &Self) -> Option<Self> {
        let within = &self.within & &other.within;
        let meets = self.meets.iter().chain(&other.meets).map(|meet| meet & &within).collect();
        Self { within, meets }.possible()
    }

    /// `None` where no list is such.
    fn possible(mut self) -> Option<Self> {
        if self.meets.iter().any(FixedBitSet::is_clear) {
            return None;
        }
        let all = std::mem::take(&mut self.meets);
        for (at, meet) in all.iter().enumerate() {
            let implied = all.iter().enumerate().any(|(other_at, other)| {
                other_at != at && other.is_subset(meet) && (other != meet || other_at < at)
            });
            if !implied {
                self.meets.push(meet.clone());
            }
        }
        Some(self)
    }

    /// The lists of `self` that are not of `other`, in disjoint parts.
    fn without(&self, other: &Self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut outside = self.within.clone();
        outside.difference_with(&other.within);
        let mut rest = self.clone();
        let mut beyond = rest.clone();
        beyond.meets.push(outside);
        parts.extend(beyond.possible());
        rest.within.intersect_with(&other.within);
        for meet in &other.meets {
            let mut missing = rest.clone();
            missing.within.difference_with(meet);
            for one in &mut missing.meets {
                one.intersect_with(&missing.within);
            }
            parts.extend(missing.possible());
            rest.meets.push(meet & &rest.within);
        }
        parts
    }
}

impl Side {
    fn and(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Full, side) | (side, Self::Full) => side.clone(),
            (Self::One(a), Self::One(b)) if a.is_subset(b) => Self::One(Rc::clone(a)),
            (Self::One(a), Self::One(b)) => {
                let both = a.as_ref() & b.as_ref();
                if both.is_clear() {
                    return None;
                }
                Self::One(Rc::new(both))
            }
            (Self::Many(a), Self::Many(b)) => Self::Many(Rc::new(a.and(b)?)),
            // A dimension has one kind of sides. Taking neither for a subset of the other keeps every answer safe.
            (Self::One(_), Self::Many(_)) | (Self::Many(_), Self::One(_)) => self.clone(),
        })
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::One(classes) if classes.is_clear())
    }

    fn is_apart(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(a), Self::One(b)) => a.is_disjoint(b),
            (Self::Many(a), Self::Many(b)) => a.and(b).is_none(),
            (Self::Full | Self::One(_) | Self::Many(_), _) => false,
        }
    }

    /// What `self` has and `other` has not, given all that the dimension has.
    fn without(&self, other: &Self, all: &Self) -> Vec<Self> {
        match (self, other) {
            (_, Self::Full) => Vec::new(),
            (Self::Full, _) => match all {
                Self::Full => vec![Self::Full],
                Self::One(_) | Self::Many(_) => all.without(other, all),
            },
            (Self::One(a), Self::One(b)) if a.is_subset(b) => Vec::new(),
            (Self::One(a), Self::One(b)) => {
                let mut left = a.as_ref().clone();
                left.difference_with(b);
                vec![Self::One(Rc::new(left))]
            }
            (Self::Many(a), Self::Many(b)) => {
                a.without(b).into_iter().map(|values| Self::Many(Rc::new(values))).collect()
            }
            (Self::One(_), Self::Many(_)) | (Self::Many(_), Self::One(_)) => vec![self.clone()],
        }
    }
}

impl Block {
    /// All requests of so many dimensions.
    pub(crate) fn full(dimensions: usize) -> Self {
        Self { sides: vec![Side::Full; dimensions] }
    }

    /// What the block says of a dimension.
    pub(crate) fn side(&self, dimension: usize) -> &Side {
        self.sides.get(dimension).unwrap_or(&Side::Full)
    }

    /// The requests of the block that are also within `side`; `None` where there are none.
    pub(crate) fn narrowed(mut self, dimension: usize, side: &Side) -> Option<Self> {
        let place = self.sides.get_mut(dimension)?;
        *place = place.and(side).filter(|both| !both.is_nothing())?;
        Some(self)
    }

    /// The requests of both; `None` where there are none.
    pub(crate) fn and(&self, other: &Self) -> Option<Self> {
        let sides: Option<Vec<Side>> = self.sides.iter().zip(&other.sides).map(|(a, b)| a.and(b)).collect();
        Some(Self { sides: sides? })
    }

    /// Whether no request is of both.
    pub(crate) fn is_apart(&self, other: &Self) -> bool {
        self.sides.iter().zip(&other.sides).any(|(a, b)| a.is_apart(b))
    }

    /// Adds the requests of `self` that are not of `other`, in disjoint blocks, given all that each dimension has.
    pub(crate) fn without(mut self, other: &Self, all: &[Side], left: &mut Vec<Self>) {
        if self.is_apart(other) {
            left.push(self);
            return;
        }
        for (dimension, all) in all.iter().enumerate() {
            let theirs = other.side(dimension);
            for outside in self.side(dimension).without(theirs, all) {
                let mut part = self.clone();
                if let Some(place) = part.sides.get_mut(dimension) {
                    *place = outside;
                }
                left.push(part);
            }
            if let Some(place) = self.sides.get_mut(dimension)
                && let Some(both) = place.and(theirs)
            {
                *place = both;
            }
        }
    }
}
