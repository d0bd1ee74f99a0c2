//! The crate that understands IAM, against programs of others.

pub(crate) mod oracle;
