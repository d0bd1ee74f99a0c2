//! Why an object was not read or written.

use std::fmt;

/// Why an object was not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectError {
    /// Nothing says who asks.
    NoCredentials(String),
    /// The service refuses, or cannot be reached.
    Refused {
        /// The object, or the bucket.
        place: String,
        /// What was said.
        reason: String,
    },
    /// An object is not what was written.
    Damaged {
        /// The object.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for ObjectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredentials(reason) => write!(
                formatter,
                "there are no credentials of AWS for the state ({reason}): set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and \
                 `AWS_SECRET_ACCESS_KEY`"
            ),
            Self::Refused { place, reason } => {
                write!(formatter, "`{place}` cannot be read or written: {reason}")
            }
            Self::Damaged { place, reason } => {
                write!(formatter, "`{place}` is damaged ({reason}): restore it from a copy")
            }
        }
    }
}

impl std::error::Error for ObjectError {}
