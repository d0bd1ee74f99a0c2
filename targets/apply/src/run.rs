//! The run of a release: changes side by side, each written down before and after.

use std::collections::HashMap;

use aipolicy_targets::artifact::{Address, Document};
use aipolicy_targets::plan::{Change, Plan};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet};

use crate::clock::written;
use crate::engine::{Options, Site};
use crate::journal::{Entry, Status};
use crate::operation::Operation;
use crate::outcome::{ApplyError, Event, Failure, Report, Skip, Skipped};
use crate::provider::WorldError;
use crate::schedule::Schedule;
use crate::state::{State, StateError};
use crate::world::World;

type Ended = Result<(Id, Result<(), WorldError>), JoinError>;

pub(crate) struct Run<'a> {
    plan: &'a Plan,
    world: &'a World,
    state: &'a mut State,
    options: Options,
    events: &'a mut dyn FnMut(Event),
    schedule: Schedule,
    tasks: JoinSet<Result<(), WorldError>>,
    /// The change that each task carries out.
    places: HashMap<Id, usize>,
    /// What is to be written down before anything new begins.
    entries: Vec<Entry>,
    report: Report,
    told: UnboundedReceiver<Event>,
    tell: UnboundedSender<Event>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        Site { world, state }: Site<'a>,
        options: Options,
        events: &'a mut dyn FnMut(Event),
    ) -> Self {
        let (tell, told) = unbounded_channel();
        let report =
            Report { release: None, status: Status::Complete, done: vec![], failed: vec![], skipped: vec![] };
        Self {
            plan,
            world,
            state,
            options,
            events,
            schedule: Schedule::new(&plan.changes),
            tasks: JoinSet::new(),
            places: HashMap::new(),
            entries: Vec::new(),
            report,
            told,
            tell,
        }
    }

    /// Carries out all that can be, and ends the release.
    pub(crate) async fn all(mut self, release: u64) -> Result<Report, ApplyError> {
        self.report.release = Some(release);
        loop {
            let starting = self.starting();
            if let Err(error) = self.write().await {
                self.let_end().await;
                return Err(error.into());
            }
            starting.into_iter().for_each(|place| self.begin(place));
            if self.tasks.is_empty() {
                break;
            }
            self.wait().await;
        }
        self.skip_rest();
        self.finish(release).await?;
        Ok(self.report)
    }

    /// Takes what may begin now, and intends it.
    fn starting(&mut self) -> Vec<usize> {
        let mut starting = Vec::new();
        while self.tasks.len() + starting.len() < self.options.parallelism.max(1)
            && !*self.options.stop.borrow()
        {
            let Some(place) = self.schedule.start() else { break };
            let Some(change) = self.plan.changes.get(place) else { continue };
            self.entries.push(intent(change));
            starting.push(place);
        }
        starting
    }

    /// Writes down what ended and what is about to begin, together: one write to disk for both.
    async fn write(&mut self) -> Result<(), StateError> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let time = written(self.options.claim.clock.now());
        self.state.append(&time, &std::mem::take(&mut self.entries)).await
    }

    /// What is in flight cannot be called back; it ends before the lock is given back.
    async fn let_end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn begin(&mut self, place: usize) {
        let Some(change) = self.plan.changes.get(place) else { return };
        let (address, action) = (change.address.clone(), change.action);
        (self.events)(Event::Started { address, action });
        let provider = self.world.provider(&change.address).cloned();
        let (change, patience, events) = (change.clone(), self.options.patience(), self.tell.clone());
        let task = self.tasks.spawn(async move {
            Operation { change, provider: provider?, patience, events }.perform().await
        });
        self.places.insert(task.id(), place);
    }

    /// Waits until something ends, and takes in all that did.
    async fn wait(&mut self) {
        tokio::select! {
            Some(event) = self.told.recv() => (self.events)(event),
            Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
        }
        while let Ok(event) = self.told.try_recv() {
            (self.events)(event);
        }
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Ended) {
        let (id, result) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Err(WorldError::Broken(error.to_string()))),
        };
        let Some(place) = self.places.remove(&id) else { return };
        let Some(change) = self.plan.changes.get(place) else { return };
        let address = change.address.clone();
        let error = result.as_ref().err().map(ToString::to_string);
        self.entries.push(Entry::Outcome { address: address.clone(), error });
        match result {
            Ok(()) => self.done(place, address),
            Err(error) => self.failed(place, Failure { address, error }),
        }
    }

    fn done(&mut self, place: usize, address: Address) {
        self.schedule.done(place);
        (self.events)(Event::Done(address.clone()));
        self.report.done.push(address);
    }

    fn failed(&mut self, place: usize, failure: Failure) {
        (self.events)(Event::Failed(failure.clone()));
        for dependant in self.schedule.failed(place) {
            self.skip(dependant, Skip::Needs(failure.address.clone()));
        }
        self.report.failed.push(failure);
    }

    fn skip(&mut self, place: usize, because: Skip) {
        let Some(change) = self.plan.changes.get(place) else { return };
        let skipped = Skipped { address: change.address.clone(), because };
        (self.events)(Event::Skipped(skipped.clone()));
        self.report.skipped.push(skipped);
    }

    fn skip_rest(&mut self) {
        for place in self.schedule.waiting().clone() {
            self.skip(place, Skip::Stopped);
        }
    }

    /// Ends the release. The decisions of a plan count once all of it is done.
    async fn finish(&mut self, release: u64) -> Result<(), StateError> {
        let is_stopped = self.report.skipped.iter().any(|skipped| skipped.because == Skip::Stopped);
        self.report.status = match (is_stopped, self.report.failed.is_empty()) {
            (true, _) => Status::Stopped,
            (false, true) => Status::Complete,
            (false, false) => Status::Partial,
        };
        let is_complete = self.report.status == Status::Complete;
        let journal = self.state.journal();
        let decisions =
            if is_complete { self.plan.decisions.clone() } else { journal.last_decisions().to_vec() };
        let applied = journal.last_applied().clone();
        self.entries.push(Entry::ReleaseFinished { release, status: self.report.status, applied, decisions });
        self.write().await
    }
}

fn intent(change: &Change) -> Entry {
    let digest = |document: &Option<Document>| document.as_ref().map(Document::digest);
    Entry::Intent {
        address: change.address.clone(),
        action: change.action,
        before: digest(&change.before),
        after: digest(&change.after),
    }
}
