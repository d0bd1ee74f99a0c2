//! Policies about changes: asked when a plan is made or applied, at a moment.

use aipolicy_compiler::authorize::{ChangeRequest, permit_changes};
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use jiff::Timestamp;

use crate::harness::compile::compile;

/// What is asked of every change: a new role, by a plan that widens.
fn change() -> ChangeRequest {
    ChangeRequest {
        target: "iam".into(),
        kind: "Role".into(),
        address: "iam/Role/clerk".into(),
        operation: "create",
        effect: "widens",
    }
}

/// What refuses a change in an environment with these windows, at a moment; nothing where it may be made.
fn refused(pack: &str, windows: &str, moment: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: aipolicy.dev/v1\nkind: Workspace\nmetadata: {{ name: case }}\nspec: {{ packs: [baseline{pack}] }}\n---\n\
         apiVersion: aipolicy.dev/v1\nkind: Environment\nmetadata: {{ name: prod }}\nspec:\n  \
         aws: {{ accountId: \"111122223333\", regions: [eu-central-1] }}\n{windows}"
    );
    let compiled = compile(&[("aipolicy.yaml".to_owned(), text)]);
    assert!(compiled.diagnostics.iter().next().is_none(), "{windows}");
    let (graph, policies) = (&compiled.compilation.graph, &compiled.compilation.policies);
    let (id, _) = graph.each::<EnvironmentSpec>().next().unwrap();
    let now: Timestamp = moment.parse().unwrap();
    let mut out = Diagnostics::default();
    let permitted = permit_changes((graph, policies), id, (&[change()], now), &mut out);
    assert_eq!(permitted, out.iter().next().is_none());
    out.iter().map(|found| found.message.clone()).collect()
}

const FRIDAY: &str = "2026-11-27T15:30:00Z";

#[test]
fn a_change_waits_for_its_window() {
    // A moment and windows that it is outside of, and the windows that would let it through.
    let cases = [
        ("a Friday", FRIDAY, "days: [mon, tue, wed, thu]", "days: [mon, tue, wed, thu, fri]"),
        ("an hour too late in Berlin", FRIDAY, "days: [fri], timeZone: Europe/Berlin", "days: [fri]"),
        ("too early", "2026-11-27T07:59:00Z", "days: [fri]", "days: [fri], timeZone: Europe/Berlin"),
    ];
    for (what, moment, outside, inside) in cases {
        let windows =
            |days: &str| format!("  changeWindows:\n    - {{ {days}, from: \"08:00\", to: \"16:00\" }}\n");
        let found = refused(", change-control", &windows(outside), moment);
        assert_eq!(found, ["policy `AIP-LIF-007` forbids to create `iam/Role/clerk` (widens)"], "{what}");
        assert_eq!(refused(", change-control", &windows(inside), moment), [""; 0], "{what}");
        assert_eq!(refused("", &windows(outside), moment), [""; 0], "{what}: without the pack");
        assert_eq!(refused(", change-control", "", moment), [""; 0], "{what}: without windows");
    }
}

/// What only a window or an approval is missing for is told apart from what is refused for good.
#[test]
fn a_change_that_waits_is_told_apart() {
    let codes = |environment: &str, policies: &str| {
        let text = format!(
            "apiVersion: aipolicy.dev/v1\nkind: Workspace\nmetadata: {{ name: case }}\nspec: {{ packs: [baseline, change-control], \
             policies: [policies] }}\n---\napiVersion: aipolicy.dev/v1\nkind: Group\nmetadata: {{ name: leads }}\nspec: {{ members: \
             [ana@acme.example, ben@acme.example] }}\n---\napiVersion: aipolicy.dev/v1\nkind: Environment\nmetadata: {{ name: prod }}\nspec:\n  aws: {{ \
             accountId: \"111122223333\", regions: [eu-central-1] }}\n{environment}"
        );
        let files =
            [("aipolicy.yaml".to_owned(), text), ("policies/own.cedar".to_owned(), policies.to_owned())];
        let compiled = compile(&files);
        assert!(compiled.diagnostics.iter().next().is_none(), "{:?}", compiled.diagnostics);
        let (graph, policies) = (&compiled.compilation.graph, &compiled.compilation.policies);
        let (id, _) = graph.each::<EnvironmentSpec>().next().unwrap();
        let mut out = Diagnostics::default();
        assert!(!permit_changes((graph, policies), id, (&[change()], FRIDAY.parse().unwrap()), &mut out));
        out.iter().map(|found| found.code.to_string()).collect::<Vec<_>>()
    };
    let monday = "  changeWindows: [{ days: [mon], from: \"08:00\", to: \"16:00\" }]\n";
    let two = "  approvals: { required: 2, from: [leads] }\n";
    let approved = "@id(\"two\")\nforbid (principal, action == Action::\"change\", resource)\n\
                    when { context.approvals < context.approvalsRequired };\n";
    let never = "@id(\"never\")\nforbid (principal, action == Action::\"change\", resource) when { context.effect == \"widens\" };\n";
    assert_eq!(codes(monday, ""), ["AIP-POL-011"]);
    assert_eq!(codes(two, approved), ["AIP-POL-011"]);
    assert_eq!(codes(&[monday, two].concat(), approved), ["AIP-POL-011"]);
    assert_eq!(codes(monday, never), ["AIP-POL-007"], "a window would not help");
    assert_eq!(codes("", never), ["AIP-POL-007"]);
}
