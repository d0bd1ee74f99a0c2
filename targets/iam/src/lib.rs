//! AWS IAM policy documents: read from any JSON that IAM accepts, written in AWS's own order, compared in a
//! canonical form, measured against the limits of AWS and split where they are too large.
//!
//! The crate knows IAM and nothing of `aipolicy`. It is pure: text and values in, text and values out.
//!
//! ```
//! use aipolicy_iam::{equivalent, read, to_json};
//!
//! let theirs = read(r#"{"Statement": {"Effect": "Deny", "Action": "S3:*", "Resource": "*"}}"#).unwrap();
//! let ours =
//!     read(r#"{"Statement": [{"Sid": "A", "Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"]}]}"#).unwrap();
//! assert!(equivalent(&theirs, &ours));
//! assert_eq!(
//!     to_json(&theirs),
//!     r#"{"Version":"2008-10-17","Statement":[{"Effect":"Deny","Action":["S3:*"],"Resource":["*"]}]}"#
//! );
//! ```
//!
//! | to | use |
//! |---|---|
//! | hold a policy | [`Document`], [`Statement`], [`Matcher`], [`Principals`] |
//! | read and write one | [`read`], [`to_json`], [`to_json_pretty`] |
//! | find documents in what AWS prints, and their lines | [`find`], [`Places`] |
//! | ask whether two are the same | [`equivalent`], [`Canonical`] |
//! | ask what a request is decided to be, and why | [`Policies`], [`Request`], [`Decision`] |
//! | stay within what AWS accepts | [`limits`], [`measure`], [`split`], [`spread`], [`bounded_name`] |
//! | ask what actions there are, on what and under which condition keys | [`action`] |
//! | find what is wrong about a policy, and where that stands | [`lint`], [`Places`] |
//! | name a resource without letting text become syntax | [`Arn`], [`Piece`] |

#![deny(clippy::disallowed_methods, reason = "this crate does no IO")]

pub mod action;
mod arn;
mod canonical;
mod compare;
mod document;
mod evaluate;
mod found;
mod json;
pub mod limits;
pub mod lint;
mod name;
mod operator;
mod pattern;
mod place;
mod read;
mod request;
mod split;
mod spread;
mod value;
mod write;

pub use arn::{Arn, ArnError, ArnParts, Partition, PatternParts, Piece};
pub use canonical::{Canonical, equivalent};
pub use compare::{Change, Comparison, Difference, Place, Relation, compare};
pub use document::{
    Conditions, Document, Effect, Matcher, PrincipalKind, PrincipalSet, Principals, Statement, Version,
};
pub use evaluate::{
    Assumption, Cause, Decision, Element, Flaw, Layer, NearMiss, Policies, Silence, Undecided,
};
pub use found::{Found, find};
pub use limits::measure;
pub use name::bounded_name;
pub use place::Places;
pub use read::{ReadError, read};
pub use request::{Caller, Context, Request};
pub use split::{TooLarge, split};
pub use spread::spread;
pub use write::{to_json, to_json_pretty};
