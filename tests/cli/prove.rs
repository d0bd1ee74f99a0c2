//! `prove`: what holds for every request, and what breaks it.

use super::{DAY, aipolicy, copy_of, edit};

const PROVE: &[&str] = &["prove", "least-privilege", "-e", "prod", "--as-of", DAY];

#[test]
fn roles_of_an_example_may_do_what_was_granted_and_nothing_else() {
    let (_folder, acme) = copy_of("acme");
    let said = aipolicy(&acme, PROVE).expect(0);
    assert!(said.contains("prod: least privilege PROVED"), "{said}");
    assert!(said.contains("9 useRoute: the gateway, by the key of whoever calls"), "{said}");
    assert!(said.contains("20 Agent `tools.input`: bedrock"), "{said}");
    assert!(said.contains("1 Environment `network.tls`: nothing"), "{said}");
    let said = aipolicy(&acme, &[PROVE, &["--format", "json"]].concat()).expect(0);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["format"], "aipolicy.least-privilege/1");
    assert_eq!(json["environments"][0]["verdict"], "proved");
    assert!(json["environments"][0]["grants"].as_u64().unwrap() > 50, "{json:#}");
}

/// Somebody adds a right by hand, takes one away, and lets somebody else become a role. What is there no longer has the
/// least privilege, and each request that is shown is decided so.
#[test]
fn what_somebody_changed_by_hand_is_found_with_a_request() {
    let (_folder, acme) = copy_of("acme");
    aipolicy(&acme, &["apply", "-e", "prod", "--yes", "--as-of", DAY]).expect(0);
    let actual = [PROVE, &["--actual"]].concat();
    aipolicy(&acme, &actual).expect(0);
    let world = acme.join(".aipolicy/world/prod/iam");
    let policy = "Policy/acme-prod-tools-invoice-bot.json";
    edit(&world, policy, "arn:aws:s3:::acme-invoices/eu/*", "arn:aws:s3:::acme-invoices/*");
    let said = aipolicy(&acme, &actual).expect(3);
    assert!(said.contains("prod: least privilege BROKEN"), "{said}");
    let wide = "+ acme-prod-tools-invoice-bot: s3:GetObject on arn:aws:s3:::acme-invoices/example is allowed, \
                and no grant needs it";
    assert!(said.contains(wide), "{said}");
    assert!(said.contains("by iam/Policy/acme-prod-tools-invoice-bot#/PolicyDocument/Statement/"), "{said}");
    assert!(!said.contains("is denied"), "what was granted is still allowed: {said}");
    edit(&world, policy, "arn:aws:s3:::acme-invoices/*", "arn:aws:s3:::acme-invoices/eu/2026/*");
    let said = aipolicy(&acme, &actual).expect(3);
    assert!(said.contains("`Agent/invoice-bot readConnector Connector/invoices` needs it"), "{said}");
    assert!(said.contains("granted at tenants/payments/agents.yaml:15"), "{said}");
    assert!(!said.contains("no grant needs it"), "{said}");
    edit(&world, policy, "arn:aws:s3:::acme-invoices/eu/2026/*", "arn:aws:s3:::acme-invoices/eu/*");
    aipolicy(&acme, &actual).expect(0);
    edit(&world, "Role/acme-prod-tools-invoice-bot.json", "states.amazonaws.com", "ec2.amazonaws.com");
    let said = aipolicy(&acme, &actual).expect(3);
    let trust = "by iam/Role/acme-prod-tools-invoice-bot#/AssumeRolePolicyDocument/Statement/0";
    assert!(said.contains(trust) && said.contains("is denied"), "{said}");
    std::fs::remove_file(world.join(policy)).unwrap();
    let said = aipolicy(&acme, &actual).expect(3);
    assert!(said.contains("acme-prod-tools-invoice-bot: ") && said.contains("cannot be read"), "{said}");
}

/// What a role may do that somebody else keeps in the same account is not ours to prove.
#[test]
fn roles_of_others_are_left_out() {
    let (_folder, quickstart) = copy_of("quickstart");
    aipolicy(&quickstart, &["apply", "-e", "dev", "--yes", "--as-of", DAY]).expect(0);
    let world = quickstart.join(".aipolicy/world/dev");
    let own = std::fs::read_to_string(world.join("iam/Role/quickstart-dev-gateway-edge.json")).unwrap();
    let other = own.replace("\"quickstart-dev-gateway-edge\"", "\"builders\"");
    assert_ne!(other, own);
    std::fs::write(world.join("iam/Role/builders.json"), other).unwrap();
    let actual = ["prove", "least-privilege", "-e", "dev", "--as-of", DAY, "--actual"];
    let said = aipolicy(&quickstart, &actual).expect(0);
    assert!(said.contains("PROVED") && !said.contains("builders"), "{said}");
    edit(&world, ".owned.json", "\"files\": {", "\"files\": { \"iam/Role/builders.json\": \"quickstart\",");
    let said = aipolicy(&quickstart, &actual).expect(3);
    assert!(said.contains("+ builders: "), "a role with our mark is ours: {said}");
}

#[test]
fn nothing_is_proven_of_what_is_refused() {
    let (_folder, acme) = copy_of("acme");
    edit(
        &acme,
        "tenants/payments/routes.yaml",
        "model: nova-lite-reserved, on: [throttled, unavailable, timeout]",
        "model: claude-sonnet-us, on: [throttled]",
    );
    let done = aipolicy(&acme, PROVE);
    let said = done.expect(3);
    assert!(!said.contains("PROVED"), "{said}");
}

const RESIDENCY: &[&str] = &["prove", "residency", "-e", "prod", "--as-of", DAY];

/// A fallback of one route is reached from another route, and from agents of both. Each way is told with its lines, the
/// shortest first.
#[test]
fn content_that_leaves_is_followed_to_where_it_ends() {
    let (_folder, acme) = copy_of("acme");
    let said = aipolicy(&acme, RESIDENCY).expect(0);
    assert!(said.starts_with("prod: residency PROVED\n"), "{said}");
    edit(
        &acme,
        "tenants/payments/routes.yaml",
        "- { model: nova-lite-reserved, on:",
        "- { model: claude-sonnet-us, on:",
    );
    let said = aipolicy(&acme, RESIDENCY).expect(3);
    assert!(said.starts_with("prod: residency BROKEN\n"), "{said}");
    let end = "  - ends in us-east-1 through `us.anthropic.claude-sonnet-5-5`, called in us-east-1: not allowed by \
               `personal-data-in-the-eu`, `payments-in-the-eu`\n    agent `invoice-bot` tenants/payments/agents.yaml:4:";
    assert!(said.contains(end), "{said}");
    let way = [
        "    agent `statement-reader` tenants/payments/agents.yaml:",
        "    is sent to route `payments-extract` tenants/payments/agents.yaml:",
        "    falls back to route `payments-chat` tenants/payments/routes.yaml:",
        "    falls back to model `claude-sonnet-us` tenants/payments/routes.yaml:",
        "    is processed models/bedrock.yaml:",
    ];
    let mut rest = said.as_str();
    for step in way {
        let (before, after) = rest.split_once(step).unwrap_or_else(|| panic!("`{step}` is missing: {said}"));
        assert!(before.is_empty() || before.ends_with('\n'));
        rest = after;
    }
    let said = aipolicy(&acme, &[RESIDENCY, &["--format", "json"]].concat()).expect(3);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let prod = &json["environments"][0];
    assert_eq!((&json["format"], &prod["verdict"]), (&"aipolicy.residency/1".into(), &"broken".into()));
    assert_eq!(prod["leaks"][0]["steps"].as_array().unwrap().len(), 4);
    let leaks = prod["leaks"].as_array().unwrap();
    assert!(leaks.is_sorted_by_key(|leak| leak["steps"].as_array().unwrap().len()), "{said}");
    // Five start there, and a call may end in each of the three regions of the profile.
    assert_eq!((leaks.len(), &prod["leakingPaths"]), (5, &"15".into()));
}

/// A workspace without rules has nothing that could be proven about it.
#[test]
fn residency_is_not_proven_where_nobody_wrote_a_rule() {
    let (_folder, quickstart) = copy_of("quickstart");
    let said = aipolicy(&quickstart, &["prove", "residency", "--as-of", DAY]).expect(3);
    assert_eq!(said, "dev: residency NOT PROVEN\n  no residency rule says where data may be\n");
}
