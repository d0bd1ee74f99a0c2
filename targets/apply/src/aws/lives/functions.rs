//! AWS Lambda: functions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Part, Tags, Update};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[FUNCTION];

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
