//! What takes too long for every run: `cargo test … -- --ignored long`, as `CONTRIBUTING.md` says.

use std::process::Stdio;
use std::time::Instant;

use serde_json::json;

use super::acme::{Step, killed_at_random, seed, steps};
use super::kills::{Place, at_each_instant, is_same};
use super::kinds::Whole;
use super::{Site, edit};

/// How many kills, of all environments together.
fn kills() -> usize {
    std::env::var("AIPOLICY_KILLS").ok().map_or(500, |kills| kills.parse().unwrap())
}

#[track_caller]
fn killed(site: &Whole, kills: usize) {
    let within = killed_at_random(&steps(site), kills, seed());
    assert!(within * 2 >= kills, "only {within} of {kills} kills fell into an apply");
}

#[test]
#[ignore = "long"]
fn staging_is_killed_at_random() {
    killed(&Whole::staging(), kills() / 2);
}

#[test]
#[ignore = "long"]
fn prod_is_killed_at_random() {
    killed(&Whole::prod(), kills() - kills() / 2);
}

/// Kills at every n-th instant of each step, of which each call has two.
#[track_caller]
fn killed_at_instants(steps: &[Step], every: usize) {
    for step in steps {
        let (start, mut kills) = (Instant::now(), 0);
        at_each_instant(
            &step.begin,
            |instant| instant % every == 0,
            |left, after| {
                kills += 1;
                left.is_repaired(&step.after, &format!("{}: {after}", step.name));
            },
        );
        println!("{}: {kills} kills, each repaired, {:.0} s", step.name, start.elapsed().as_secs_f64());
    }
}

#[test]
#[ignore = "long"]
fn staging_is_killed_before_and_after_each_call() {
    killed_at_instants(&steps(&Whole::staging()), 1);
}

#[test]
#[ignore = "long"]
fn prod_is_killed_before_and_after_calls() {
    killed_at_instants(&steps(&Whole::prod()), 9);
}

/// Carries out each step while something is the matter, and wants what is there otherwise.
#[track_caller]
fn all_the_same(site: &Whole, wish: &serde_json::Value) {
    for step in steps(site) {
        let (place, start) = (step.begin.branch(), Instant::now());
        place.wish(wish);
        place.apply();
        println!("{} with {wish}: {:.0} s", step.name, start.elapsed().as_secs_f64());
        let usual = json!({ "lose": false, "late": 0, "page": 100, "observations": 0, "faults": {} });
        place.wish(&usual);
        place.is_settled();
        is_same(&place.census(), &step.after, step.name);
    }
}

#[test]
#[ignore = "long"]
fn answers_to_all_calls_of_prod_are_lost() {
    all_the_same(&Whole::prod(), &json!({ "lose": true }));
}

#[test]
#[ignore = "long"]
fn roles_and_policies_of_acme_are_seen_after_20_seconds_only() {
    all_the_same(&Whole::staging(), &json!({ "late": 20 }));
    all_the_same(&Whole::prod(), &json!({ "late": 20 }));
}

#[test]
#[ignore = "long"]
fn pages_of_acme_have_one_thing_each() {
    all_the_same(&Whole::staging(), &json!({ "page": 1, "observations": 1 }));
    all_the_same(&Whole::prod(), &json!({ "page": 1, "observations": 1 }));
}

/// Rounds of eight applies of the same plan at once: one carries it out, and the others say why not.
#[track_caller]
fn rounds(place: &Place, rounds: usize) {
    let (start, mut prefix, mut ends) = (Instant::now(), "prefixes: [published/]".to_owned(), [0; 3]);
    for round in 0..rounds {
        let next = format!("prefixes: [published-{round}/]");
        edit(&place.folder, "agent.yaml", &prefix, &next);
        prefix = next;
        place.run(&["plan", "-o", "saved.json"]).expect(0);
        let begin = || {
            let mut command = place.command(&["apply", "--plan", "saved.json"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let all: Vec<_> = std::iter::repeat_with(begin).take(8).collect();
        for mut one in all {
            match one.wait().unwrap().code() {
                Some(0) => ends[0] += 1,
                Some(5) => ends[1] += 1,
                Some(6) => ends[2] += 1,
                other => panic!("round {round}: {other:?}"),
            }
        }
        assert_eq!(ends[0], round + 1, "one wins");
        place.is_settled();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{rounds} rounds of eight: {} applied, {} found the plan used or stale, {} the lock held, {seconds:.0} s",
        ends[0], ends[1], ends[2]
    );
}

#[test]
#[ignore = "long"]
fn of_eight_applies_at_once_one_wins_50_times() {
    let site = Site::new(&["iam"]);
    site.apply();
    rounds(&site.branch(), 50);
}

#[test]
#[ignore = "long"]
fn of_eight_applies_with_their_state_in_a_bucket_one_wins_50_times() {
    let site = Site::new(&["iam"]);
    let place = json!({ "Bucket": "acme-state", "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" } });
    site.server.calls(super::ACCOUNT, &[json!(["s3", "create_bucket", place])]);
    let state = "state: { s3: { bucket: acme-state, region: eu-central-1 } }";
    edit(&site.folder, "aipolicy.yaml", "state: { local: .aipolicy }", state);
    site.apply();
    rounds(&site.branch(), 50);
}

/// So many copies of the agent, of which each is some two dozen documents.
const AGENTS: usize = 42;

#[test]
#[ignore = "long"]
fn a_thousand_objects_are_made_and_removed_while_three_calls_of_ten_fail() {
    let site = Site::with_agents();
    let agent = std::fs::read_to_string(site.folder.join("agent.yaml")).unwrap();
    let place = site.branch();
    for number in 0..AGENTS {
        let copy = agent
            .replace("{ name: handbook }", &format!("{{ name: handbook-{number} }}"))
            .replace("staff-handbook", &format!("staff-handbook-{number}"))
            .replace("quickstart-handbook", &format!("quickstart-handbook-{number}"));
        std::fs::write(place.folder.join(format!("agent-{number}.yaml")), copy).unwrap();
    }
    let undisturbed = place.branch();
    let said = undisturbed.apply();
    println!("{}", said.lines().last().unwrap_or(""));
    let nothing = place.census();
    let faults = |percent: u64, seed: u64| json!({ "faults": { "percent": percent, "seed": seed } });
    let (seed, start) = (seed(), Instant::now());
    place.wish(&faults(30, seed));
    place.apply();
    place.wish(&faults(0, 1));
    let calls = place.server.ask("log", None).as_array().unwrap().len();
    println!("seed {seed}: made in {:.0} s, by {calls} calls", start.elapsed().as_secs_f64());
    place.is_settled();
    is_same(&place.census(), &undisturbed.census(), "made");
    for file in std::fs::read_dir(&place.folder).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("agent") || name == "desk.yaml" {
            std::fs::remove_file(file).unwrap();
        }
    }
    let undisturbed = place.branch();
    undisturbed.apply();
    place.wish(&faults(30, seed + 1));
    place.apply();
    place.wish(&faults(0, 1));
    place.is_settled();
    println!("seed {seed}: made and removed in {:.0} s", start.elapsed().as_secs_f64());
    is_same(&place.census(), &undisturbed.census(), "removed");
    assert_ne!(place.census(), nothing, "what others need of it stays");
}
