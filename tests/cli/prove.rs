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
