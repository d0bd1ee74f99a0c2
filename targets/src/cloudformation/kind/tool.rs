//! The machines that carry out tool calls, the functions that start them, and the queues in which calls wait.

use super::super::shape::{ATTRIBUTES, DOCUMENT, DOCUMENTS, DROPPED, PAIRS, PLAIN, Shape};
use super::{Kind, Place, Removal};

static ENVIRONMENT: Shape = Shape::Members(&[("Variables", "Variables", &DOCUMENTS)]);

pub(super) static KINDS: &[Kind] = &[
    Kind::resource(
        "ApprovalQueue",
        "AWS::SQS::Queue",
        Shape::Members(&[("Attributes", "", &ATTRIBUTES), ("tags", "Tags", &PAIRS)]),
    )
    .removed(Removal::KeptWhenReplaced),
    Kind::resource(
        "Function",
        "AWS::Lambda::Function",
        Shape::Members(&[("Environment", "Environment", &ENVIRONMENT), ("Tags", "Tags", &PAIRS)]),
    ),
    Kind::new("FunctionCode", Place::Code, Shape::Verbatim),
    Kind::resource(
        "FunctionPermission",
        "AWS::Lambda::Permission",
        Shape::Members(&[("StatementId", "", &DROPPED)]),
    ),
    Kind::resource(
        "StateMachine",
        "AWS::StepFunctions::StateMachine",
        Shape::Members(&[
            ("name", "StateMachineName", &PLAIN),
            ("definition", "DefinitionString", &DOCUMENT),
            ("type", "StateMachineType", &PLAIN),
        ]),
    ),
];
