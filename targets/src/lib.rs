//! Turns approved grants into artifacts with their origins, and compares artifacts with a world. Pure.
#![deny(clippy::disallowed_methods, reason = "only `cli` and `targets/apply` touch the machine")]

pub mod artifact;
pub mod plan;
