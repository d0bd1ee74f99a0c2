//! Actions, resources and condition keys of generated cases.

/// The account of the caller, and another.
pub(super) const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];

/// An action that may be asked for.
pub(super) struct Acted {
    pub(super) name: &'static str,
    /// What it acts on.
    pub(super) resource: &'static str,
    /// Whether its resources have policies.
    pub(super) has_policy: bool,
    /// Whether resource control policies concern its service.
    pub(super) has_control: bool,
    /// Whether policies of callers need the leave of the policy of the resource.
    pub(super) decides_alone: bool,
}

const fn acted(name: &'static str, resource: &'static str, has_policy: bool, has_control: bool) -> Acted {
    Acted { name, resource, has_policy, has_control, decides_alone: false }
}

pub(super) const ACTIONS: &[Acted] = &[
    acted("s3:GetObject", "object", true, true),
    acted("s3:PutObject", "object", true, true),
    acted("s3:DeleteObject", "object", true, true),
    acted("s3:ListBucket", "bucket", true, true),
    acted("sqs:SendMessage", "queue", true, true),
    acted("sqs:ReceiveMessage", "queue", true, true),
    acted("dynamodb:GetItem", "table", true, false),
    acted("dynamodb:PutItem", "table", true, false),
    acted("lambda:InvokeFunction", "function", true, false),
    acted("secretsmanager:GetSecretValue", "secret", true, true),
    acted("bedrock:InvokeModel", "model", false, false),
    acted("bedrock:InvokeModelWithResponseStream", "model", false, false),
    acted("bedrock:ListFoundationModels", "none", false, false),
    acted("iam:PassRole", "role", false, false),
    Acted { decides_alone: true, ..acted("kms:Decrypt", "key", true, true) },
    Acted { decides_alone: true, ..acted("sts:AssumeRole", "role", true, true) },
];

/// ARNs of a kind.
pub(super) fn resources(kind: &str, account: &str) -> Vec<String> {
    let names: &[&str] = match kind {
        "object" => &["s3:::data/red/a.csv", "s3:::data/eu-central-1/x/y", "s3:::logs/ann/1"],
        "bucket" => &["s3:::data", "s3:::logs"],
        "queue" => &["sqs:eu-central-1:A:orders", "sqs:us-east-1:A:orders-red"],
        "table" => &["dynamodb:eu-central-1:A:table/orders", "dynamodb:us-east-1:A:table/red"],
        "function" => &["lambda:eu-central-1:A:function:orders", "lambda:us-east-1:A:function:red"],
        "secret" => &["secretsmanager:eu-central-1:A:secret:red/db-AbCdEf"],
        "model" => &[
            "bedrock:eu-central-1::foundation-model/anthropic.claude-v2:1",
            "bedrock:eu-central-1:A:inference-profile/eu.anthropic.claude-v2:1",
        ],
        "role" => &["iam::A:role/app", "iam::A:role/teams/red"],
        "key" => &["kms:eu-central-1:A:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        _ => return vec!["*".to_owned()],
    };
    names.iter().map(|name| format!("arn:aws:{}", name.replace(":A:", &format!(":{account}:")))).collect()
}

/// A condition key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_many: bool,
    pub(super) values: &'static [&'static str],
}

/// The type of the values of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Name,
    Number,
    Date,
    Bool,
    Address,
    Binary,
}

impl Kind {
    pub(super) fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
            Self::Name => {
                &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals"]
            }
            Self::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Self::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Self::Bool => &["Bool"],
            Self::Address => &["IpAddress", "NotIpAddress"],
            Self::Binary => &["BinaryEquals"],
        }
    }
}

const fn key(name: &'static str, kind: Kind, values: &'static [&'static str]) -> Key {
    Key { name, kind, is_many: false, values }
}

const fn many(name: &'static str, values: &'static [&'static str]) -> Key {
    Key { name, kind: Kind::Text, is_many: true, values }
}

pub(super) const KEYS: &[Key] = &[
    key("aws:RequestedRegion", Kind::Text, &["eu-central-1", "eu-west-1", "us-east-1"]),
    key("aws:PrincipalTag/team", Kind::Text, &["red", "Red", "blue", "*"]),
    key("aws:PrincipalTag/tenant", Kind::Text, &["red", "acme", "ann"]),
    key("aws:username", Kind::Text, &["ann", "bob"]),
    key("aws:PrincipalOrgID", Kind::Text, &["o-abc123", "o-xyz789"]),
    key("aws:SourceVpce", Kind::Text, &["vpce-1", "vpce-2"]),
    key("aws:SourceIp", Kind::Address, &["203.0.113.7", "10.1.2.3", "2001:db8::1"]),
    key("aws:SecureTransport", Kind::Bool, &["true", "false"]),
    key("aws:MultiFactorAuthPresent", Kind::Bool, &["true", "false"]),
    key("aws:MultiFactorAuthAge", Kind::Number, &["0", "300", "3600", "10"]),
    key(
        "aws:CurrentTime",
        Kind::Date,
        &["2026-11-22T10:00:00Z", "2026-11-22T12:00:00+02:00", "2027-01-01T00:00:00Z", "2026-01-01"],
    ),
    key("aws:EpochTime", Kind::Date, &["1795341600", "1798761600"]),
    key(
        "aws:SourceArn",
        Kind::Name,
        &[
            "arn:aws:bedrock:eu-central-1:111122223333:agent/A1",
            "arn:aws:lambda:us-east-1:444455556666:function:f:live",
            "arn:aws:s3:::data",
        ],
    ),
    many("aws:TagKeys", &["team", "tenant", "Cost", "owner"]),
    many("aws:PrincipalOrgPaths", &["o-abc123/r-1/ou-1/", "o-abc123/r-1/ou-2/", "o-xyz789/r-9/"]),
    many("aws:CalledVia", &["cloudformation.amazonaws.com", "athena.amazonaws.com"]),
    key("aws:PrincipalTag/digest", Kind::Binary, &["Zm9v", "YmFy", "Zm9vYmE="]),
];
