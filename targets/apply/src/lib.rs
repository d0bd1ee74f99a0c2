//! Everything that touches a world: providers, the journal, the lock, and the engine that carries out plans.
//!
//! | to | use |
//! |---|---|
//! | look at a world, or change one document in it | [`Provider`], [`Local`], `Aws`, [`World`] |
//! | know what was done, and keep others out meanwhile | [`State`], [`Journal`], [`Lock`] |
//! | carry out a plan | [`apply`], [`Site`], [`Options`], [`Report`] |

mod adoption;
#[cfg(feature = "aws")]
mod aws;
mod clock;
mod engine;
mod folder;
mod journal;
mod local;
mod lock;
mod marks;
mod objects;
mod operation;
mod outcome;
mod provider;
mod retry;
mod run;
mod schedule;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod world;

pub use adoption::{Adoption, Free, NotAdopted};
#[cfg(feature = "aws")]
pub use aws::{Aws, AwsPlace};
pub use clock::{Clock, SystemClock};
pub use engine::{Inputs, Options, Site, apply};
pub use folder::{FileError, FileProblem};
pub use journal::{
    Entry, InDoubt, Journal, JournalError, Lineage, Places, Release, Repair, Status, Unfinished,
};
pub use local::Local;
pub use lock::{Claim, Heartbeat, Lease, Lock, LockError};
#[cfg(feature = "aws")]
pub use objects::Bucket;
pub use objects::ObjectError;
pub use outcome::{ApplyError, Event, Failure, Report, Skip, Skipped, StaleBinding};
pub use provider::{Known, Provider, WorldError};
pub use state::{State, StateError, StatePlace};
pub use world::World;
