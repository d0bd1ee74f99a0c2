//! The crate that understands IAM, against programs of others.

mod asked;
mod examples;
pub(crate) mod oracle;
