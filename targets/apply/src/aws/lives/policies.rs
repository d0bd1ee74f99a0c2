//! Policies of what others keep: buckets, secrets, and parts of an organization.

use super::{PLAIN, TAG_MAP, untold};
use crate::aws::exchange::Members;
use crate::aws::life::{Life, List, Member, Tags, Update};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[BUCKET, SECRET, CONTROL];

const BUCKET: Life = Life {
    words: &["iam/BucketPolicy"],
    service: Service::Buckets,
    list: List {
        keys: &[("Bucket", &["Bucket"])],
        asked: Some(|place, _, name| {
            let bucket = name.strip_prefix(&place.prefix)?;
            Some(Members::from_iter([("Bucket".to_owned(), bucket.into())]))
        }),
        ..PLAIN.list
    },
    read: Some(("GetBucketPolicy", "")),
    create: ("PutBucketPolicy", ""),
    update: Update::Again,
    delete: "DeleteBucketPolicy",
    identity: &["Bucket"],
    members: &[Member::Key("Bucket"), Member::Same("Policy")],
    texts: &["/Policy"],
    is_setting: true,
    ..PLAIN
};

/// A secret cannot be found by the name of the document: a policy that nobody asks for any more stays.
const SECRET: Life = Life {
    words: &["iam/SecretPolicy"],
    service: Service::Secrets,
    list: List { keys: &[("SecretId", &["SecretId"])], asked: Some(|_, _, _| None), ..PLAIN.list },
    read: Some(("GetResourcePolicy", "")),
    create: ("PutResourcePolicy", ""),
    update: Update::Again,
    delete: "DeleteResourcePolicy",
    identity: &["SecretId"],
    members: &[Member::Key("SecretId"), Member::Same("ResourcePolicy"), untold("BlockPublicPolicy")],
    texts: &["/ResourcePolicy"],
    is_setting: true,
    ..PLAIN
};

/// Only an account that governs others can be asked.
const CONTROL: Life = Life {
    words: &["iam/ServiceControlPolicy"],
    service: Service::Organizations,
    home: Some("us-east-1"),
    list: List {
        operation: "ListPolicies",
        ask: &[("Filter", "SERVICE_CONTROL_POLICY")],
        at: "Policies",
        keys: &[("PolicyId", &["Id"])],
        on_demand: true,
        ..PLAIN.list
    },
    read: Some(("ShowControlPolicy", "")),
    create: ("CreateControlPolicy", ""),
    update: Update::By("SetControlPolicy", &["Type"]),
    delete: "DeleteControlPolicy",
    identity: &["Name"],
    members: &[
        Member::Same("Name"),
        Member::Same("Description"),
        Member::Same("Type"),
        Member::Same("Content"),
        Member::Same("TargetIds"),
    ],
    texts: &["/Content"],
    tags: Some(&Tags {
        member: "Tags",
        arn: ("ResourceId", "Id"),
        pair: Some(("Key", "Value")),
        keys: "TagKeys",
        said: "Tags",
        ..TAG_MAP
    }),
    states: &[],
    filled: &["TargetIds"],
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_is_not_attached_yet_is_the_beginning_of_one_that_is() {
        let policy = |content: &str, targets: &[&str]| json!({ "Name": "p", "Content": content, "TargetIds": targets });
        let wanted = policy("a", &["1", "2"]);
        for begun in [policy("a", &[]), policy("a", &["2"]), json!({ "Name": "p", "Content": "a" })] {
            assert!(CONTROL.is_begun(&begun, &wanted), "{begun}");
        }
        for other in [policy("b", &[]), policy("a", &["3"]), json!({ "Name": "p" })] {
            assert!(!CONTROL.is_begun(&other, &wanted), "{other}");
        }
        assert!(!BUCKET.is_begun(&json!({ "Bucket": "b" }), &json!({ "Bucket": "b", "Policy": {} })));
        assert!(BUCKET.is_begun(&json!({ "$state": "CREATE_FAILED" }), &wanted));
    }
}
