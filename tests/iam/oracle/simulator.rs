//! The simulator, as a process that answers line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::case::{Case, Verdict};

/// What the simulator says: a verdict, or why it does not take the case.
pub(in crate::iam) type Said = Result<Verdict, String>;

/// Asks the simulator in `folder` about all cases, in order.
pub(super) fn ask(folder: &Path, cases: &[Case]) -> Vec<Said> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/iam/oracle/simulate.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("node cannot be run: {error}; tests need Node 20"));
    let mut to = child.stdin.take().unwrap();
    let lines: Vec<String> = cases.iter().map(|case| format!("{}\n", case.simulation())).collect();
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| to.write_all(line.as_bytes())));
    let said = answers(&mut child);
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "the simulator fails");
    assert_eq!(said.len(), cases.len(), "the simulator answers each case");
    said
}

fn answers(child: &mut Child) -> Vec<Said> {
    let from = BufReader::new(child.stdout.take().unwrap());
    let answers = from.lines().map(|line| {
        let line = line.unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match answer["result"].as_str() {
            Some("Allowed") => Ok(Verdict::Allowed),
            Some("ExplicitlyDenied") => Ok(Verdict::ExplicitlyDenied),
            Some("ImplicitlyDenied") => Ok(Verdict::ImplicitlyDenied),
            Some(_) | None => Err(line),
        }
    });
    answers.collect()
}
