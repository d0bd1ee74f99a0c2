//! Amazon S3, asked for the policies of buckets, which it keeps as texts.

use aws_config::SdkConfig;
use serde_json::{Value, json};

use crate::aws::error::Refusal;
use crate::aws::exchange::{Members, apart};

/// Asks the service.
pub(in crate::aws) async fn ask(
    config: &SdkConfig,
    operation: &str,
    members: Members,
) -> Result<Value, Refusal> {
    let client = aws_sdk_s3::Client::new(config);
    let text = |name: &str| apart::<String>(&members, name);
    match operation {
        "DeleteBucketPolicy" => {
            let call = client.delete_bucket_policy().set_bucket(text("Bucket"));
            call.send().await.map_err(Refusal::of)?;
            Ok(json!({}))
        }
        "GetBucketPolicy" => {
            let call = client.get_bucket_policy().set_bucket(text("Bucket"));
            let answer = call.send().await.map_err(Refusal::of)?;
            Ok(json!({ "Policy": answer.policy() }))
        }
        "PutBucketPolicy" => {
            let call = client.put_bucket_policy().set_bucket(text("Bucket")).set_policy(text("Policy"));
            call.send().await.map_err(Refusal::of)?;
            Ok(json!({}))
        }
        other => Err(Refusal::unreadable(format!("`{other}` is no operation that is asked of Amazon S3"))),
    }
}
