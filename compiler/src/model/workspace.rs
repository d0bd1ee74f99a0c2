//! `Workspace`: the one `aipolicy.yaml` at the root.

use super::macros::{choice, record, words};
use super::value::{Name, PublicKey, Region, Text};
use crate::source::Spanned;

words! {
    /// A family of artifacts.
    pub enum TargetName {
        /// IAM roles and policies.
        Iam = "iam",
        /// Gateway routing tables.
        Gateway = "gateway",
        /// Bedrock agents, both runtimes.
        Bedrock = "bedrock",
        /// Kubernetes manifests.
        Kubernetes = "kubernetes",
        /// Alarms, dashboards and budgets.
        Observability = "observability",
        /// Workloads on Lambda.
        Lambda = "lambda",
    }
}

words! {
    /// A set of Cedar policies that ships with aipolicy.
    pub enum Pack {
        /// What every organisation wants; permits `change` until policies say otherwise.
        Baseline = "baseline",
        /// Where data may be processed and stored.
        Residency = "residency",
        /// Rights no wider than needed.
        LeastPrivilege = "least-privilege",
        /// Windows, approvals, and who may widen.
        ChangeControl = "change-control",
    }
}

record! {
    /// An S3 bucket that a team shares its state in.
    pub struct S3State {
        /// Name of the bucket.
        bucket: Spanned<Text>,
        /// Prefix of the keys.
        prefix: Option<Spanned<Text>>,
        /// Region of the bucket.
        region: Spanned<Region>,
    }
}

choice! {
    /// Where the release journal is kept.
    pub enum StateBackend {
        /// A folder, relative to the workspace.
        Local(Spanned<Text>) = local,
        /// A bucket.
        S3(S3State) = s3,
    }
}

record! {
    /// How names are made.
    pub struct Naming {
        /// The first part of every name that is made.
        prefix: Spanned<Name>,
    }
}

record! {
    /// A key whose signatures are trusted.
    pub struct PlanKey {
        /// What it is called, for people.
        name: Spanned<Name>,
        /// The public key of Ed25519, in PEM, as `openssl pkey -pubout` writes it, or the one line of it.
        public_key: Spanned<PublicKey>,
    }
}

record! {
    /// What is asked of plans.
    pub struct Plans {
        /// Keys of which one has signed every plan that is applied.
        keys: Vec<PlanKey>,
    }
}

record! {
    /// What the whole workspace shares.
    pub struct WorkspaceSpec {
        /// Policy packs that apply.
        packs: Vec<Spanned<Pack>>,
        /// Folders with the organisation's own Cedar files.
        policies: Vec<Spanned<Text>>,
        /// Targets that are compiled.
        targets: Vec<Spanned<TargetName>>,
        /// Where the release journal is kept.
        state: Option<StateBackend>,
        /// How names are made.
        naming: Option<Naming>,
        /// What is asked of plans. With it, no plan is applied that none of its keys has signed.
        plans: Option<Plans>,
    }
}
