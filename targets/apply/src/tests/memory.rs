//! A service of objects in memory, which loses answers, dies and is tampered with as a test asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use crate::objects::{Expect, Object, ObjectError, Objects};

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is done, and who asked hears that what was expected is not so, as a client does that asks again after a lost answer.
    Unheard,
    /// It is not done, and nothing after it.
    Before,
    /// It is done, and nothing after it.
    After,
}

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, (Vec<u8>, u64, Duration)>,
    /// How many writes there were.
    writes: usize,
    now: Duration,
    fault: Option<(usize, Fault)>,
    is_dead: bool,
}

#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Kept>>);

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// Lets a fault happen at a write, counted from 1.
    pub(super) fn fails_at(&self, write: usize, fault: Fault) {
        let mut kept = self.kept();
        (kept.writes, kept.fault, kept.is_dead) = (0, Some((write, fault)), false);
    }

    /// Lets everything be well again.
    pub(super) fn heals(&self) {
        let mut kept = self.kept();
        (kept.fault, kept.is_dead) = (None, false);
    }

    pub(super) fn writes(&self) -> usize {
        self.kept().writes
    }

    /// The clock of the service goes on.
    pub(super) fn passes(&self, time: Duration) {
        self.kept().now += time;
    }

    /// Everything that is there.
    pub(super) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        self.kept().objects.iter().map(|(name, (bytes, ..))| (name.clone(), bytes.clone())).collect()
    }

    /// Somebody else makes this everything that is there.
    pub(super) fn set(&self, all: &BTreeMap<String, Vec<u8>>) {
        let mut kept = self.kept();
        let (now, first) = (kept.now, kept.writes as u64 + 1_000_000);
        kept.writes += all.len();
        let set =
            all.iter().zip(first..).map(|((name, bytes), tag)| (name.clone(), (bytes.clone(), tag, now)));
        kept.objects = set.collect();
    }
}

fn lost() -> ObjectError {
    ObjectError::Refused { place: "memory".into(), reason: "nobody is there".into() }
}

#[async_trait]
impl Objects for Memory {
    async fn get(&self, name: &str) -> Result<Option<Object>, ObjectError> {
        let kept = self.kept();
        if kept.is_dead {
            return Err(lost());
        }
        let found = kept.objects.get(name);
        Ok(found.map(|(bytes, tag, written)| Object {
            bytes: bytes.clone(),
            tag: tag.to_string(),
            age: Some(kept.now - *written),
        }))
    }

    async fn put(
        &self,
        name: &str,
        expect: Expect<'_>,
        bytes: Vec<u8>,
    ) -> Result<Option<String>, ObjectError> {
        // Others come in between, as they do with a service.
        tokio::task::yield_now().await;
        let mut kept = self.kept();
        if kept.is_dead {
            return Err(lost());
        }
        kept.writes += 1;
        let fault = kept.fault.filter(|(write, _)| *write == kept.writes).map(|(_, fault)| fault);
        kept.is_dead = matches!(fault, Some(Fault::Before | Fault::After));
        if fault == Some(Fault::Before) {
            return Err(lost());
        }
        let found = kept.objects.get(name).map(|(_, tag, _)| tag.to_string());
        let is_so = match expect {
            Expect::Absent => found.is_none(),
            Expect::Tag(tag) => found.as_deref() == Some(tag),
        };
        if !is_so {
            return Ok(None);
        }
        let (tag, now) = (kept.writes as u64, kept.now);
        kept.objects.insert(name.to_owned(), (bytes, tag, now));
        match fault {
            None | Some(Fault::Before) => Ok(Some(tag.to_string())),
            Some(Fault::Unheard) => Ok(None),
            Some(Fault::After) => Err(lost()),
        }
    }

    async fn list(&self, start: &str) -> Result<Vec<String>, ObjectError> {
        let kept = self.kept();
        if kept.is_dead {
            return Err(lost());
        }
        Ok(kept.objects.keys().filter(|name| name.starts_with(start)).cloned().collect())
    }

    fn place(&self, name: &str) -> String {
        format!("memory/{name}")
    }
}
