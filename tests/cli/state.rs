//! State in S3: what a team shares in a bucket, on a server that plays it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Done, copy_of, done, edit, plain};
use crate::harness::files_below;
use crate::harness::program::answer;
use crate::servers::{Aws, python};

const ACCOUNT: &str = "111122223333";
const BUCKET: &str = "acme-state";

/// Somebody else in the bucket: tells everything that is there, or makes something else of it. Bytes are told as Latin-1.
const SOMEBODY: &str = "
import json, sys
from lives import caller
bucket, account = sys.argv[1:3]
s3 = caller.client('s3', account)
keys = [one['Key'] for one in s3.list_objects_v2(Bucket=bucket).get('Contents', [])]
wanted = json.load(sys.stdin)
if wanted is not None:
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    for key, text in wanted.items():
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode('latin-1'))
else:
    body = lambda key: s3.get_object(Bucket=bucket, Key=key)['Body'].read().decode('latin-1')
    json.dump({key: body(key) for key in keys}, sys.stdout)
";

/// A workspace whose state is in a bucket, and whose world is a folder.
struct Site {
    server: Aws,
    _place: tempfile::TempDir,
    folder: PathBuf,
}

impl Site {
    fn new() -> Self {
        let (place, folder) = copy_of("quickstart");
        let state = format!("state: {{ s3: {{ bucket: {BUCKET}, prefix: team/, region: eu-central-1 }} }}");
        edit(&folder, "aipolicy.yaml", "state: { local: .aipolicy }", &state);
        let site = Self { server: Aws::start(), _place: place, folder };
        site.makes_bucket();
        site
    }

    fn makes_bucket(&self) {
        let place = json!({ "Bucket": BUCKET, "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" } });
        self.server.calls(ACCOUNT, &[json!(["s3", "create_bucket", place])]);
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

    #[track_caller]
    fn is_settled(&self) {
        let before = self.writes().len();
        let said = self.run(&["plan", "--detailed-exitcode"]).expect(0);
        assert!(said.contains("no changes"), "{said}");
        assert_eq!(self.writes().len(), before, "a plan only looks");
    }

    fn wish(&self, wish: &Value) {
        self.server.ask("config", Some(wish));
    }

    /// The calls that wrote something, with how each ended.
    fn writes(&self) -> Vec<String> {
        let log = self.server.ask("log", None);
        let writes = log.as_array().unwrap().iter().filter(|call| call["operation"] == "PutObject");
        writes.map(|call| call["outcome"].as_str().unwrap().to_owned()).collect()
    }

    fn somebody(&self, wanted: &Value) -> String {
        let mut command = python();
        command.args(["-c", SOMEBODY, BUCKET, ACCOUNT]).env("SERVER", &self.server.address);
        answer(&mut command, &wanted.to_string(), "Python 3.11")
    }

    /// All objects of the bucket.
    fn objects(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.somebody(&Value::Null)).unwrap()
    }

    fn set(&self, objects: &BTreeMap<String, String>) {
        self.somebody(&json!(objects));
    }

    /// The embedded world.
    fn world(&self) -> BTreeMap<String, String> {
        let folder = self.folder.join(".aipolicy/world");
        let read = |file: &String| std::fs::read_to_string(folder.join(file)).unwrap();
        files_below(&folder).into_iter().map(|file| (file.clone(), read(&file))).collect()
    }

    /// Asks for another bound, which changes one document or a few.
    fn bound(&self, bound: usize) {
        let path = self.folder.join("gateway.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("output: ").unwrap();
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        std::fs::write(&path, format!("{before}output: {bound}{rest}")).unwrap();
    }
}

#[test]
fn a_team_shares_its_state_in_a_bucket() {
    let site = Site::new();
    let said = site.run(&["plan"]).expect(0);
    assert!(said.contains("36 to create"), "{said}");
    assert!(site.writes().is_empty() && !site.folder.join(".aipolicy").exists(), "a plan only looks");
    site.apply();
    site.is_settled();
    let keys: Vec<_> = site.objects().into_keys().collect();
    let expected = ["team/dev/journal.head", "team/dev/journal/000000000001.jsonl", "team/dev/lock.json"];
    assert_eq!(keys, expected);
    assert!(!site.folder.join(".aipolicy/state").exists(), "nothing of it is kept here");
    site.run(&["plan", "-o", "saved.json"]).expect(0);
    for bound in [2000, 3000] {
        site.bound(bound);
        site.run(&["plan", "-o", "saved.json"]).expect(0);
        site.run(&["apply", "--plan", "saved.json"]).expect(0);
        let said = site.run(&["apply", "--plan", "saved.json"]).expect(5);
        assert!(said.contains("applied already"), "{said}");
        site.is_settled();
    }
    let said = site.run(&["state", "unlock"]).expect(0);
    assert!(said.contains("nobody holds the lock"), "{said}");
    let said = site.run(&["state", "show"]).expect(0);
    for told in [
        "dev: s3://acme-state/team/dev/\n",
        "release 3 was the last, and has ended",
        "36 documents",
        "nobody holds",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let plan: Value = serde_json::from_str(&site.run(&["plan", "--format", "json"]).out).unwrap();
    let head = plan["bindings"]["journal"].as_str().unwrap();
    assert!(said.contains(head), "{head}: {said}");
}

#[test]
fn a_bucket_that_is_not_there_and_credentials_that_are_not_are_told() {
    let site = Site::new();
    edit(&site.folder, "aipolicy.yaml", "bucket: acme-state", "bucket: acme-none");
    for command in [&["plan"][..], &["apply", "--yes"], &["state", "unlock"]] {
        let said = site.run(command).expect(1);
        assert!(said.contains("s3://acme-none/team/dev/") && said.contains("NoSuchBucket"), "{said}");
    }
    let mut nobody = site.command(&["plan"]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true");
    let said = done(&mut nobody).expect(1);
    assert!(said.contains("no credentials of AWS for the state") && said.contains("AWS_PROFILE"), "{said}");
}

#[test]
fn of_many_applies_at_once_one_wins() {
    let site = Site::new();
    site.apply();
    for round in 0..3 {
        site.bound(2000 + round);
        site.run(&["plan", "-o", "saved.json"]).expect(0);
        let start = || {
            let mut command = site.command(&["apply", "--plan", "saved.json"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let all: Vec<Child> = std::iter::repeat_with(start).take(8).collect();
        let ends: Vec<_> = all.into_iter().map(|mut one| one.wait().unwrap().code().unwrap()).collect();
        let won = ends.iter().filter(|end| **end == 0).count();
        // Who comes after the winner has ended finds that the plan was applied.
        assert!(won == 1 && ends.iter().all(|end| [0, 5, 6].contains(end)), "{ends:?}");
        println!("of eight, ended with: {ends:?}");
        site.is_settled();
    }
    let journal: String = site
        .objects()
        .into_iter()
        .filter(|(key, _)| key.contains("/journal/"))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(journal.matches("\"kind\":\"release-started\"").count(), 4, "one for each plan");
}

/// Starts an apply and kills it where the server holds its write. Nothing if it came to its end before.
fn killed(site: &Site, (write, when): (usize, &str)) -> Option<()> {
    let held = |site: &Site| site.writes().iter().filter(|outcome| *outcome == "held").count();
    site.wish(&json!({ "hold": { "write": write, "when": when } }));
    let before = held(site);
    let mut apply: Child =
        site.command(&["apply", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while held(site) == before {
        if let Some(status) = apply.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0), "write {write}, killed {when}");
            return None;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "write {write} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
    apply.kill().unwrap();
    apply.wait().unwrap();
    Some(())
}

#[test]
fn a_kill_before_or_after_any_write_is_repaired_by_one_apply() {
    let (site, mut kills, mut bound) = (Site::new(), 0, 2000);
    site.apply();
    for when in ["before", "after"] {
        for write in 1.. {
            bound += 1;
            site.bound(bound);
            if killed(&site, (write, when)).is_none() {
                break;
            }
            kills += 1;
            site.wish(&json!({ "hold": {} }));
            let said = site.apply();
            site.is_settled();
            assert!(site.world().values().any(|text| text.contains(&bound.to_string())), "{said}");
        }
    }
    println!("{kills} kills, each repaired by one apply");
    // The lock, and the segment and the record of the head for a release, an intent, and an outcome.
    assert!(kills >= 2 * 8, "{kills}");
}

#[test]
fn answers_that_are_lost_or_late_make_no_difference() {
    let site = Site::new();
    let failure =
        json!([{ "code": "InternalError", "message": "try again", "status": 500, "when": "after" }]);
    for times in 1..=3 {
        site.wish(&json!({
            "drop": { "s3:PutObject": times },
            "throttle": { "s3:PutObject": 1, "s3:GetObject": 1 },
            "fail": { "s3:PutObject": failure },
        }));
        site.bound(2000 + times);
        site.apply();
        site.is_settled();
    }
    let ended = |how: &str| site.writes().iter().filter(|outcome| *outcome == how).count();
    assert!(ended("dropped") == 6 && ended("PreconditionFailed") == 3, "{:?}", site.writes());
    let journal = &site.objects()["team/dev/journal/000000000001.jsonl"];
    assert_eq!(journal.matches("\"kind\":\"release-finished\"").count(), 3, "nothing is written twice");
}

#[test]
fn a_holder_elsewhere_is_named_and_its_lock_can_be_broken() {
    let site = Site::new();
    site.apply();
    let mut objects = site.objects();
    let slot = json!({
        "format": "aipolicy.lease/1",
        "token": 7,
        "beat": 3,
        "holder": {
            "lease": {
                "format": "aipolicy.lease/1", "holder": "cyd@there 3", "token": 7, "machine": "there",
                "acquiredAt": 1_763_900_000_000_u64, "expiresAt": 1_763_900_060_000_u64
            },
            "lasts": 60_000, "process": { "id": 3, "started": 9 }, "nonce": 1
        }
    });
    objects.insert("team/dev/lock.json".into(), slot.to_string());
    site.set(&objects);
    site.bound(2000);
    let said = site.run(&["apply", "--yes"]).expect(6);
    assert!(said.contains("held by cyd@there 3 since 2025-11-23T"), "{said}");
    let said = site.run(&["state", "show"]).expect(0);
    assert!(said.contains("the lock is held by cyd@there 3"), "{said}");
    let said = site.run(&["state", "unlock"]).expect(0);
    assert!(said.contains("the lock of cyd@there 3 is broken"), "{said}");
    site.apply();
    let lock: Value = serde_json::from_str(&site.objects()["team/dev/lock.json"]).unwrap();
    assert_eq!((&lock["token"], &lock["holder"]), (&json!(9), &Value::Null), "above that of the broken one");
}

#[test]
fn a_state_that_was_tampered_with_makes_no_plan() {
    let site = Site::new();
    site.apply();
    let older = site.objects();
    site.bound(2000);
    site.apply();
    let all = site.objects();
    let (head, segment) = ("team/dev/journal.head", "team/dev/journal/000000000001.jsonl");
    let refused = |changed: BTreeMap<String, String>, what: &str| {
        site.set(&changed);
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let said = done(site.command(command).current_dir(&site.folder)).expect(5);
            assert!(
                !said.contains("\nDocuments\n") && said.contains("s3://acme-state/team/dev/"),
                "{what}: {said}"
            );
        }
    };
    let with = |key: &str, text: &str| {
        let mut changed = all.clone();
        changed.insert(key.to_owned(), text.to_owned());
        changed
    };
    for key in [head, segment] {
        let text = &all[key];
        for part in [0, 1, 2, 3] {
            let length = text.len() * part / 4;
            refused(with(key, &text[..length]), &format!("{key} cut at {length}"));
            let mut flipped = text.clone().into_bytes();
            flipped[length] ^= 4;
            refused(with(key, &String::from_utf8(flipped).unwrap()), &format!("{key} flipped at {length}"));
        }
        refused(all.clone().into_iter().filter(|(found, _)| found != key).collect(), "missing");
    }
    refused(with(segment, &older[segment]), "rolled back");
    let lines: Vec<_> = all[segment].split_inclusive('\n').collect();
    refused(with(segment, &lines[..lines.len() - 1].concat()), "a line less");
    // The state of another workspace under the keys of this one.
    edit(&site.folder, "aipolicy.yaml", "metadata: { name: quickstart }", "metadata: { name: elsewhere }");
    refused(all.clone(), "of another workspace");
    edit(&site.folder, "aipolicy.yaml", "metadata: { name: elsewhere }", "metadata: { name: quickstart }");
    site.set(&all);
    site.is_settled();
}

/// An older version of everything is one that was so once: nothing in the bucket tells it from the last. What was planned since
/// is refused, and what was applied since is told as somebody else's change.
#[test]
fn an_older_version_of_everything_is_told_by_the_world() {
    let site = Site::new();
    site.apply();
    let older = site.objects();
    site.bound(2000);
    site.apply();
    site.bound(3000);
    site.run(&["plan", "-o", "saved.json"]).expect(0);
    site.set(&older);
    let said = site.run(&["apply", "--plan", "saved.json"]).expect(5);
    assert!(said.contains("the journal changed"), "{said}");
    let said = site.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(said.contains("changed by somebody else"), "{said}");
    site.apply();
    site.is_settled();
}
