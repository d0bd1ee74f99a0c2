//! Kills: of an apply at any instant, the next one finds a world and a state, and has to repair both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::{Done, done, plain};
use crate::servers::Aws;

/// Everything that there is in all accounts, without ids and times: texts, by what keeps them.
pub(super) type Census = BTreeMap<String, Vec<String>>;

/// A workspace, and the server in which it lives in an account.
pub(super) struct Place {
    pub(super) server: Aws,
    _place: tempfile::TempDir,
    pub(super) folder: PathBuf,
    of: (&'static str, &'static str),
}

impl Place {
    /// A copy of a workspace with its state, and of a server: what is left behind when whoever works there is killed. `of` is the
    /// environment and its account.
    pub(super) fn copy(server: &Aws, folder: &Path, of: (&'static str, &'static str)) -> Self {
        let place = tempfile::tempdir().unwrap();
        copied(folder, place.path());
        let folder = place.path().to_path_buf();
        Self { server: server.branch(), _place: place, folder, of }
    }

    pub(super) fn branch(&self) -> Self {
        Self::copy(&self.server, &self.folder, self.of)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let (environment, account) = self.of;
        let mut command = plain(&self.folder, arguments);
        command
            .args(["-e", environment])
            .env("AWS_ENDPOINT_URL", &self.server.address)
            .env("AWS_ACCESS_KEY_ID", format!("AKIA{account}"))
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("HOME", &self.folder);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Done {
        done(&mut self.command(arguments))
    }

    #[track_caller]
    pub(super) fn apply(&self) -> String {
        self.run(&["apply", "--yes"]).expect(0)
    }

    /// Starts an apply, and says nothing of what it says.
    pub(super) fn start(&self, more: &[&str]) -> Child {
        let mut command = self.command(&["apply", "--yes"]);
        command.args(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(super) fn wish(&self, wish: &Value) {
        self.server.ask("config", Some(wish));
    }

    /// A plan finds nothing to do, and asking has changed nothing.
    #[track_caller]
    pub(super) fn is_settled(&self) {
        let before = self.made();
        let said = self.run(&["plan", "--detailed-exitcode"]).expect(0);
        assert!(said.contains("no changes"), "{said}");
        assert_eq!(self.made(), before, "a plan only looks");
    }

    /// How many calls there were that change something.
    pub(super) fn made(&self) -> u64 {
        self.server.ask("writes", None)["made"].as_u64().unwrap()
    }

    fn held(&self) -> u64 {
        self.server.ask("writes", None)["held"].as_u64().unwrap()
    }

    pub(super) fn census(&self) -> Census {
        serde_json::from_value(self.server.ask("census", None)).unwrap()
    }

    /// One apply more, and everything is as it is where nobody was killed: nothing is lost, doubled or left over, and what is of
    /// others is as it was.
    #[track_caller]
    pub(super) fn is_repaired(&self, expected: &Census, after: &str) {
        let said = self.run(&["apply", "--yes"]);
        assert_eq!(said.exit, 0, "{after}: {}{}", said.out, said.err);
        self.is_settled();
        is_same(&self.census(), expected, after);
    }

    /// Kills an apply where the server holds one of its calls, the n-th that changes something. Whether it came so far; one that did
    /// not has come to its end.
    #[track_caller]
    pub(super) fn killed_at(&self, (write, when): (u64, &str)) -> bool {
        let before = self.held();
        self.wish(&json!({ "hold": { "write": write, "when": when } }));
        let mut apply = self.start(&[]);
        let came = until(&mut apply, || self.held() > before, &format!("{when} write {write}"));
        let _ended = apply.kill();
        apply.wait().unwrap();
        self.wish(&json!({ "hold": {} }));
        came
    }

    /// Kills an apply so long after its first call that changes something. Whether it came so far.
    #[track_caller]
    pub(super) fn killed_after(&self, pause: Duration) -> bool {
        let before = self.made();
        let mut apply = self.start(&[]);
        let came = until(&mut apply, || self.made() > before, "the first write");
        std::thread::sleep(pause);
        let came = came && apply.try_wait().unwrap().is_none();
        let _ended = apply.kill();
        apply.wait().unwrap();
        came
    }
}

/// Waits for something to happen while an apply runs. Whether it did; an apply that ended before has to have ended well.
#[track_caller]
fn until(apply: &mut Child, happened: impl Fn() -> bool, what: &str) -> bool {
    let start = Instant::now();
    loop {
        if happened() {
            return true;
        }
        if let Some(status) = apply.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0), "{what}");
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Carries out an apply, and stops it before and after each of its calls that change something. For each instant that is `wanted`,
/// `look` is given what a kill would leave behind there, and what instant that is. How many calls there were.
#[track_caller]
pub(super) fn at_each_instant(
    place: &Place,
    wanted: impl Fn(usize) -> bool,
    mut look: impl FnMut(&Place, &str),
) -> usize {
    let (place, mut instants) = (place.branch(), 0);
    place.wish(&json!({ "step": true }));
    let mut apply = place.start(&["--parallelism", "1"]);
    loop {
        let waiting = || place.server.ask("writes", None)["waiting"].clone();
        if !until(&mut apply, || !waiting().is_null(), "the next write") {
            break;
        }
        if wanted(instants) {
            let (waiting, left) = (waiting(), place.branch());
            let (operation, when) =
                (waiting["operation"].as_str().unwrap(), waiting["when"].as_str().unwrap());
            look(&left, &format!("killed {when} {operation}, the call {}", instants / 2 + 1));
        }
        instants += 1;
        place.server.ask("go", Some(&json!({})));
    }
    assert_eq!(instants % 2, 0, "each call has a before and an after");
    instants / 2
}

/// Tells two worlds apart by the first thing that is not in both.
#[track_caller]
pub(super) fn is_same(found: &Census, expected: &Census, after: &str) {
    for kind in found.keys().chain(expected.keys()) {
        let (found, expected) = (found.get(kind), expected.get(kind));
        assert_eq!(found, expected, "{after}: {kind}");
    }
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
