//! Objects that are written whole, on a condition: the only thing that is asked of a service that keeps state.

#[cfg(any(feature = "aws", test))]
mod conditional;
mod error;
#[cfg(feature = "aws")]
mod s3;

#[cfg(any(feature = "aws", test))]
pub(crate) use conditional::{Expect, Object, Objects, put};
pub use error::ObjectError;
#[cfg(feature = "aws")]
pub use s3::Bucket;
#[cfg(feature = "aws")]
pub(crate) use s3::S3;
