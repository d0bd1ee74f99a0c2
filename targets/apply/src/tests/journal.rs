//! The journal: what it adds up to, and every way in which it can be damaged.

use std::collections::BTreeMap;
use std::path::Path;

use aipolicy_targets::plan::{Action, Bindings};

use super::{address, files, lineage};
use crate::{Entry, InDoubt, Journal, JournalError, Lineage, Status};

fn open(folder: &Path) -> Result<Journal, JournalError> {
    Journal::in_folder(folder, &lineage())
}

/// Files are written at once, so nothing is waited for.
fn append(journal: &mut Journal, time: &str, entries: &[Entry]) -> Result<(), JournalError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(journal.append(time, entries))
}

fn bindings() -> Bindings {
    let text = String::new;
    Bindings { tool: text(), sources: text(), catalog: text(), observed: text(), journal: text() }
}

fn started(release: u64) -> Entry {
    Entry::ReleaseStarted {
        release,
        plan: format!("p{release}"),
        bindings: bindings(),
        places: crate::Places::new(),
        token: release,
        holder: "ana".into(),
        revision: None,
    }
}

fn intent(name: &str, action: Action) -> Entry {
    let (before, after) = match action {
        Action::Create => (None, Some("new".to_owned())),
        Action::Update | Action::Adopt => (Some("old".to_owned()), Some("new".to_owned())),
        Action::Delete => (Some("old".to_owned()), None),
    };
    Entry::Intent { address: address(name), action, before, after }
}

fn outcome(name: &str, error: Option<&str>) -> Entry {
    Entry::Outcome { address: address(name), error: error.map(str::to_owned) }
}

fn finished(release: u64, applied: &[(&str, &str)]) -> Entry {
    let applied = applied.iter().map(|(name, digest)| (address(name), (*digest).to_owned())).collect();
    Entry::ReleaseFinished { release, status: Status::Complete, applied, decisions: vec!["d".into()] }
}

/// A journal with one finished release and one that died.
fn written(folder: &Path) -> Journal {
    let mut journal = open(folder).unwrap();
    assert_eq!(journal.head(), "");
    append(&mut journal, "t1", &[started(1)]).unwrap();
    append(&mut journal, "t2", &[intent("iam/Role/a", Action::Create), intent("iam/Role/b", Action::Create)])
        .unwrap();
    append(&mut journal, "t3", &[outcome("iam/Role/a", None), outcome("iam/Role/b", None)]).unwrap();
    append(&mut journal, "t4", &[finished(1, &[("iam/Role/a", "old"), ("iam/Role/b", "old")])]).unwrap();
    append(&mut journal, "t5", &[started(2)]).unwrap();
    let intents =
        [("a", Action::Update), ("b", Action::Delete), ("c", Action::Create), ("d", Action::Create)];
    append(&mut journal, "t6", &intents.map(|(name, action)| intent(&format!("iam/Role/{name}"), action)))
        .unwrap();
    let outcomes =
        [outcome("iam/Role/a", None), outcome("iam/Role/b", None), outcome("iam/Role/c", Some("quota"))];
    append(&mut journal, "t7", &outcomes).unwrap();
    journal
}

fn lines(folder: &Path) -> Vec<String> {
    files(folder)["journal.jsonl"].lines().map(|line| format!("{line}\n")).collect()
}

fn write(folder: &Path, bytes: &[u8]) {
    std::fs::write(folder.join("journal.jsonl"), bytes).unwrap();
}

fn error(folder: &Path) -> JournalError {
    open(folder).err().unwrap()
}

#[test]
fn it_adds_up_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let journal = written(folder.path());
    for journal in [journal, open(folder.path()).unwrap()] {
        assert_eq!(journal.last_applied(), &BTreeMap::from([(address("iam/Role/a"), "new".to_owned())]));
        assert_eq!(journal.last_decisions(), ["d"]);
        assert!(journal.used_plan("p1") && journal.used_plan("p2") && !journal.used_plan("p3"));
        let unfinished = journal.unfinished().unwrap();
        assert_eq!(
            (unfinished.release, unfinished.plan.as_str(), unfinished.holder.as_str()),
            (2, "p2", "ana")
        );
        let doubt = InDoubt { address: address("iam/Role/d"), before: None, after: Some("new".into()) };
        assert_eq!(unfinished.in_doubt, [doubt]);
        assert_eq!((journal.releases(), journal.repair()), (2, None));
        let last = lines(folder.path()).pop().unwrap();
        assert_eq!(journal.head(), aipolicy_targets::artifact::digest(last.trim_end().as_bytes()));
    }
}

#[test]
fn half_a_last_line_is_dropped_and_reported_by_any_length() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let all = lines(folder.path());
    let (kept, last) = (all[..all.len() - 1].concat(), all[all.len() - 1].clone());
    for length in 1..last.len() - 1 {
        write(folder.path(), format!("{kept}{}", &last[..length]).as_bytes());
        let mut journal = open(folder.path()).unwrap();
        let repair = journal.repair().unwrap();
        assert_eq!((repair.line, repair.bytes), (all.len() as u64, length as u64));
        if length % 50 == 1 {
            append(&mut journal, "t8", &[outcome("iam/Role/d", None)]).unwrap();
            assert_eq!(journal.repair(), None);
            let again = open(folder.path()).unwrap();
            assert_eq!((again.head(), again.repair()), (journal.head(), None));
        }
    }
    write(folder.path(), format!("{kept}{}", last.trim_end()).as_bytes());
    let mut journal = open(folder.path()).unwrap();
    assert_eq!(journal.repair(), None, "only the line break is missing");
    append(&mut journal, "t8", &[outcome("iam/Role/d", None)]).unwrap();
    assert_eq!(lines(folder.path()).len(), all.len() + 1);
    open(folder.path()).unwrap();
}

#[test]
fn every_cut_into_a_finished_release_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path()).unwrap();
    append(&mut journal, "t", &[started(1)]).unwrap();
    append(&mut journal, "t", &[intent("iam/Role/a", Action::Create)]).unwrap();
    append(&mut journal, "t", &[outcome("iam/Role/a", None), finished(1, &[("iam/Role/a", "new")])]).unwrap();
    let text = lines(folder.path()).concat();
    for length in 0..text.len() - 1 {
        write(folder.path(), &text.as_bytes()[..length]);
        let line = text[..length].lines().count().max(1) as u64;
        let is_whole = text[..length].ends_with('\n') || text[length..].starts_with('\n');
        let line = if is_whole { line + 1 } else { line };
        assert_eq!(error(folder.path()), JournalError::Cut { line: line.min(4) }, "{length}");
    }
    std::fs::remove_file(folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(error(folder.path()), JournalError::Cut { line: 1 });
}

#[test]
fn every_flipped_bit_is_detected() {
    let folder = tempfile::tempdir().unwrap();
    append(&mut written(folder.path()), "t", &[finished(2, &[])]).unwrap();
    let bytes = lines(folder.path()).concat().into_bytes();
    for (at, bit) in (0..bytes.len()).step_by(3).zip([0, 1, 2, 3, 4, 5, 6, 7].into_iter().cycle()) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        write(folder.path(), &flipped);
        let found = open(folder.path());
        assert!(found.is_err(), "bit {bit} of byte {at}");
    }
}

#[test]
fn an_edited_line_is_named_whatever_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let all = lines(folder.path());
    for (at, line) in all.iter().enumerate() {
        let number = at as u64 + 1;
        let mut changed = all.clone();
        changed[at] = line.replacen("\"time\":\"t", "\"time\":\"T", 1);
        write(folder.path(), changed.concat().as_bytes());
        assert_eq!(error(folder.path()), JournalError::Edited { line: number });
        let mut checked: crate::journal::line::Line =
            crate::journal::line::read(line.trim_end().as_bytes()).unwrap();
        checked.time = "forged".into();
        changed[at] = format!("{}\n", crate::journal::line::write(&checked).unwrap());
        write(folder.path(), changed.concat().as_bytes());
        if number < all.len() as u64 {
            assert_eq!(
                error(folder.path()),
                JournalError::Edited { line: number },
                "with a checksum of its own"
            );
        }
    }
}

#[test]
fn missing_doubled_and_swapped_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let all = lines(folder.path());
    let mut missing = all.clone();
    missing.remove(3);
    write(folder.path(), missing.concat().as_bytes());
    assert_eq!(error(folder.path()), JournalError::Cut { line: 4 });
    let mut doubled = all.clone();
    doubled.insert(3, all[3].clone());
    write(folder.path(), doubled.concat().as_bytes());
    assert_eq!(error(folder.path()), JournalError::Cut { line: 5 });
    let mut swapped = all;
    swapped.swap(2, 3);
    write(folder.path(), swapped.concat().as_bytes());
    assert_eq!(error(folder.path()), JournalError::Cut { line: 3 });
}

#[test]
fn a_lost_or_strange_head_and_another_format_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let all = lines(folder.path());
    let newer = all[0].replace("aipolicy.journal/2", "aipolicy.journal/9");
    write(folder.path(), newer.as_bytes());
    let format = "aipolicy.journal/9".to_owned();
    assert_eq!(error(folder.path()), JournalError::OtherFormat { line: 1, format });
    write(folder.path(), all.concat().as_bytes());
    for text in ["", "{}", r#"{"format":"aipolicy.journal-head/9","sequence":1,"digest":""}"#] {
        std::fs::write(folder.path().join("journal.head"), text).unwrap();
        assert!(matches!(error(folder.path()), JournalError::Head { .. }));
    }
    std::fs::remove_file(folder.path().join("journal.head")).unwrap();
    assert!(matches!(error(folder.path()), JournalError::Head { .. }));
}

#[test]
fn two_writers_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = written(folder.path());
    let mut second = open(folder.path()).unwrap();
    append(&mut first, "t", &[outcome("iam/Role/d", None)]).unwrap();
    assert_eq!(append(&mut second, "t", &[outcome("iam/Role/d", None)]), Err(JournalError::Moved));
    open(folder.path()).unwrap();
}

#[test]
fn the_journal_of_another_environment_or_workspace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    for (workspace, environment) in [("acme", "staging"), ("other", "prod"), ("acme\0prod", "")] {
        let lineage = Lineage { workspace: workspace.into(), environment: environment.into() };
        let found = Journal::in_folder(folder.path(), &lineage).err();
        assert_eq!(found, Some(JournalError::OtherLineage), "{lineage:?}");
    }
}
