//! `aipolicy check`: verdicts, and input that nobody should have written.

use std::path::Path;

use super::{DAY, aipolicy, copy_of, edit, write};

const WORKSPACE: &str = "apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: w }
spec: { packs: [baseline], policies: [policies], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Group
metadata: { name: g }
spec: { members: [a@acme.example] }
";

const ALLOW: &str = "@id(\"one\")\npermit (principal, action, resource);\n";

fn workspace(folder: &Path) {
    write(folder, "aipolicy.yaml", WORKSPACE);
    write(folder, "policies/one.cedar", ALLOW);
}

/// What `check` says about a small workspace with one more file; the finding must be in that file.
#[track_caller]
fn refused(file: &str, content: impl AsRef<[u8]>, code: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    workspace(place.path());
    write(place.path(), file, content);
    let done = aipolicy(place.path(), &["check", "--format", "json", "--as-of", DAY]);
    done.expect(1);
    let found: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let findings = found["findings"].as_array().unwrap();
    let hit = findings.iter().find(|finding| finding["code"] == code && finding["file"] == file);
    assert!(hit.is_some_and(|hit| hit["line"].as_u64().unwrap() >= 1), "{code} in {file}: {}", done.out);
    done.out
}

#[test]
fn a_fallback_that_leaves_the_eu_is_refused_with_policy_line_and_region() {
    let (_place, folder) = copy_of("acme");
    aipolicy(&folder, &["check", "--as-of", DAY]).expect(0);
    let (from, to) = (
        "model: nova-lite-reserved, on: [throttled, unavailable, timeout]",
        "model: claude-sonnet-us, on: [throttled]",
    );
    edit(&folder, "tenants/payments/routes.yaml", from, to);
    let said = aipolicy(&folder, &["check", "--as-of", DAY]).expect(3);
    for expected in ["AIP-RES-002", "tenants/payments/routes.yaml:15", "us-east-1", "personal-data-in-the-eu"]
    {
        assert!(said.contains(expected), "{expected} in:\n{said}");
    }
}

#[test]
fn a_small_workspace_is_clean() {
    let place = tempfile::tempdir().unwrap();
    workspace(place.path());
    aipolicy(place.path(), &["check", "--as-of", DAY]).expect(0);
}

#[test]
fn what_is_not_yaml_is_located() {
    refused("a.yaml", "kind: [unclosed\n", "AIP-YML-001");
    refused("a.yaml", b"kind: \xff\xfe\n", "AIP-YML-006");
}

#[test]
fn bombs_and_towers_are_refused() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n";
    refused("a.yaml", bomb, "AIP-YML-003");
    refused("a.yaml", format!("a: {}{}\n", "[".repeat(20_000), "]".repeat(20_000)), "AIP-YML-002");
    let deep: String = (0..20_000).map(|level| format!("{}a:\n", " ".repeat(level.min(2_000)))).collect();
    refused("a.yaml", deep, "AIP-YML-002");
    refused("a.yaml", format!("a: {}\n", "x".repeat(100 << 20)), "AIP-YML-002");
}

#[test]
fn a_folder_without_resources_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    aipolicy(place.path(), &["check"]).expect(1);
}

#[test]
fn policies_that_cannot_be_trusted_stop_the_run() {
    refused("policies/two.cedar", "permit (principal action resource);\n", "AIP-POL-001");
    let invalid =
        "@id(\"two\")\npermit (principal is Agent, action, resource) when { principal.nmae == \"x\" };\n";
    refused("policies/two.cedar", invalid, "AIP-POL-002");
    let tower = format!(
        "@id(\"two\")\npermit (principal, action, resource) when {{ {}true{} }};\n",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
    refused("policies/two.cedar", tower, "AIP-POL-003");
    refused("policies/two.cedar", "permit (principal, action, resource);\n", "AIP-POL-006");
}

#[test]
fn files_outside_of_the_workspace_are_not_read() {
    let agent = |path: &str| {
        format!(
            "apiVersion: aipolicy.dev/v1\nkind: ModelTest\nmetadata: {{ name: t }}\n\
             spec: {{ model: m, send: {{ file: \"{path}\" }}, expect: {{}} }}\n"
        )
    };
    refused("a.yaml", agent("../secret"), "AIP-REF-003");
    refused("a.yaml", agent("/etc/passwd"), "AIP-REF-003");
    let place = tempfile::tempdir().unwrap();
    workspace(place.path());
    write(place.path(), "a.yaml", agent("link"));
    std::os::unix::fs::symlink("/etc/passwd", place.path().join("link")).unwrap();
    let said = aipolicy(place.path(), &["check"]).expect(1);
    assert!(said.contains("AIP-REF-003") && !said.contains("root:"), "{said}");
}

#[test]
fn names_that_deceive_and_names_that_repeat_are_refused() {
    let group = |name: &str| {
        format!(
            "apiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: {{ name: {name} }}\nspec: {{ members: [a@acme.example] }}\n"
        )
    };
    refused("a.yaml", group("\"x\\u0000y\""), "AIP-YML-005");
    refused("a.yaml", group("x\u{202e}y"), "AIP-YML-005");
    refused("a.yaml", group("p\u{430}yments"), "AIP-LNG-004");
    refused("z.yaml", group("g"), "AIP-LNG-011");
}

#[test]
fn a_syntax_error_hides_no_other_error() {
    let out = refused(
        "a.yaml",
        "apiVersion: aipolicy.dev/v1\nkind: Gruop\n---\nkind: [\n---\napiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: { name: h }\nspec: { membres: [] }\n",
        "AIP-YML-001",
    );
    for code in ["AIP-LNG-007", "AIP-LNG-001"] {
        assert!(out.contains(code), "{code} in {out}");
    }
}
