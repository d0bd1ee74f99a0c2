//! A mistake of each kind, and the same without it.

use aipolicy_compiler::inspect::Verdict;

use super::{PERMITS, id, inspected, word, workspace};

/// A policy with the id `it` among [`PERMITS`], and what it amounts to.
const SEEDS: &[(&str, &str)] = &[
    // A name that nobody has, and the one that was meant.
    (
        r#"@id("it") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { principal.tenant.name == "reserch" && resource has tier && resource.tier == "premium" };"#,
        "vacuous",
    ),
    (
        r#"@id("it") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { principal.tenant.name == "research" && resource has tier && resource.tier == "premium" };"#,
        "guarding",
    ),
    // A word that no context has.
    (
        r#"@id("it") forbid (principal is Agent, action == Action::"callTool", resource)
when { context.access == "writes" } unless { context.gate == "approval" };"#,
        "vacuous",
    ),
    (
        r#"@id("it") @severity("advisory") forbid (principal is Agent, action == Action::"callTool", resource)
when { context.access == "write" } unless { context.gate == "approval" };"#,
        "deciding",
    ),
    // An exception that always holds.
    (
        r#"@id("it") forbid (principal, action == Action::"callTool", resource) unless { context.dataClassRank >= 0 };"#,
        "vacuous",
    ),
    (
        r#"@id("it") forbid (principal, action == Action::"callTool", resource) unless { context.access == "read" || context.gate == "confirm" };"#,
        "guarding",
    ),
    // A scope that nothing of the workspace is in.
    (r#"@id("it") permit (principal, action == Action::"runOn", resource);"#, "vacuous"),
    (
        r#"@id("it") permit (principal in Tenant::"marketing", action == Action::"invokeModel", resource);"#,
        "vacuous",
    ),
    // Matched by another one anyway, and not.
    (
        r#"@id("it") permit (principal is Agent, action == Action::"invokeModel", resource) when { context.direct };"#,
        "shadowed",
    ),
    (
        r#"@id("it") @severity("advisory") forbid (principal is Agent, action == Action::"invokeModel", resource) when { context.direct };"#,
        "deciding",
    ),
    // Two policies together match what it matches.
    (
        r#"@id("it") forbid (principal, action == Action::"invokeModel", resource);
@id("p") forbid (principal in Tenant::"payments", action == Action::"invokeModel", resource);
@id("r") forbid (principal in Tenant::"research", action == Action::"invokeModel", resource);"#,
        "redundant",
    ),
    (
        r#"@id("it") forbid (principal, action == Action::"invokeModel", resource);
@id("p") forbid (principal in Tenant::"payments", action == Action::"invokeModel", resource);"#,
        "deciding",
    ),
    // One that only advises does not stand in for one that stops.
    (
        r#"@id("it") forbid (principal, action == Action::"invokeModel", resource);
@id("p") @severity("advisory") forbid (principal, action == Action::"invokeModel", resource);"#,
        "deciding",
    ),
    (
        r#"@id("it") @severity("advisory") forbid (principal, action == Action::"invokeModel", resource);
@id("p") forbid (principal, action == Action::"invokeModel", resource);"#,
        "shadowed",
    ),
    // A permit whose every request is forbidden, and one of which only some are.
    (
        r#"@id("it") permit (principal, action == Action::"callTool", resource) when { context.access == "write" };
@id("p") forbid (principal, action == Action::"callTool", resource) when { context.gate == "confirm" };"#,
        "overridden",
    ),
    (
        r#"@id("it") permit (principal, action == Action::"callTool", resource) when { context.access == "write" };
@id("p") @severity("advisory") forbid (principal, action == Action::"callTool", resource) when { context.gate == "confirm" };"#,
        "shadowed",
    ),
    // Switched off where it would be asked, and about what is asked when changes are planned.
    (
        r#"@id("it") forbid (principal, action == Action::"change", resource) when { context.effect == "widens" };"#,
        "changes",
    ),
];

#[test]
fn each_mistake_is_told_and_its_twin_is_not() {
    for (policy, wanted) in SEEDS {
        let compiled = workspace(&format!("{PERMITS}{policy}"));
        let found = inspected(&compiled);
        let one = found.policies.iter().find(|one| id(&compiled, one) == "it").unwrap();
        assert_eq!(word(&one.verdict), *wanted, "{policy}\n{one:?}");
        assert_eq!(one.matched == 0, ["vacuous", "guarding", "changes"].contains(wanted), "{policy}");
        assert!(one.failed.is_none() && one.may_fail.is_empty(), "{policy}");
    }
}

#[test]
fn what_is_only_off_somewhere_is_asked_elsewhere() {
    let forbid = |who: &str| {
        format!(
            r#"{PERMITS}@id("quiet") forbid (principal, action == Action::"invokeModel", resource) when {{ {who} }};"#
        )
    };
    let everywhere = workspace(&forbid("true"));
    let one = inspected(&everywhere);
    let one = one.policies.iter().find(|one| id(&everywhere, one) == "quiet").unwrap();
    assert_eq!((word(&one.verdict), one.asked, one.matched), ("deciding", 2, 2), "{one:?}");
    let lab = workspace(&forbid(r#"context.environment.name == "lab""#));
    let one = inspected(&lab);
    let one = one.policies.iter().find(|one| id(&lab, one) == "quiet").unwrap();
    assert_eq!((word(&one.verdict), one.asked), ("guarding", 2), "{one:?}");
}

/// The reason names the part that never held, and not those that did or were never looked at.
#[test]
fn the_part_that_never_held_is_named() {
    let policy = r#"@id("it") forbid (principal is Agent, action == Action::"callTool", resource)
when { context.access == "write" && context.gate == "none" && context.untrusted } unless { context.idempotent };"#;
    let compiled = workspace(policy);
    let found = inspected(&compiled);
    let (Verdict::Vacuous(why) | Verdict::Guards(why)) = &found.policies[0].verdict else {
        panic!("{found:?}")
    };
    let told: Vec<_> =
        why.never.iter().map(|one| (compiled.sources.slice(one.span), one.was, one.looked)).collect();
    assert_eq!(told, [(r#"context.gate == "none""#, true, 1)]);
    let apart = workspace(
        r#"@id("it") permit (principal is Agent, action == Action::"callTool", resource) when { context.access == "write" && context.gate == "none" };
@id("other") permit (principal is Agent, action == Action::"callTool", resource) when { context.gate == "none" && context.access == "write" };"#,
    );
    let found = inspected(&apart);
    for (one, wanted) in
        found.policies.iter().zip([r#"context.gate == "none""#, r#"context.access == "write""#])
    {
        let Verdict::Vacuous(why) = &one.verdict else { panic!("{one:?}") };
        assert_eq!(why.never.iter().map(|one| apart.sources.slice(one.span)).collect::<Vec<_>>(), [wanted]);
    }
}

/// Parts that may fail, at their places; the same with numbers and names that cannot fail is silent.
#[test]
fn what_may_fail_is_told_at_its_place() {
    let told = |condition: &str| {
        let policy = format!(
            r#"{PERMITS}@id("it") forbid (principal, action == Action::"storeData", resource) when {{ {condition} }};"#
        );
        let compiled = workspace(&policy);
        let found = inspected(&compiled);
        let one = found.policies.iter().find(|one| id(&compiled, one) == "it").unwrap();
        one.may_fail.iter().map(|part| compiled.sources.slice(part.span).to_owned()).collect::<Vec<_>>()
    };
    for (condition, wanted) in [
        ("context.dataClassRank * 10 > 5", "context.dataClassRank * 10"),
        ("context.dataClassRank + 1 > 5", "context.dataClassRank + 1"),
        ("5 - context.dataClassRank > 5", "5 - context.dataClassRank"),
        ("-context.dataClassRank > 5", "-context.dataClassRank"),
        (
            r#"context.today.offset(duration("1d")) > context.today"#,
            r#"context.today.offset(duration("1d"))"#,
        ),
        (r#"Tenant::"payments".clearanceRank > 900"#, r#"Tenant::"payments".clearanceRank"#),
    ] {
        assert_eq!(told(condition), [wanted], "{condition}");
    }
    for condition in [
        "context.dataClassRank > 3 * 10 + 5",
        "context.dataClassRank > -5",
        r#"context.today < datetime("2020-01-01")"#,
        r#"context.environment in [Environment::"nowhere"]"#,
        "context has retentionDays && context.retentionDays > 900",
    ] {
        assert_eq!(told(condition), Vec::<String>::new(), "{condition}");
    }
}

#[test]
fn a_policy_that_fails_is_told_with_the_request() {
    let policy = format!(
        r#"{PERMITS}@id("it") forbid (principal, action == Action::"invokeModel", resource) when {{ Tenant::"payments".clearanceRank > 900 }};"#
    );
    let compiled = workspace(&policy);
    let found = inspected(&compiled);
    let one = found.policies.iter().find(|one| id(&compiled, one) == "it").unwrap();
    let failed = one.failed.as_ref().unwrap();
    assert_eq!(failed.count, 2, "the two requests of the other tenant: {failed:?}");
    assert!(failed.why.contains("payments"), "{failed:?}");
    assert!(compiled.sources.slice(failed.first.span).contains("small"), "{failed:?}");
}
