//! Programs that tests ask: an input in, what is printed out.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

/// Runs a program with a text as its input, and returns what it prints. A failure is a failure of the test, which says
/// what the machine needs.
#[track_caller]
pub(crate) fn answer(command: &mut Command, input: &str, needs: &str) -> String {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child =
        child.unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}; tests need {needs}"));
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
    assert!(status.success(), "{command:?} fails: {errors}; tests need {needs}");
    writer.join().unwrap().unwrap();
    told
}
