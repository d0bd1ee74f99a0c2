//! A disk that is full, and readers that go away: what cannot be written is told, and nothing that was done is forgotten.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Done, aipolicy, copy_of, done, edit, plain};
use crate::harness::files_below;

/// Runs `aipolicy` where no file may become longer than this: the write that would make it so fails, wherever it is.
fn bounded(folder: &Path, arguments: &[&str], bytes: usize) -> Done {
    // Whoever does not ignore the signal is ended by it.
    let script = "trap '' XFSZ; exec prlimit --fsize=\"$0\" -- \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, &bytes.to_string(), env!("CARGO_BIN_EXE_aipolicy")]).args(arguments);
    command.current_dir(folder).env_clear().env("NO_COLOR", "1");
    let done = done(command.env("PATH", std::env::var_os("PATH").unwrap_or_default()));
    assert!(![126, 127].contains(&done.exit), "{}; tests need `prlimit` of util-linux", done.err);
    done
}

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let read = |file: &String| std::fs::read_to_string(folder.join(file)).unwrap();
    files_below(folder).into_iter().map(|file| (file.clone(), read(&file))).collect()
}

fn copy(from: &Path, to: &Path) {
    let _none = std::fs::remove_dir_all(to);
    for file in hidden_below(from) {
        let to = to.join(&file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to).unwrap();
    }
}

/// All files below a folder, hidden ones too.
fn hidden_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_owned()),
            }
        }
    }
    found
}

/// Applies with every bound at which another write fails, each time from the same beginning, and wants that to be told and one
/// further apply to repair it. Returns how many applies failed.
fn repaired(folder: &Path, begin: &Path) -> usize {
    let kept = folder.join(".aipolicy");
    aipolicy(folder, &["apply", "--yes"]).expect(0);
    let expected = contents(&kept.join("world"));
    let sizes = |folder: &Path| -> Vec<usize> {
        let size = |file: PathBuf| std::fs::metadata(folder.join(file)).unwrap().len() as usize;
        hidden_below(folder).into_iter().map(size).collect()
    };
    let (largest, mut bounds) = (sizes(&kept).into_iter().max().unwrap(), sizes(&kept));
    // One byte less than some files have, and in the middle of whatever is larger.
    bounds.sort_unstable();
    bounds.dedup();
    let every = bounds.len().div_ceil(10);
    bounds = bounds.into_iter().step_by(every).map(|size| size.saturating_sub(1)).collect();
    bounds.extend((0..16).map(|part| largest * part / 16));
    let mut failed = 0;
    for bound in bounds {
        copy(begin, &kept);
        let run = bounded(folder, &["apply", "--yes"], bound);
        let said = format!("{bound}: {}{}", run.out, run.err);
        assert!([0, 1].contains(&run.exit), "{said}");
        failed += usize::from(run.exit == 1);
        assert!(run.exit == 0 || said.contains("File too large"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        let said = aipolicy(folder, &["apply", "--yes"]).expect(0);
        aipolicy(folder, &["plan", "--detailed-exitcode"]).expect(0);
        assert_eq!(contents(&kept.join("world")), expected, "{bound}: {said}");
        let left: Vec<_> =
            hidden_below(&kept).into_iter().filter(|file| file.to_str().unwrap().ends_with("-tmp")).collect();
        assert!(run.exit == 0 || left.is_empty(), "{bound}: {left:?}");
    }
    println!("{failed} applies on a full disk, each repaired by one more");
    failed
}

#[test]
fn a_disk_that_is_full_when_everything_is_made_loses_nothing() {
    let (place, folder) = copy_of("quickstart");
    assert!(repaired(&folder, &place.path().join("nothing")) > 15);
}

#[test]
fn a_disk_that_is_full_when_something_changes_loses_nothing() {
    let (_place, folder) = copy_of("quickstart");
    aipolicy(&folder, &["apply", "--yes"]).expect(0);
    let begin = tempfile::tempdir().unwrap();
    copy(&folder.join(".aipolicy"), begin.path());
    edit(&folder, "gateway.yaml", "output: 1024", "output: 2048");
    edit(&folder, "agent.yaml", "prefixes: [published/]", "prefixes: [p/]");
    assert!(repaired(&folder, begin.path()) > 15);
}

/// Runs a command whose reader takes one line and goes away, and returns how it ended and what it said beside.
fn one_line(command: &mut Command) -> (i32, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::with_capacity(1, child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    drop(reader);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), said)
}

#[test]
fn a_reader_that_goes_away_has_seen_what_it_wanted() {
    let (_place, folder) = copy_of("acme");
    let plan = ["plan", "-e", "prod", "--format", "json"];
    assert!(aipolicy(&folder, &plan).out.len() > 200_000, "more than a pipe holds");
    for (arguments, exit) in [
        (&["plan"][..], 0),
        (&plan, 0),
        (&["plan", "--detailed-exitcode"], 2),
        (&["check", "--format", "json"], 0),
        (&["--help"], 0),
    ] {
        let (found, said) = one_line(&mut plain(&folder, arguments));
        assert_eq!(found, exit, "{arguments:?}: {said}");
        assert!(!said.contains("error") && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn an_apply_goes_on_when_nobody_reads() {
    let settled = |folder: &Path| {
        aipolicy(folder, &["plan", "-e", "prod", "--detailed-exitcode"]).expect(0);
        let left = std::fs::read_to_string(folder.join(".aipolicy/state/prod/journal.jsonl")).unwrap();
        assert!(left.contains("\"status\":\"complete\""), "its end is written down");
    };
    let apply = ["apply", "-e", "prod", "--yes"];
    let (_place, folder) = copy_of("acme");
    let (exit, said) = one_line(&mut plain(&folder, &apply));
    assert_eq!(exit, 0, "{said}");
    settled(&folder);
    // Nor is any of its files taken for an output that was closed.
    for closed in [">&-", "2>&-", ">&- 2>&- <&-"] {
        let (_place, folder) = copy_of("acme");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" \"$@\" {closed}"), env!("CARGO_BIN_EXE_aipolicy")]);
        let ended =
            command.args(apply).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert_eq!(ended.unwrap().code(), Some(0), "{closed}");
        settled(&folder);
    }
}

#[test]
fn an_output_that_is_full_is_told() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (_place, folder) = copy_of("quickstart");
    let run = |arguments: &[&str]| done_with(plain(&folder, arguments).stdout(full()));
    for arguments in [&["plan"][..], &["check"], &["apply", "--yes"]] {
        let (exit, said) = run(arguments);
        assert!(exit == 1 && said.contains("the result cannot be printed"), "{arguments:?}: {said}");
    }
    assert!(!folder.join(".aipolicy").exists(), "what cannot be shown is not applied");
    aipolicy(&folder, &["plan", "-o", "saved.json"]).expect(0);
    let (exit, said) = run(&["apply", "--plan", "saved.json"]);
    assert!(exit == 1 && said.contains("the result cannot be printed"), "{said}");
    aipolicy(&folder, &["plan", "--detailed-exitcode"]).expect(0);
}

fn done_with(command: &mut Command) -> (i32, String) {
    let child = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    (child.status.code().unwrap_or(-1), String::from_utf8(child.stderr).unwrap())
}
