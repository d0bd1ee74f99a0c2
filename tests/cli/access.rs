//! Access gained and lost, told by compiled policies, with requests that anybody can decide again.

use super::{DAY, aipolicy, copy_of, edit};

/// A change of one line: whoever reads invoices sees the whole bucket, not only what is below `eu/`.
const WIDER: (&str, &str, &str) =
    ("tenants/payments/connectors.yaml", "bucket: acme-invoices, prefixes: [eu/]", "bucket: acme-invoices");

/// A pull request widens a prefix. The effect has a witness, which is denied on the base and allowed on the head, each
/// asked in a process of its own.
#[test]
fn a_wider_prefix_has_a_witness_that_can_replays() {
    let ((_base, base), (_head, head)) = (copy_of("acme"), copy_of("acme"));
    edit(&head, WIDER.0, WIDER.1, WIDER.2);
    let sides = ["diff", base.to_str().unwrap(), head.to_str().unwrap(), "--as-of", DAY];
    let said = aipolicy(&head, &sides).expect(2);
    assert!(
        said.contains(
            "+ acme-prod-tools-invoice-bot may now s3:GetObject on arn:aws:s3:::acme-invoices/example"
        ),
        "{said}"
    );
    assert!(said.contains("may now read `s3://acme-invoices/`") && !said.contains("may no longer"), "{said}");
    let done = aipolicy(&head, &[&sides[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let prod = json["environments"].as_array().unwrap().iter().find(|one| one["name"] == "prod").unwrap();
    let access = prod["access"].as_array().unwrap();
    assert!(access.iter().all(|one| one["class"] == "widens"), "all of before is still allowed: {access:?}");
    assert!(!access.is_empty());
    for one in access {
        let (role, witness) = (format!("Role/{}", one["role"].as_str().unwrap()), &one["witness"]);
        let context = witness["context"].as_object().into_iter().flatten();
        let context: Vec<String> =
            context.map(|(key, value)| format!("--context={key}={}", value.as_str().unwrap())).collect();
        let question =
            ["can", &role, witness["action"].as_str().unwrap(), witness["resource"].as_str().unwrap()];
        let question = [&question[..], &["-e", "prod", "--as-of", DAY]].concat();
        let question: Vec<&str> = question.into_iter().chain(context.iter().map(String::as_str)).collect();
        assert!(aipolicy(&base, &question).expect(3).contains("denied"));
        assert!(aipolicy(&head, &question).expect(0).contains("allowed by identity policy iam/Policy/"));
    }
}

/// The same from what `build` writes, without the workspace: `iam compare` finds it, and `iam evaluate` decides the
/// witness of each side.
#[test]
fn folders_of_policies_are_compared_role_by_role() {
    let ((_base, base), (_head, head)) = (copy_of("acme"), copy_of("acme"));
    edit(&head, WIDER.0, WIDER.1, WIDER.2);
    let out = tempfile::tempdir().unwrap();
    let built = |folder: &std::path::Path, name: &str| {
        let to = out.path().join(name);
        aipolicy(folder, &["build", "-e", "prod", "--as-of", DAY, "--out", to.to_str().unwrap()]).expect(0);
        to.join("prod/iam")
    };
    let (before, after) = (built(&base, "before"), built(&head, "after"));
    let compare = |one: &std::path::Path, other: &std::path::Path, expected: i32| {
        let arguments =
            ["iam", "compare", one.to_str().unwrap(), other.to_str().unwrap(), "--format", "json"];
        let done = aipolicy(out.path(), &arguments);
        done.expect(expected);
        let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        json["subjects"].as_array().unwrap().clone()
    };
    assert!(compare(&before, &before, 0).iter().all(|one| one["relation"] == "equal"));
    let wider = compare(&before, &after, 3);
    let changed: Vec<_> = wider.iter().filter(|one| one["relation"] != "equal").collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0]["name"], "role acme-prod-tools-invoice-bot");
    assert_eq!(changed[0]["relation"], "wider");
    let witness = &changed[0]["gained"]["differences"][0]["witness"];
    let request = out.path().join("request.json");
    std::fs::write(&request, witness.to_string()).unwrap();
    for (side, expected) in [(&before, 3), (&after, 0)] {
        let role = side.join("Role/acme-prod-tools-invoice-bot.json");
        let arguments =
            ["iam", "evaluate", "--role", role.to_str().unwrap(), "--request", request.to_str().unwrap()];
        aipolicy(out.path(), &arguments).expect(expected);
    }
    let narrower = compare(&after, &before, 0);
    assert!(narrower.iter().any(|one| one["relation"] == "narrower"));
    let text = aipolicy(out.path(), &["iam", "compare", before.to_str().unwrap(), after.to_str().unwrap()]);
    let said = text.expect(3);
    assert!(
        said.contains("+ allows s3:GetObject on") && said.contains("not before, since nothing allows it"),
        "{said}"
    );
}

/// Whoever attaches more to a role in the account is seen by the next plan, as access and not as bytes alone.
#[test]
fn what_somebody_else_widened_is_told_by_the_plan() {
    let (_place, folder) = copy_of("acme");
    let apply = ["apply", "-e", "staging", "--as-of", DAY, "--yes"];
    aipolicy(&folder, &apply).expect(0);
    let world = folder.join(".aipolicy");
    let files = crate::harness::files_below(&world);
    let policies: Vec<_> = files.iter().filter(|file| file.contains("iam/Policy/")).collect();
    let widen = |is_meant: fn(&str) -> bool| {
        let mut widened = 0;
        for path in policies.iter().filter(|file| is_meant(file)).map(|file| world.join(file)) {
            let text = std::fs::read_to_string(&path).unwrap();
            widened += usize::from(text.contains("s3:GetObject"));
            std::fs::write(&path, text.replace("s3:GetObject", "s3:*Object")).unwrap();
        }
        assert!(widened > 0, "no policy with s3:GetObject: {files:?}");
    };
    // Within the boundary of the tenant, it gives nothing.
    widen(|file| !file.contains("-boundary-"));
    let said = aipolicy(&folder, &["plan", "-e", "staging", "--as-of", DAY]).expect(0);
    assert!(said.contains("to update") && !said.contains("Roles, by their policies"), "{said}");
    widen(|file| file.contains("-boundary-"));
    let said = aipolicy(&folder, &["plan", "-e", "staging", "--as-of", DAY]).expect(0);
    assert!(said.contains("Roles, by their policies"), "{said}");
    assert!(said.contains("may no longer s3:PutObject") || said.contains("may no longer s3:"), "{said}");
}
