//! The solver cvc5, which comes as a package of Python, as a program.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::root;
use super::tools::{Client, Tool};

/// The version that the symbolic compiler of Cedar is tested with.
static CVC5: Tool = Tool { name: "cvc5", client: Client::Pip, packages: &["cvc5==1.3.1"], options: &[] };

/// A program that takes what cvc5 takes.
#[track_caller]
pub(crate) fn program() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let folder = CVC5.folder();
        let solver = root().join("tests/oracle/cvc5/solver.py");
        let text = format!(
            "#!/bin/sh\nexec '{}' '{}' \"$@\"\n",
            folder.join("bin/python").display(),
            solver.display()
        );
        script(folder.join("bin/cvc5"), &text)
    };
    MADE.get_or_init(make).clone()
}

/// Writes a script that can be run, unless it is there.
#[track_caller]
pub(crate) fn script(path: PathBuf, text: &str) -> PathBuf {
    if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return path;
    }
    let unfinished = path.with_extension(std::process::id().to_string());
    std::fs::write(&unfinished, text).unwrap();
    std::fs::set_permissions(&unfinished, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(unfinished, &path).unwrap();
    path
}
