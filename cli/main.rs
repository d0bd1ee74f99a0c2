//! The command line: the only code that reads a workspace, prints, or ends the process.

mod command;
mod error;
mod evaluated;
mod findings;
mod load;
mod markdown;
mod output;
mod provider;
mod render;
mod revision;
mod signing;
mod steps;
mod timings;
mod ui;
mod waiting;
mod workspace;
mod world;

use std::process::ExitCode;

use clap::Parser;

use error::{CliError, Exit};
use ui::Ui;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Input is bounded in depth, and these stacks hold the deepest that is accepted.
const MAIN_STACK: usize = 64 << 20;
const WORKER_STACK: usize = 16 << 20;

/// Compiles declarations of tenants, models, agents, routes and residency rules into IAM policies and gateway
/// configurations, after Cedar has approved every access that they ask for.
///
/// Exit codes: 0 clean or no change, 1 error in the input, the usage or the tool, 2 changes, 3 a policy or a
/// mandatory check says no, 4 an approval or a change window is missing, 5 a plan or state is stale, 6 a lock is held.
#[derive(Parser)]
#[command(name = "aipolicy", version, propagate_version = false, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> ExitCode {
    let worker = std::thread::Builder::new().stack_size(MAIN_STACK).spawn(run);
    let exit = worker.map(std::thread::JoinHandle::join);
    ExitCode::from(match exit {
        Ok(Ok(exit)) => exit as u8,
        Ok(Err(_)) | Err(_) => Exit::Error as u8,
    })
}

fn run() -> Exit {
    let mut ui = Ui::new();
    let done = match Arguments::try_parse() {
        Ok(arguments) => start_workers().and_then(|()| arguments.command.run(&mut ui)),
        Err(usage) => ui.usage(&usage),
    };
    done.unwrap_or_else(|error| ui.failure(&error))
}

fn start_workers() -> Result<(), CliError> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(WORKER_STACK).build_global();
    pool.map_err(|error| CliError::tool(format!("threads cannot be started: {error}")))
}
