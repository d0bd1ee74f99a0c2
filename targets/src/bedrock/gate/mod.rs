//! State machines that carry out tool calls: one for each tool, and for a gated one it is the only way to the call.

mod approve;
mod http;
mod invoke;
mod machine;
mod record;
mod verify;

pub(crate) use machine::artifact;
