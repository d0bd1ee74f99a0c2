//! The crate that understands IAM, against programs of others.

mod oracle;
