//! `DataStore`: a place where content comes to rest that no connector names.

use super::data_class::DataClassSpec;
use super::macros::{choice, record};
use super::reference::Ref;
use super::value::{Arn, Duration, Region, Text};
use crate::source::Spanned;

record! {
    /// A part of an S3 bucket.
    pub struct S3Place {
        /// Name of the bucket.
        bucket: Spanned<Text>,
        /// Prefix of the keys.
        prefix: Option<Spanned<Text>>,
    }
}

record! {
    /// A CloudWatch log group.
    pub struct LogGroup {
        /// Its name.
        log_group: Spanned<Text>,
    }
}

record! {
    /// A place that has a name and nothing more to say.
    pub struct NamedPlace {
        /// Its name.
        name: Spanned<Text>,
    }
}

choice! {
    /// What kind of place it is.
    pub enum StoreKind {
        /// An S3 bucket.
        S3(S3Place) = s3,
        /// A CloudWatch log group.
        CloudWatch(LogGroup) = cloud_watch,
        /// X-Ray.
        Xray(NamedPlace) = xray,
        /// A cache.
        Cache(NamedPlace) = cache,
        /// Memory of agents.
        Memory(NamedPlace) = memory,
        /// State of sessions that a service holds.
        Session(NamedPlace) = session,
    }
}

record! {
    /// A key of one's own.
    pub struct Encryption {
        /// ARN of the KMS key.
        kms_key_arn: Spanned<Arn>,
    }
}

record! {
    /// A place where content comes to rest.
    pub struct DataStoreSpec {
        /// Its region.
        region: Spanned<Region>,
        /// The highest class of data in it.
        holds: Ref<DataClassSpec>,
        /// How it is encrypted.
        encryption: Option<Encryption>,
        /// How long content is kept.
        retention: Option<Spanned<Duration>>,
        /// Whether content cannot be changed.
        immutable: Option<Spanned<bool>>,
        /// Regions that copies go to.
        replicates_to: Vec<Spanned<Region>>,
    }
    flatten {
        /// What kind of place it is.
        kind: StoreKind
    }
}
