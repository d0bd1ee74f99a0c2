//! AWS Lambda: functions, who may call them, and what calls them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{PLAIN, TAG_MAP};
use crate::aws::composed::topics;
use crate::aws::life::{Echo, Life, List, Member, Part, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[FUNCTION, CONCURRENCY, PERMISSION, INVOCATION, MAPPING, SUBSCRIPTION];

const FUNCTION: Life = Life {
    words: &["bedrock/Function", "lambda/Function"],
    service: Service::Functions,
    list: List {
        operation: "ListFunctions",
        at: "Functions",
        keys: &[("FunctionName", &["FunctionName"])],
        ..PLAIN.list
    },
    read: Some(("GetFunction", "")),
    create: ("CreateFunction", ""),
    update: Update::Parts(&[
        Part { operation: "UpdateFunctionCode", members: &["Architectures", "Code"], inside: Some("Code") },
        Part {
            operation: "UpdateFunctionConfiguration",
            members: &[
                "DeadLetterConfig",
                "Description",
                "Environment",
                "Handler",
                "KMSKeyArn",
                "Layers",
                "LoggingConfig",
                "MemorySize",
                "Role",
                "Runtime",
                "Timeout",
                "TracingConfig",
                "VpcConfig",
            ],
            inside: None,
        },
    ]),
    delete: "DeleteFunction",
    identity: &["FunctionName"],
    members: &[
        Member::At("FunctionName", "/Configuration/FunctionName"),
        Member::At("Runtime", "/Configuration/Runtime"),
        Member::At("PackageType", "/Configuration/PackageType"),
        Member::At("Handler", "/Configuration/Handler"),
        Member::At("Role", "/Configuration/Role"),
        Member::As("Code", code),
        Member::At("Description", "/Configuration/Description"),
        Member::At("Timeout", "/Configuration/Timeout"),
        Member::At("MemorySize", "/Configuration/MemorySize"),
        Member::At("Architectures", "/Configuration/Architectures"),
        Member::At("Environment", "/Configuration/Environment"),
        Member::At("VpcConfig", "/Configuration/VpcConfig"),
        Member::At("KMSKeyArn", "/Configuration/KMSKeyArn"),
        Member::At("Layers", "/Configuration/Layers"),
        Member::At("DeadLetterConfig", "/Configuration/DeadLetterConfig"),
        Member::At("TracingConfig", "/Configuration/TracingConfig"),
        Member::At("LoggingConfig", "/Configuration/LoggingConfig"),
    ],
    echoes: &[
        Echo::Usual("/PackageType", r#""Zip""#),
        Echo::Usual("/Description", r#""""#),
        Echo::Usual("/Architectures", r#"["x86_64"]"#),
        Echo::Usual("/TracingConfig", r#"{"Mode":"PassThrough"}"#),
        Echo::Usual("/Layers", "[]"),
        Echo::Usual("/Timeout", "3"),
        Echo::Usual("/MemorySize", "128"),
        Echo::Any("/VpcConfig/VpcId"),
        Echo::Usual("/VpcConfig/Ipv6AllowedForDualStack", "false"),
        Echo::Usual("/VpcConfig", r#"{"SubnetIds":[],"SecurityGroupIds":[]}"#),
        Echo::Usual("/LoggingConfig/LogFormat", r#""Text""#),
        Echo::Any("/LoggingConfig/LogGroup"),
        Echo::Usual("/LoggingConfig", "{}"),
        Echo::Usual("/Environment", r#"{"Variables":{}}"#),
    ],
    texts: &["/Environment/Variables/*"],
    tags: Some(&Tags {
        member: "Tags",
        arn: ("Resource", "Configuration.FunctionArn"),
        keys: "TagKeys",
        operations: ("ListTags", "TagResource", "UntagResource"),
        said: "Tags",
        ..TAG_MAP
    }),
    states: &["Configuration.State", "Configuration.LastUpdateStatus"],
    ..PLAIN
};

const WHOLE: Option<Whole> =
    Some(Whole { word: "bedrock/Function", keys: &[("FunctionName", "FunctionName")] });

const CONCURRENCY: Life = Life {
    words: &["bedrock/FunctionConcurrency", "lambda/FunctionConcurrency"],
    service: Service::Functions,
    whole: WHOLE,
    list: List { operation: "GetFunctionConcurrency", ..PLAIN.list },
    read: Some(("GetFunctionConcurrency", "")),
    create: ("PutFunctionConcurrency", ""),
    update: Update::Again,
    delete: "DeleteFunctionConcurrency",
    identity: &["FunctionName"],
    members: &[Member::Key("FunctionName"), Member::Same("ReservedConcurrentExecutions")],
    ..PLAIN
};

/// A statement of the policy of a function. It cannot be changed.
const PERMISSION: Life = Life {
    words: &["bedrock/FunctionPermission"],
    service: Service::Functions,
    whole: WHOLE,
    list: List {
        operation: "ListPermissions",
        at: "Permissions",
        keys: &[("StatementId", &["StatementId"])],
        ..PLAIN.list
    },
    create: ("AddPermission", ""),
    update: Update::Never,
    delete: "RemovePermission",
    identity: &["FunctionName", "StatementId"],
    members: &[
        Member::Key("FunctionName"),
        Member::Same("StatementId"),
        Member::Same("Effect"),
        Member::Same("Action"),
        Member::Same("NotAction"),
        Member::Same("Principal"),
        Member::Same("NotPrincipal"),
        Member::Same("SourceArn"),
        Member::Same("SourceAccount"),
        Member::Same("EventSourceToken"),
        Member::Same("PrincipalOrgID"),
        Member::Same("FunctionUrlAuthType"),
        Member::Same("Condition"),
    ],
    ..PLAIN
};

const INVOCATION: Life = Life {
    words: &["bedrock/EventInvokeConfig"],
    service: Service::Functions,
    whole: Some(Whole {
        word: "bedrock/Function",
        keys: &[("FunctionName", "FunctionName"), ("Qualifier", "=$LATEST")],
    }),
    list: List { operation: "GetFunctionEventInvokeConfig", ..PLAIN.list },
    read: Some(("GetFunctionEventInvokeConfig", "")),
    create: ("PutFunctionEventInvokeConfig", ""),
    update: Update::Again,
    delete: "DeleteFunctionEventInvokeConfig",
    identity: &["FunctionName"],
    members: &[
        Member::Key("FunctionName"),
        Member::Key("Qualifier"),
        Member::Same("MaximumRetryAttempts"),
        Member::Same("MaximumEventAgeInSeconds"),
        Member::Same("DestinationConfig"),
    ],
    echoes: &[
        Echo::Usual("/DestinationConfig/OnSuccess", "{}"),
        Echo::Usual("/DestinationConfig/OnFailure", "{}"),
        Echo::Usual("/DestinationConfig", "{}"),
    ],
    ..PLAIN
};

const MAPPING: Life = Life {
    words: &["bedrock/EventSourceMapping", "lambda/EventSourceMapping"],
    service: Service::Functions,
    list: List {
        operation: "ListEventSourceMappings",
        at: "EventSourceMappings",
        keys: &[("UUID", &["UUID"])],
        ..PLAIN.list
    },
    read: Some(("GetEventSourceMapping", "")),
    create: ("CreateEventSourceMapping", ""),
    update: Update::By("UpdateEventSourceMapping", &["EventSourceArn"]),
    delete: "DeleteEventSourceMapping",
    identity: &["EventSourceArn", "FunctionName"],
    members: &[
        Member::Same("EventSourceArn"),
        Member::As("FunctionName", function),
        Member::As("Enabled", enabled),
        Member::Same("BatchSize"),
        Member::Same("MaximumBatchingWindowInSeconds"),
        Member::Same("FunctionResponseTypes"),
        Member::Same("ScalingConfig"),
        Member::Same("FilterCriteria"),
        Member::Same("DestinationConfig"),
        Member::Same("KMSKeyArn"),
    ],
    echoes: &[
        Echo::Usual("/BatchSize", "10"),
        Echo::Usual("/MaximumBatchingWindowInSeconds", "0"),
        Echo::Usual("/FunctionResponseTypes", "[]"),
        Echo::Usual("/ScalingConfig", "{}"),
        Echo::Usual("/DestinationConfig", r#"{"OnFailure":{}}"#),
        Echo::Usual("/DestinationConfig", "{}"),
    ],
    tags: Some(&Tags {
        member: "Tags",
        arn: ("Resource", "EventSourceMappingArn"),
        keys: "TagKeys",
        operations: ("ListTags", "TagResource", "UntagResource"),
        said: "Tags",
        ..TAG_MAP
    }),
    states: &["State"],
    ..PLAIN
};

/// The name of the function of a mapping, which shows its ARN.
fn function(shown: &Value, _: Option<&Value>) -> Option<Value> {
    let arn = shown.get("FunctionArn")?.as_str()?;
    Some(arn.split_once(":function:").map_or(arn, |(_, name)| name).into())
}

fn enabled(shown: &Value, _: Option<&Value>) -> Option<Value> {
    Some(matches!(shown.get("State")?.as_str()?, "Enabled" | "Enabling" | "Creating").into())
}

/// A subscription carries no mark: it is ours if the function is that it calls. Only one of its attributes can be changed at
/// a time.
const SUBSCRIPTION: Life = Life {
    words: &["bedrock/Subscription"],
    service: Service::Topics,
    whole: WHOLE,
    list: List {
        operation: "ListSubscriptionsTo",
        at: "Subscriptions",
        keys: &[("SubscriptionArn", &["SubscriptionArn"])],
        ..PLAIN.list
    },
    read: Some(("GetSubscriptionAttributes", "Attributes")),
    create: ("Subscribe", ""),
    update: Update::Parts(&[Part { operation: "SetSubscription", members: &["Attributes"], inside: None }]),
    delete: "Unsubscribe",
    identity: &["Endpoint", "TopicArn"],
    members: &[
        Member::Same("TopicArn"),
        Member::Same("Protocol"),
        Member::Same("Endpoint"),
        Member::As("Attributes", subscribed),
        Member::As("ReturnSubscriptionArn", |_, wanted| wanted.cloned()),
    ],
    texts: &["/Attributes/*"],
    ..PLAIN
};

/// The attributes of a subscription that somebody has set.
fn subscribed(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let told = topics::SETTABLE.iter().filter_map(|name| {
        let value = shown.get(*name)?;
        let is_asked_for = wanted.is_some_and(|wanted| wanted.get(*name).is_some());
        (is_asked_for || *value != topics::usual(name)).then(|| ((*name).to_owned(), value.clone()))
    });
    let told: Map<String, Value> = told.collect();
    (!told.is_empty()).then_some(Value::Object(told))
}

/// The code of a function: an image is shown by its URI, an archive by the digest of its bytes.
fn code(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    if let Some(image) = shown.pointer("/Code/ImageUri") {
        return Some(serde_json::json!({ "ImageUri": image }));
    }
    let digest = shown.pointer("/Configuration/CodeSha256")?;
    let archive = wanted.and_then(|wanted| STANDARD.decode(wanted.get("ZipFile")?.as_str()?).ok());
    match archive.is_some_and(|bytes| *digest == STANDARD.encode(Sha256::digest(bytes))) {
        true => wanted.cloned(),
        false => Some(serde_json::json!({ "CodeSha256": digest })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_of_subscriptions_that_nobody_set_are_left_out() {
        let shown =
            json!({ "RawMessageDelivery": "false", "FilterPolicyScope": "MessageBody", "Owner": "1" });
        assert_eq!(subscribed(&shown, None), Some(json!({ "FilterPolicyScope": "MessageBody" })));
        let wanted = json!({ "RawMessageDelivery": "false", "FilterPolicyScope": "MessageBody" });
        assert_eq!(subscribed(&shown, Some(&wanted)), Some(wanted));
        assert_eq!(subscribed(&json!({ "RawMessageDelivery": "false" }), None), None);
    }

    #[test]
    fn a_mapping_is_told_by_the_name_of_its_function_and_whether_it_is_on() {
        let shown =
            json!({ "FunctionArn": "arn:aws:lambda:eu-central-1:1:function:f:live", "State": "Disabling" });
        assert_eq!(function(&shown, None), Some(json!("f:live")));
        assert_eq!(enabled(&shown, None), Some(json!(false)));
    }
}
