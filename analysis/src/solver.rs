//! Where cvc5 is, and how its process is asked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::solver::{Decision, LocalSolver, Solver as _};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// For so long a question may take.
pub const LIMIT: Duration = Duration::from_secs(60);
/// For so long a request is looked for that is easier to read.
const HURRY: Duration = Duration::from_secs(10);
/// Room for terms as deep as policies may be, in bytes.
const STACK: usize = 256 << 20;
/// The solver gives up by itself before it is ended.
const GRACE: Duration = Duration::from_secs(5);

/// Finds cvc5: the program that the variable `CVC5` names, or else the first `cvc5` of `PATH`.
///
/// # Errors
///
/// `CVC5` names no file.
pub fn find(named: Option<&OsStr>, path: Option<&OsStr>) -> Result<Option<PathBuf>, String> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let program = PathBuf::from(named);
        return match program.is_file() {
            true => Ok(Some(program)),
            false => Err(format!("`CVC5` names `{}`, and there is no such file", program.display())),
        };
    }
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    Ok(folders.map(|folder| folder.join("cvc5")).find(|program| program.is_file()))
}

/// A question about policies that were compiled for one type of requests.
pub(crate) enum Query<'a> {
    /// Whether the second set permits whatever the first one does.
    Implies(&'a CompiledPolicySet, &'a CompiledPolicySet),
    /// Whether a set denies everything.
    Denies(&'a CompiledPolicySet),
    /// Whether a policy matches nothing.
    NeverMatches(&'a CompiledPolicy),
    /// Whether a policy can always be evaluated.
    NeverErrors(&'a CompiledPolicy),
}

/// A solver, started when it is first asked and again after it has failed.
#[derive(Debug)]
pub struct Solver {
    program: PathBuf,
    limit: Duration,
    running: Option<CedarSymCompiler<LocalSolver>>,
    runtime: Arc<Runtime>,
}

impl Solver {
    /// A program that reads SMT-LIB from its standard input as cvc5 does.
    ///
    /// # Errors
    ///
    /// It cannot be started, or does not answer.
    pub fn new(program: &Path, limit: Duration) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = Arc::new(runtime.map_err(|error| format!("nothing can wait for a solver: {error}"))?);
        let solver =
            Self { program: program.to_owned(), limit, running: None, runtime: Arc::clone(&runtime) };
        let no = |why: &str| format!("`{}` does not answer as cvc5 does: {why}", program.display());
        runtime.block_on(async {
            let mut process = solver.start()?;
            match timeout(GRACE, process.check_sat()).await {
                Ok(Ok(Decision::Sat)) => Ok(()),
                Ok(Ok(said)) => Err(no(&format!("{said:?} to an empty question"))),
                Ok(Err(error)) => Err(no(&error.to_string())),
                Err(_) => Err(no("nothing comes")),
            }
        })?;
        Ok(solver)
    }

    /// What waits for the process. One thread is enough: the solver is what is slow.
    pub(crate) fn runtime(&self) -> Arc<Runtime> {
        Arc::clone(&self.runtime)
    }

    /// Waits for what asks, where terms of policies that are read can be walked: they are walked recursively.
    pub(crate) fn wait<T: Send>(&mut self, ask: impl AsyncFnOnce(&mut Self) -> T + Send) -> T {
        let runtime = self.runtime();
        let work = move || runtime.block_on(ask(self));
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            #[expect(
                clippy::expect_used,
                reason = "a process that gets no thread cannot start a solver either"
            )]
            let thread = thread.expect("a thread");
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Another process, for what is not worth waiting for.
    pub(crate) fn hurried(&self) -> Self {
        let (program, runtime) = (self.program.clone(), self.runtime());
        Self { program, limit: self.limit.min(HURRY), running: None, runtime }
    }

    fn start(&self) -> Result<LocalSolver, String> {
        let mut command = Command::new(&self.program);
        command
            .args(["--lang", "smt", &format!("--tlimit-per={}", self.limit.as_millis())])
            .kill_on_drop(true);
        let started = LocalSolver::from_command(&mut command);
        started.map_err(|error| format!("`{}` cannot be started: {error}", self.program.display()))
    }

    /// A counterexample, or none where there is none; or why neither is known.
    pub(crate) async fn ask(&mut self, query: Query<'_>) -> Result<Option<Env>, String> {
        let limit = self.limit;
        let mut running = match self.running.take() {
            Some(running) => running,
            None => CedarSymCompiler::new(self.start()?).map_err(|error| error.to_string())?,
        };
        let asked = async {
            match query {
                Query::Implies(narrow, wide) => {
                    running.check_implies_with_counterexample_opt(narrow, wide).await
                }
                Query::Denies(set) => running.check_always_denies_with_counterexample_opt(set).await,
                Query::NeverMatches(policy) => {
                    running.check_never_matches_with_counterexample_opt(policy).await
                }
                Query::NeverErrors(policy) => {
                    running.check_never_errors_with_counterexample_opt(policy).await
                }
            }
        };
        match timeout(limit + GRACE, asked).await {
            Ok(Ok(found)) => {
                self.running = Some(running);
                Ok(found)
            }
            Ok(Err(Error::SolverUnknown)) => {
                Err(format!("the solver does not know, or not within {} s", limit.as_secs()))
            }
            Ok(Err(error)) => Err(format!("the solver fails: {error}")),
            Err(_) => Err(format!("the solver does not answer within {} s", limit.as_secs())),
        }
    }
}
