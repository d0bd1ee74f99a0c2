//! Everything that touches a world: providers, the journal, the lock, and the engine that carries out plans.
//!
//! | to | use |
//! |---|---|
//! | look at a world, or change one document in it | [`Provider`], [`Local`], `Aws`, [`World`] |
//! | know what was done, and keep others out meanwhile | [`State`], [`Journal`], [`Lock`] |
//! | carry out a plan | [`apply`], [`Site`], [`Options`], [`Report`] |

#[cfg(feature = "aws")]
mod aws;
mod clock;
mod engine;
mod folder;
mod journal;
mod line;
mod local;
mod lock;
mod marks;
mod operation;
mod outcome;
mod provider;
mod retry;
mod run;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod world;

#[cfg(feature = "aws")]
pub use aws::{Aws, AwsPlace};
pub use clock::{Clock, SystemClock};
pub use engine::{Inputs, Options, Site, apply};
pub use folder::{FileError, FileProblem};
pub use journal::{Entry, InDoubt, Journal, JournalError, Repair, Status, Unfinished};
pub use local::Local;
pub use lock::{Claim, Heartbeat, Lease, Lock, LockError};
pub use outcome::{ApplyError, Event, Failure, Report, Skip, Skipped, StaleBinding};
pub use provider::{Known, Provider, WorldError};
pub use state::{State, StateError};
pub use world::World;
