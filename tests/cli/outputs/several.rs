//! Several outputs in one run, what each says was evaluated, and that nothing evaluated is an error.

use serde_json::{Value, json};

use super::{DAY, aipolicy, breaks, check, clean, edit, hostile, json, refused, write};

const SCHEMA: &str = "schemas/formats/findings.schema.json";
const FORMATS: &[&str] = &["text", "json", "sarif", "junit", "github", "summary", "gitlab"];

#[test]
fn one_run_writes_every_format_as_it_is_printed() {
    let (_place, folder) = refused();
    let outputs: Vec<String> =
        FORMATS.iter().map(|format| format!("--output={format}=out.{format}")).collect();
    let arguments = ["check", "--as-of", DAY].into_iter().chain(outputs.iter().map(String::as_str));
    let done = aipolicy(&folder, &arguments.collect::<Vec<_>>());
    done.expect(3);
    assert_eq!(done.out, check(&folder, "text").out);
    for format in FORMATS {
        let written = std::fs::read_to_string(folder.join(format!("out.{format}"))).unwrap();
        assert_eq!(written, check(&folder, format).out, "{format}");
    }
}

/// Times go to standard error, where they change no result.
#[test]
fn timings_are_told_beside_the_result() {
    let (_place, folder) = refused();
    let done = aipolicy(&folder, &["check", "--as-of", DAY, "--timings"]);
    done.expect(3);
    assert_eq!(done.out, check(&folder, "text").out);
    let parts = done.err.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let parts = parts.map(|words| match words[..] {
        [part, time, "ms"] => (part.to_owned(), time.parse::<f64>().unwrap()),
        _ => panic!("{words:?}"),
    });
    let mut parts: Vec<_> = parts.collect();
    let (last, total) = parts.pop().unwrap();
    let names: Vec<_> = parts.iter().map(|(part, _)| part.as_str()).collect();
    assert_eq!(
        names,
        ["reading", "parsing", "linking", "policies", "checks", "cedar", "rendering", "telling"]
    );
    assert_eq!(last, "total");
    assert!((parts.iter().map(|(_, time)| time).sum::<f64>() - total).abs() < 1.0, "{}", done.err);
}

#[test]
fn a_summary_is_added_and_other_files_are_replaced() {
    let (_place, folder) = clean();
    write(&folder, "step.md", "before\n");
    write(&folder, "out.json", "before\n");
    aipolicy(&folder, &["check", "--as-of", DAY, "--output", "summary=step.md", "--output", "json=out.json"])
        .expect(0);
    let step = std::fs::read_to_string(folder.join("step.md")).unwrap();
    assert!(step.starts_with("before\n## aipolicy\n"), "{step}");
    assert!(std::fs::read_to_string(folder.join("out.json")).unwrap().starts_with('{'));
}

#[test]
fn outputs_that_cannot_be_meant_are_refused_before_anything_is_done() {
    let (_place, folder) = clean();
    for (output, said) in
        [("sarif", "write it like"), ("xml=a", "`xml` is none of `text`"), ("json=", "a file is missing")]
    {
        let told = aipolicy(&folder, &["check", "--output", output]).expect(1);
        assert!(told.contains(said), "{told}");
    }
    let told = aipolicy(&folder, &["check", "--output", "json=a", "--output", "sarif=a"]).expect(1);
    assert!(told.contains("`a` is named twice") && !folder.join("a").exists(), "{told}");
    let told = aipolicy(&folder, &["check", "--as-of", DAY, "--output", "json=no/such/folder"]).expect(1);
    assert!(told.contains("cannot be written"), "{told}");
}

#[test]
fn json_keeps_to_its_schema() {
    for (what, (_place, folder)) in [("clean", clean()), ("refused", refused()), ("hostile", hostile())] {
        let found = json(&check(&folder, "json"));
        assert_eq!(breaks(SCHEMA, &found), Vec::<String>::new(), "{what}");
    }
    let (_place, folder) = refused();
    let found = json(&check(&folder, "json"));
    for pointer in ["", "/findings/0", "/notRun/0", "/rules/0", "/findings/0/labels/0"] {
        let mut found = found.clone();
        found.pointer_mut(pointer).unwrap()["extra"] = Value::from(1);
        assert!(!breaks(SCHEMA, &found).is_empty(), "{pointer}");
    }
}

#[test]
fn what_was_not_run_is_told_with_its_reason() {
    let missed = |folder: &std::path::Path, more: &[&str]| -> Vec<(String, String)> {
        let done = aipolicy(folder, &[&["check", "--format", "json", "--as-of", DAY], more].concat());
        let told = json(&done)["notRun"].as_array().unwrap().clone();
        told.iter()
            .map(|one| (one["what"].as_str().unwrap().to_owned(), one["why"].as_str().unwrap().to_owned()))
            .collect()
    };
    let (_place, folder) = super::copy_of("acme");
    let pack = ("pack `change-control`".to_owned(), "the workspace does not name it".to_owned());
    assert_eq!(missed(&folder, &[]), std::slice::from_ref(&pack));
    let expected = ("artifacts of `prod`".to_owned(), "the environment was not asked for".to_owned());
    assert_eq!(missed(&folder, &["-e", "staging"]), [pack, expected]);
    edit(
        &folder,
        "environments/staging.yaml",
        "  serviceControlPolicy: true",
        "  serviceControlPolicy: true\n  severity: { AIP-RTE-007: off }",
    );
    let told = missed(&folder, &[]);
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].0, "AIP-RTE-007 in `staging`");
    assert!(told[1].1.starts_with("off, at environments/staging.yaml:14:"), "{told:?}");
    let (_place, folder) = clean();
    let told = missed(&folder, &[]);
    assert!(
        told.contains(&("AIP-RTE-024".to_owned(), "no `TrafficProfile` says what was measured".to_owned())),
        "{told:?}"
    );
    write(&folder, "policies/broken.cedar", "permit (principal action resource);\n");
    let workspace = std::fs::read_to_string(folder.join("aipolicy.yaml")).unwrap();
    if !workspace.contains("policies:") {
        edit(&folder, "aipolicy.yaml", "  packs:", "  policies: [policies]\n  packs:");
    }
    let told = missed(&folder, &[]);
    assert!(told.contains(&("policies".to_owned(), "they cannot all be read".to_owned())), "{told:?}");
}

#[test]
fn nothing_evaluated_is_an_error_in_every_format() {
    let workspace = |spec: &str| {
        format!("apiVersion: aipolicy.dev/v1\nkind: Workspace\nmetadata: {{ name: w }}\nspec: {spec}\n")
    };
    let group = "---\napiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: { name: g }\nspec: { members: [a@acme.example] }\n";
    let cases = [
        ("AIP-LNG-012", workspace("{ packs: [baseline], targets: [] }")),
        ("AIP-POL-009", workspace("{ packs: [], targets: [] }") + group),
    ];
    for (code, text) in cases {
        let place = tempfile::tempdir().unwrap();
        write(place.path(), "aipolicy.yaml", text);
        for format in FORMATS {
            let said = check(place.path(), format).expect(1);
            assert!(said.contains(code), "{code} in {format}: {said}");
        }
    }
    let place = tempfile::tempdir().unwrap();
    let managed = json!({ "PolicyName": "x", "Arn": "arn:aws:iam::aws:policy/x", "PolicyVersionList": [
        { "IsDefaultVersion": true, "Document": { "Version": "2012-10-17", "Statement": [] } }] });
    write(place.path(), "aws.json", managed.to_string());
    for format in FORMATS {
        let said = aipolicy(place.path(), &["iam", "lint", "aws.json", "--format", format]).expect(1);
        assert!(said.contains("no policy that can be looked at"), "{said}");
    }
    write(place.path(), "w/aipolicy.yaml", workspace("{ packs: [baseline], targets: [iam] }") + group);
    let said = aipolicy(place.path(), &["plan", "w"]).expect(1);
    assert!(said.contains("there is no environment to plan for"), "{said}");
}

#[test]
fn every_report_counts_what_it_looked_at() {
    let (_place, folder) = clean();
    let found = json(&check(&folder, "json"));
    let (resources, requests) = (found["resources"].as_u64().unwrap(), found["requests"].as_u64().unwrap());
    let rules = found["rules"].as_array().unwrap().len();
    assert!(resources > 0 && requests > 0 && rules > 50, "{resources} {requests} {rules}");
    let expected = format!("in {resources} resources and {requests} requests, by {rules} rules");
    for format in ["text", "json", "junit", "github", "summary"] {
        assert!(check(&folder, format).out.contains(&expected), "{format}: {expected}");
    }
}
