//! Turns resource files into access requests and asks Cedar about each: text in, approved grants out. Pure.
#![deny(clippy::disallowed_methods, reason = "only `cli` and `targets/apply` touch the machine")]

pub mod catalog;
pub mod diagnostic;
pub mod model;
pub mod resolve;
pub mod rule;
pub mod source;
mod yaml;

pub use yaml::read_json;
