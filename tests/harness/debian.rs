//! Programs of Debian packages that tests run: those of the machine, or else unpacked into `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use super::root;

/// One test at a time installs.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A program, and the package that has it.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// What `--version` begins with, for each version that tests were written for.
    pub(crate) versions: &'static [&'static str],
}

impl Program {
    /// Where the program is. It has one of its versions.
    #[track_caller]
    pub(crate) fn path(&self) -> PathBuf {
        if self.fits(Path::new(self.name)) {
            return self.name.into();
        }
        let guard = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = root().join("target/tools").join(self.name);
        let program = folder.join("usr/bin").join(self.name);
        if !program.is_file() {
            let start = Instant::now();
            self.unpack(&folder);
            println!("unpacked {} in {:.1} s", self.name, start.elapsed().as_secs_f64());
        }
        drop(guard);
        assert!(self.fits(&program), "{} is none of {:?}; {}", program.display(), self.versions, self.hint());
        program
    }

    fn fits(&self, program: &Path) -> bool {
        let said = Command::new(program).arg("--version").output();
        let said =
            said.map(|said| String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned());
        said.is_ok_and(|said| self.versions.iter().any(|version| said.starts_with(version)))
    }

    fn hint(&self) -> String {
        format!(
            "install `{}` of {:?}, which the Debian package `{}` has",
            self.name, self.versions, self.package
        )
    }

    #[track_caller]
    fn unpack(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let run = |command: &mut Command| {
            let done = command.current_dir(folder).output();
            let done =
                done.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}; {}", self.hint()));
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{command:?} fails: {told}; {}", self.hint());
        };
        run(Command::new("apt-get").args(["-o", "APT::Sandbox::User=root", "download", self.package]));
        let mut packages = super::files_below(folder).into_iter().filter(|name| name.ends_with(".deb"));
        let package = packages.next().unwrap_or_else(|| panic!("no package came; {}", self.hint()));
        run(Command::new("dpkg-deb").args(["-x", &package, "."]));
    }
}
