//! The provider `aws`: documents of an example, applied through the SDKs to a server that plays AWS.

mod acme;
mod adoption;
mod agents;
mod canary;
mod kills;
mod kinds;
mod roles;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Done, copy_of, done, edit, plain};
use crate::servers::Aws;
use kills::Place;

/// The account of the example.
const ACCOUNT: &str = "111122223333";
/// An account, and a workspace of which some targets live in it.
struct Site {
    server: Aws,
    _place: tempfile::TempDir,
    folder: PathBuf,
}

impl Site {
    fn new(targets: &[&str]) -> Self {
        let (place, folder) = copy_of("quickstart");
        let providers: Vec<_> = targets.iter().map(|target| format!("{target}: aws")).collect();
        let providers = format!("  providers: {{ {} }}\n  logging:", providers.join(", "));
        edit(&folder, "environment.yaml", "  logging:", &providers);
        Self { server: Aws::start(), _place: place, folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = plain(&self.folder, arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.server.address)
            .env("AWS_ACCESS_KEY_ID", format!("AKIA{ACCOUNT}"))
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("HOME", &self.folder);
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        done(&mut self.command(arguments))
    }

    #[track_caller]
    fn apply(&self) -> String {
        self.run(&["apply", "--yes"]).expect(0)
    }

    /// A plan finds nothing to do, and asking has changed nothing.
    #[track_caller]
    fn is_settled(&self) {
        let before = self.writes();
        let said = self.run(&["plan", "--detailed-exitcode"]).expect(0);
        assert!(said.contains("no changes"), "{said}");
        assert_eq!(self.writes(), before, "a plan only looks");
    }

    fn wish(&self, wish: &Value) {
        self.server.ask("config", Some(wish));
    }

    /// The operations that changed something, in order, with how each ended.
    fn writes(&self) -> Vec<(String, String)> {
        let log = self.server.ask("log", None);
        let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("").to_owned();
        let all = log.as_array().unwrap().iter();
        let all = all.map(|entry| (word(entry, "operation"), word(entry, "outcome")));
        let reads = ["Describe", "Get", "List"];
        all.filter(|(name, _)| !reads.iter().any(|start| name.starts_with(start))).collect()
    }

    /// A copy of everything.
    fn branch(&self) -> Place {
        Place::copy(&self.server, &self.folder, ("dev", ACCOUNT))
    }

    /// Forgets everything: the account, and the state.
    fn reset(&self) {
        self.server.ask("reset", Some(&json!({})));
        let _none = std::fs::remove_dir_all(self.folder.join(".aipolicy"));
    }
}

/// Starts an apply, and gives it back where the server holds it. Nothing if it came to its end before.
fn held(site: &Site, at: (usize, &str), more: &[&str]) -> Option<Child> {
    held_of(site, at, &[&["apply", "--yes"], more].concat())
}

/// The same of any command.
fn held_of(site: &Site, at: (usize, &str), command: &[&str]) -> Option<Child> {
    let (write, when) = at;
    site.wish(&json!({ "hold": { "write": write, "when": when } }));
    let held = || site.server.ask("writes", None)["held"].as_u64().unwrap();
    let before = held();
    let mut apply: Child = site.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    loop {
        if let Some(status) = apply.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0), "write {write}, killed {when}");
            return None;
        }
        if held() > before {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "write {write} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(apply)
}

/// Starts an apply, and kills it where the server holds it. Nothing if it came to its end before.
fn killed(site: &Site, at: (usize, &str), more: &[&str]) -> Option<()> {
    let mut apply = held(site, at, more)?;
    apply.kill().unwrap();
    apply.wait().unwrap();
    Some(())
}
