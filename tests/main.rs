//! The one test binary of the workspace: the tidy rules, the case harness and, beside them, the end-to-end suites.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures for whoever asks with `--nocapture`"
)]

mod actions;
mod changes;
mod checks;
mod cli;
mod corpus;
mod fingerprints;
mod flow;
mod harness;
mod iam;
mod inspect;
mod integrations;
mod language;
mod lint;
mod policies;
mod residency;
mod servers;
mod targets;
mod tidy;
mod trials;
mod waivers;
