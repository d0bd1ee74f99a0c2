//! Service control policies: nothing that was granted is denied by them, and each step outside is.

use std::collections::BTreeSet;

use aipolicy_iam::{Decision, Document, Matcher, Policies, Relation, Request, compare, find, read};
use aipolicy_targets::artifact::Artifact;
use aipolicy_targets::effects;
use serde_json::{Value, json};

use super::cloudformation::sound;
use super::{ACME, QUICKSTART, at, bedrock, iam, texts};
use crate::harness::workspace::Built;
use crate::harness::{files_below, read as text_of, root};

/// How the names of the services begin that the policy is about.
const SERVICES: &str = "bedrock";

/// Where the workspaces of these tests call something of Bedrock.
const REGIONS: &[&str] = &["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3", "us-east-1", "us-east-2"];

/// A workspace whose environments ask for the policy.
pub(crate) fn closed(folder: &str) -> Built {
    let folder = root().join(folder);
    let names = files_below(&folder).into_iter().filter(|name| !name.starts_with("expected/"));
    let files: Vec<_> = names.map(|name| (name.clone(), asking(&text_of(&folder.join(&name))))).collect();
    Built::new(&files)
}

/// The text with the line that asks for the policy.
fn asking(text: &str) -> String {
    let text = text.replace("  serviceControlPolicy: true\n", "");
    let text = text.replace("spec:\n  aws:", "spec:\n  serviceControlPolicy: true\n  aws:");
    text.replace("spec: { aws:", "spec: { serviceControlPolicy: true, aws:")
}

fn document(text: &str) -> Document {
    let [found] = find(text).unwrap().try_into().unwrap();
    found.document
}

fn everything() -> Document {
    read(r#"{ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }"#)
        .unwrap()
}

/// The policy of an environment.
fn control(artifacts: &[Artifact]) -> Document {
    let found = artifacts.iter().find(|one| one.document.address.kind == "ServiceControlPolicy").unwrap();
    document(&found.document.text)
}

/// Whoever holds these policies in an account with a control policy.
fn under(policies: Policies, control: &Document) -> Policies {
    policies.service_control([("FullAWSAccess", &everything()), ("control", control)])
}

/// What AWS says of each request, so that others are not asked about: `aws:RequestedRegion` is always there, and is the
/// region of the resource, where that has one.
fn as_requests_are(policies: Policies, region: &str) -> Policies {
    let resources: Vec<_> = ["bedrock", "bedrock-agentcore", "bedrock-mantle"]
        .iter()
        .map(|service| format!("arn:aws:{service}:{region}:*:*"))
        .collect();
    let world = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": resources },
        { "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": { "StringNotEquals": { "aws:RequestedRegion": region } } },
    ] });
    policies.session("world", &read(&world.to_string()).unwrap())
}

#[test]
fn nothing_that_was_granted_is_denied() {
    for built in
        [closed("examples/acme"), closed("examples/quickstart"), everything_of_iam(), everything_of_bedrock()]
    {
        built.sound();
        for (environment, artifacts) in &built.artifacts {
            let control = control(artifacts);
            let only = |actions: &Matcher| match actions {
                Matcher::In(actions) => actions.iter().all(|action| action.starts_with(SERVICES)),
                Matcher::NotIn(_) => false,
            };
            assert!(control.statements.iter().all(|one| only(&one.actions)), "{control:#?}");
            for role in
                artifacts.iter().filter(|one| one.document.address.to_string().starts_with("iam/Role/"))
            {
                let described: Value = serde_json::from_str(&role.document.text).unwrap();
                let (mut own, mut asks) = (Policies::default(), false);
                for arn in texts(&described["AttachedManagedPolicies"]) {
                    let name = arn.rsplit('/').next().unwrap();
                    let text = built.text(&format!("iam/Policy/{name}"));
                    asks |= text.contains(SERVICES) || text.contains("\"*\"");
                    own = own.identity(name, &document(text));
                }
                let name = &role.document.address.name;
                // What is not asked of these services is the same in every region.
                for region in if asks { REGIONS } else { &REGIONS[..1] } {
                    let real = |policies: Policies| as_requests_are(policies, region);
                    let found = compare(&real(own.clone()), &real(under(own.clone(), &control)));
                    assert_eq!(found.relation(), Relation::Equal, "{name} in {environment}: {found:#?}");
                }
            }
        }
    }
}

fn everything_of_iam() -> Built {
    Built::of(asking(&super::workspace(iam::EVERYTHING)))
}

fn everything_of_bedrock() -> Built {
    let files = bedrock::files(bedrock::EVERYTHING);
    Built::new(&files.into_iter().map(|(name, text)| (name, asking(&text))).collect::<Vec<_>>())
}

/// A request of somebody who may do everything but for the control policy.
fn asked(control: &Document, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
    let request = context
        .iter()
        .fold(Request::new(action, resource), |request, (key, value)| request.with(key, *value));
    let everybody = under(Policies::default().identity("everything", &everything()), control);
    matches!(everybody.decide(&request), Decision::Allowed { .. })
}

#[test]
fn each_step_outside_is_denied() {
    let built = closed("examples/acme");
    let (_, prod) = built.artifacts.iter().find(|(name, _)| name == "prod").unwrap();
    let control = control(prod);
    let call =
        |action: &str, resource: &str, context: &[(&str, &str)]| asked(&control, action, resource, context);
    let (here, account) = (("aws:RequestedRegion", "eu-central-1"), "111122223333");
    let profile =
        format!("arn:aws:bedrock:eu-central-1:{account}:inference-profile/eu.anthropic.claude-haiku-5-5");
    let model = |region: &str, id: &str| format!("arn:aws:bedrock:{region}::foundation-model/{id}");
    let haiku = |region: &str| model(region, "anthropic.claude-haiku-5-5");
    let through = ("bedrock:InferenceProfileArn", profile.as_str());
    // What was granted.
    let invoke = "bedrock:InvokeModel";
    assert!(call(invoke, &profile, &[here]));
    assert!(call(invoke, &haiku("eu-central-1"), &[here, through]));
    assert!(call(invoke, &haiku("eu-west-3"), &[("aws:RequestedRegion", "eu-west-3"), through]));
    // Another model, another region, another profile, or none.
    assert!(!call(invoke, &model("eu-central-1", "amazon.titan-text-express-v1"), &[here]));
    assert!(!call(invoke, &haiku("ap-south-1"), &[("aws:RequestedRegion", "ap-south-1"), through]));
    assert!(!call(invoke, &haiku(""), &[("aws:RequestedRegion", "unspecified"), through]));
    assert!(!call(invoke, &haiku(""), &[through]));
    assert!(!call(invoke, &haiku("eu-central-1"), &[here]));
    let other = profile.replace("eu.anthropic", "global.anthropic");
    assert!(!call(invoke, &other, &[here]));
    assert!(!call(invoke, &haiku("eu-central-1"), &[here, ("bedrock:InferenceProfileArn", &other)]));
    let custom = format!("arn:aws:bedrock:eu-central-1:{account}:custom-model/mine");
    assert!(!call(invoke, &custom, &[here]));
    // A profile that carries the tags of somebody else, or none.
    let charged =
        format!("arn:aws:bedrock:eu-central-1:{account}:application-inference-profile/abcdefghijkl");
    let tags = |workspace| {
        [
            here,
            ("aws:ResourceTag/aipolicy:workspace", workspace),
            ("aws:ResourceTag/aipolicy:environment", "prod"),
        ]
    };
    assert!(call(invoke, &charged, &tags("acme-ai")));
    assert!(!call(invoke, &charged, &tags("other")) && !call(invoke, &charged, &[here]));
    // The other endpoint, where nobody was granted a model.
    let project = format!("arn:aws:bedrock-mantle:eu-central-1:{account}:project/default");
    let model = ("bedrock-mantle:Model", "openai.gpt-oss-120b");
    assert!(!call("bedrock-mantle:CreateInference", &project, &[here, model]));
    assert!(!call("bedrock-mantle:CreateFile", &project, &[here]));
    // Agents that are not ours, and ways that nobody was granted.
    let core = |resource: &str| format!("arn:aws:bedrock-agentcore:eu-central-1:{account}:{resource}");
    assert!(call(
        "bedrock-agentcore:InvokeHarness",
        &core("harness/acme_prod_invoice_bot-abcdefghij"),
        &[here]
    ));
    assert!(!call("bedrock-agentcore:InvokeHarness", &core("harness/mine-abcdefghij"), &[here]));
    assert!(!call("bedrock-agentcore:InvokeGateway", &core("gateway/mine-abcdefghij"), &[here]));
    let alias = format!("arn:aws:bedrock:eu-central-1:{account}:agent-alias/ABCDEFGHIJ/ABCDEFGHIJ");
    assert!(call("bedrock:InvokeAgent", &alias, &tags("acme-ai")));
    assert!(
        !call("bedrock:InvokeAgent", &alias, &tags("other")) && !call("bedrock:InvokeAgent", &alias, &[here])
    );
    for action in
        ["bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken", "bedrock:InvokeInlineAgent"]
    {
        assert!(!call(action, "*", &[here]), "{action}");
    }
    // Whoever deploys goes on, and so does everything else.
    assert!(call("bedrock:CreateGuardrail", "*", &[here]) && call("s3:GetObject", "arn:aws:s3:::b/k", &[]));
    assert!(!call("bedrock:CreateGuardrail", "*", &[("aws:RequestedRegion", "ap-south-1")]));
}

#[test]
fn another_model_behind_the_other_endpoint_is_denied() {
    let control = control(&everything_of_iam().artifacts[0].1);
    let project = "arn:aws:bedrock-mantle:eu-central-1:111122223333:project/default";
    let here = ("aws:RequestedRegion", "eu-central-1");
    let call = |context: &[(&str, &str)]| asked(&control, "bedrock-mantle:CreateInference", project, context);
    assert!(call(&[here, ("bedrock-mantle:Model", "openai.gpt-oss-120b")]));
    assert!(!call(&[here, ("bedrock-mantle:Model", "openai.gpt-oss-20b")]) && !call(&[here]));
}

/// A global profile is asked for without a region, whichever way AWS says so.
#[test]
fn a_global_profile_that_was_granted_may_end_anywhere() {
    let built = everything_of_iam();
    let control = control(&built.artifacts[0].1);
    let profile =
        "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/global.anthropic.claude-haiku-5-5";
    let model = "arn:aws:bedrock:::foundation-model/anthropic.claude-haiku-5-5";
    let through = ("bedrock:InferenceProfileArn", profile);
    for region in [&[][..], &[("aws:RequestedRegion", "unspecified")]] {
        assert!(asked(&control, "bedrock:InvokeModel", model, &[region, &[through]].concat()), "{region:?}");
        assert!(!asked(&control, "bedrock:InvokeModel", model, region), "{region:?}");
    }
}

#[test]
fn nobody_gets_it_unasked_and_it_is_told_in_words() {
    for (name, artifacts) in ACME.artifacts.iter().chain(&QUICKSTART.artifacts) {
        let made = artifacts.iter().any(|one| one.document.address.kind == "ServiceControlPolicy");
        assert_eq!(made, name == "staging", "{name}");
    }
    let built = closed("examples/acme");
    let of = |built: &Built| {
        let (_, prod) = built.artifacts.iter().find(|(name, _)| name == "prod").unwrap();
        prod.iter().map(|one| one.document.clone()).collect::<Vec<_>>()
    };
    let told = effects::access(&of(&ACME), &of(&built));
    let says = |word: &str| {
        told.iter().any(|one| one.sentence.contains("may no longer") && one.sentence.contains(word))
    };
    for sid in ["OtherRegions", "OtherModels", "OtherProfiles", "Mantle", "AgentCoreOfOthers", "OtherWays"] {
        assert!(says(&format!("({sid})")), "{sid}: {told:#?}");
    }
    assert!(
        told.iter().all(|one| one.sentence.starts_with("whoever is in the account") && one.witness.is_some()),
        "{told:#?}"
    );
    let opened = effects::access(&of(&built), &of(&ACME));
    assert!(
        opened.len() == told.len() && opened.iter().all(|one| one.sentence.contains("may now")),
        "{opened:#?}"
    );
}

#[test]
fn each_profile_comes_from_the_model_that_is_called_through_it() {
    let built = everything_of_iam();
    let artifact =
        built.sound().into_iter().find(|one| one.document.address.kind == "ServiceControlPolicy").unwrap();
    let found: Value = serde_json::from_str(&artifact.document.text).unwrap();
    let mut seen = BTreeSet::new();
    for (at_, statement) in at(&found, "/Content/Statement").as_array().unwrap().iter().enumerate() {
        let Some(profiles) = statement["Condition"].get("ArnNotLike") else { continue };
        for (index, arn) in texts(at(profiles, "/bedrock:InferenceProfileArn")).into_iter().enumerate() {
            let pointer =
                format!("/Content/Statement/{at_}/Condition/ArnNotLike/bedrock:InferenceProfileArn/{index}");
            let written = built.sources.slice(artifact.trace.at(&pointer).unwrap().span);
            // Profiles that carry tags for a bill have ids that nobody knows before.
            let named = arn.split_once("inference-profile/").unwrap().1.split_once('.');
            let Some((group, _)) = named else { continue };
            assert!(written.contains(group), "{arn} comes from {written}");
            seen.insert(written);
        }
    }
    assert!(seen.len() > 1, "{seen:?}");
}

#[test]
fn it_takes_an_account_of_its_own() {
    let other = ("Environment", "test", "aws: { accountId: \"111122223333\", regions: [eu-central-1] }");
    let text = super::workspace(&[iam::EVERYTHING, &[other]].concat());
    let asked = text.replacen("spec: { aws:", "spec: { serviceControlPolicy: true, aws:", 1);
    let built = Built::of(asked);
    let refused: Vec<_> = built.diagnostics.iter().filter(|one| one.code == "AIP-CMP-002").collect();
    let [refused] = refused.as_slice() else { panic!("{:#?}", built.findings()) };
    assert_eq!(built.sources.slice(refused.primary.span), "true");
    assert!(refused.message.contains("`test`"), "{}", refused.message);
    Built::of(text).sound();
}

#[test]
fn it_is_within_its_limit_and_a_stack_of_the_organisation_makes_it() {
    let built = closed("examples/quickstart");
    let document = built.json("iam/ServiceControlPolicy/quickstart-dev-bedrock");
    assert!(document["Content"].to_string().chars().count() <= 10_240);
    assert_eq!(document["Type"], "SERVICE_CONTROL_POLICY");
    assert_eq!(document["TargetIds"], json!(["111122223333"]));
    let (_, artifacts) = sound(&built).into_iter().next().unwrap();
    let template = artifacts
        .iter()
        .find(|one| one.document.address.to_string() == "cloudformation/Template/organization");
    let template: Value = serde_json::from_str(&template.unwrap().document.text).unwrap();
    let resource = at(&template, "/Resources/ServiceControlPolicyBedrock");
    assert_eq!(resource["Type"], "AWS::Organizations::Policy");
    assert_eq!(at(resource, "/Properties/Content"), &document["Content"]);
    assert_eq!(at(resource, "/Properties/TargetIds"), &document["TargetIds"]);
}
