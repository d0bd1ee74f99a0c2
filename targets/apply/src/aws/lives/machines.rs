//! AWS Step Functions: state machines.

use super::{PLAIN, TAG_MAP};
use crate::aws::life::{Echo, Life, List, Member, Tags, Update};
use crate::aws::services::Service;

pub(super) const LIVES: &[Life] = &[Life {
    words: &["bedrock/StateMachine"],
    service: Service::Machines,
    list: List {
        operation: "ListStateMachines",
        at: "stateMachines",
        keys: &[("stateMachineArn", &["stateMachineArn"])],
        ..PLAIN.list
    },
    read: Some(("DescribeStateMachine", "")),
    create: ("CreateStateMachine", ""),
    update: Update::By("UpdateStateMachine", &["name", "type"]),
    delete: "DeleteStateMachine",
    members: &[
        Member::Same("name"),
        Member::Same("definition"),
        Member::Same("roleArn"),
        Member::Same("type"),
        Member::Same("loggingConfiguration"),
        Member::Same("tracingConfiguration"),
        Member::Same("encryptionConfiguration"),
    ],
    echoes: &[
        Echo::Usual("/type", r#""STANDARD""#),
        Echo::Usual("/loggingConfiguration", r#"{"level":"OFF","includeExecutionData":false}"#),
        Echo::Usual("/loggingConfiguration", r#"{"level":"OFF"}"#),
        Echo::Usual("/tracingConfiguration", r#"{"enabled":false}"#),
        Echo::Usual("/encryptionConfiguration", r#"{"type":"AWS_OWNED_KEY"}"#),
    ],
    texts: &["/definition"],
    tags: Some(&Tags { arn: ("resourceArn", "stateMachineArn"), pair: Some(("key", "value")), ..TAG_MAP }),
    ..PLAIN
}];
