//! Amazon DynamoDB: tables, and when their items end.

use serde_json::{Map, Value, json};

use super::PLAIN;
use crate::aws::life::{Echo, Life, List, Member, Part, Tags, Update, Whole};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[TABLE, END];

const TABLE: Life = Life {
    words: &["bedrock/Table"],
    service: Service::Tables,
    list: List {
        operation: "ListTables",
        at: "TableNames",
        keys: &[("TableName", &["TableName", ""])],
        ..PLAIN.list
    },
    read: Some(("DescribeTable", "Table")),
    create: ("CreateTable", "TableDescription"),
    update: Update::Parts(&[
        Part { operation: "UpdateTable", members: &["BillingMode"], inside: None },
        Part { operation: "UpdateTable", members: &["SSESpecification"], inside: None },
        Part { operation: "UpdateTable", members: &["DeletionProtectionEnabled"], inside: None },
    ]),
    delete: "DeleteTable",
    identity: &["TableName"],
    members: &[
        Member::Same("TableName"),
        Member::As("AttributeDefinitions", definitions),
        Member::Same("KeySchema"),
        Member::As("BillingMode", |shown, _| {
            Some(
                shown
                    .pointer("/BillingModeSummary/BillingMode")
                    .cloned()
                    .unwrap_or_else(|| "PROVISIONED".into()),
            )
        }),
        Member::As("SSESpecification", encryption),
        Member::Same("DeletionProtectionEnabled"),
    ],
    echoes: &[
        Echo::Usual("/DeletionProtectionEnabled", "false"),
        // What it says where nobody asks for another key.
        Echo::Usual("/SSESpecification", r#"{"Enabled":false}"#),
    ],
    tags: Some(&Tags {
        member: "Tags",
        arn: ("ResourceArn", "TableArn"),
        pair: Some(("Key", "Value")),
        keys: "TagKeys",
        operations: ("ListTagsOfResource", "TagResource", "UntagResource"),
        said: "Tags",
    }),
    states: &["TableStatus"],
    ..PLAIN
};

/// Attributes have no order of their own.
fn definitions(shown: &Value, wanted: Option<&Value>) -> Option<Value> {
    let shown = shown.get("AttributeDefinitions")?;
    let sorted = |value: &Value| {
        let mut all: Vec<String> = value.as_array().into_iter().flatten().map(Value::to_string).collect();
        all.sort();
        all
    };
    Some(wanted.filter(|wanted| sorted(wanted) == sorted(shown)).unwrap_or(shown).clone())
}

/// With which key a table is encrypted, as it is asked for.
fn encryption(shown: &Value, _: Option<&Value>) -> Option<Value> {
    let shown = shown.get("SSEDescription")?;
    if !shown.get("Status").is_some_and(|status| status == "ENABLED" || status == "UPDATING") {
        return None;
    }
    let members = [("SSEType", "SSEType"), ("KMSMasterKeyId", "KMSMasterKeyArn")];
    let told = members.into_iter().filter_map(|(name, own)| Some((name.to_owned(), shown.get(own)?.clone())));
    Some(Value::Object([("Enabled".to_owned(), json!(true))].into_iter().chain(told).collect::<Map<_, _>>()))
}

const END: Life = Life {
    words: &["bedrock/TimeToLive"],
    service: Service::Tables,
    whole: Some(Whole { word: "bedrock/Table", keys: &[("TableName", "TableName")] }),
    list: List { operation: "DescribeTimeToLive", ..PLAIN.list },
    read: Some(("DescribeTimeToLive", "")),
    create: ("UpdateTimeToLive", ""),
    update: Update::Again,
    delete: "ClearTimeToLive",
    identity: &["TableName"],
    members: &[Member::Key("TableName"), Member::As("TimeToLiveSpecification", end)],
    states: &[],
    ..PLAIN
};

fn end(shown: &Value, _: Option<&Value>) -> Option<Value> {
    let shown = shown.get("TimeToLiveDescription")?;
    let is_on = matches!(shown.get("TimeToLiveStatus")?.as_str()?, "ENABLED" | "ENABLING");
    is_on.then(|| json!({ "Enabled": true, "AttributeName": shown.get("AttributeName") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_as_it_was_asked_for() {
        let shown = json!({
            "AttributeDefinitions": [{ "AttributeName": "b" }, { "AttributeName": "a" }],
            "SSEDescription": { "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "key" },
        });
        let wanted = json!([{ "AttributeName": "a" }, { "AttributeName": "b" }]);
        assert_eq!(definitions(&shown, Some(&wanted)), Some(wanted));
        let other = json!([{ "AttributeName": "a" }]);
        assert_eq!(definitions(&shown, Some(&other)).as_ref(), shown.get("AttributeDefinitions"));
        let expected = json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "key" });
        assert_eq!(encryption(&shown, None), Some(expected));
        assert_eq!(encryption(&json!({ "SSEDescription": { "Status": "DISABLED" } }), None), None);
    }

    #[test]
    fn items_that_live_for_ever_have_no_end() {
        let shown = |status: &str| json!({ "TimeToLiveDescription": { "TimeToLiveStatus": status, "AttributeName": "e" } });
        assert_eq!(end(&shown("ENABLED"), None), Some(json!({ "Enabled": true, "AttributeName": "e" })));
        assert_eq!(end(&shown("DISABLED"), None), None);
        assert_eq!(end(&shown("DISABLING"), None), None);
    }
}
