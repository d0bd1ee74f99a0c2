//! Tools of others that tests run: pinned, and installed into `target/tools` by the client of their registry.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use super::program::answer;
use super::root;

/// Who installs a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// A virtual environment of Python, which needs `python3`.
    Pip,
    /// A folder of Node, which needs `npm`.
    Npm,
    /// A folder of binaries, which needs `cargo`.
    Cargo,
}

/// A tool and what it brings along, each with its version.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
    /// Packages as the client writes them, for instance `botocore==1.44.5` or `jsonata@2.0.6`.
    pub(crate) packages: &'static [&'static str],
    /// Further words for the client.
    pub(crate) options: &'static [&'static str],
}

/// One test at a time installs.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Tool {
    /// The folder that the tool is installed in. What is there already is used; the pins are part of its mark.
    #[track_caller]
    pub(crate) fn folder(&self) -> PathBuf {
        let guard = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = root().join("target/tools").join(self.name);
        let (mark, pins) = (folder.join("installed"), format!("{:?} {:?}", self.packages, self.options));
        if std::fs::read_to_string(&mark).is_ok_and(|found| found == pins) {
            return folder;
        }
        let start = Instant::now();
        if folder.exists() {
            // What was interrupted, or installed by other pins, is not built upon.
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        self.install(&folder);
        std::fs::write(mark, pins).unwrap();
        println!("installed {} in {:.1} s", self.name, start.elapsed().as_secs_f64());
        drop(guard);
        folder
    }

    #[track_caller]
    fn install(&self, folder: &Path) {
        match self.client {
            Client::Pip => {
                self.run(Command::new("python3").args(["-m", "venv"]).arg(folder));
                let quiet = ["install", "--quiet", "--disable-pip-version-check"];
                self.run(
                    Command::new(folder.join("bin/pip")).args(quiet).args(self.options).args(self.packages),
                );
            }
            Client::Npm => {
                let quiet = ["install", "--silent", "--no-save", "--no-audit", "--no-fund", "--prefix"];
                self.run(Command::new("npm").args(quiet).arg(folder).args(self.options).args(self.packages));
            }
            Client::Cargo => {
                let quiet = ["install", "--quiet", "--locked", "--debug", "--root"];
                self.run(
                    Command::new("cargo").args(quiet).arg(folder).args(self.options).args(self.packages),
                );
            }
        }
    }

    #[track_caller]
    fn run(&self, command: &mut Command) {
        let needs = match self.client {
            Client::Pip => "Python 3.11 with `venv` and `pip`",
            Client::Npm => "Node 20 with `npm`",
            Client::Cargo => "`cargo`",
        };
        answer(command, "", needs);
    }
}
