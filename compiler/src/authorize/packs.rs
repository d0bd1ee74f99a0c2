//! The Cedar policies that ship, by pack. The files are data: `policies/<pack>/<name>.cedar` with its cases beside it.

use crate::model::workspace::Pack;

/// One policy that ships.
#[derive(Debug)]
pub struct ShippedPolicy {
    /// The pack that it belongs to.
    pub pack: Pack,
    /// Its path in the repository, which is how findings name it.
    pub path: &'static str,
    /// The policy.
    pub text: &'static str,
    /// Its page: what it is about, and the cases that test it.
    pub page: &'static str,
}

impl ShippedPolicy {
    /// Its `@id`.
    pub fn id(&self) -> &'static str {
        let rest = self.text.split_once("@id(\"").map_or("", |(_, rest)| rest);
        rest.split_once('"').map_or("", |(id, _)| id)
    }

    /// Whether it forbids.
    pub fn forbids(&self) -> bool {
        self.text.lines().any(|line| line.starts_with("forbid"))
    }
}

macro_rules! shipped {
    ($($pack:ident { $($path:literal,)* })*) => {
        /// Every policy that ships.
        pub static SHIPPED: &[ShippedPolicy] = &[$($(
            ShippedPolicy {
                pack: Pack::$pack,
                path: concat!("policies/", $path, ".cedar"),
                text: include_str!(concat!("../../../policies/", $path, ".cedar")),
                page: include_str!(concat!("../../../policies/", $path, ".md")),
            },
        )*)*];
    };
}

shipped! {
    Baseline {
        "baseline/agent-models",
        "baseline/agreement-expired",
        "baseline/audit-log-mutable",
        "baseline/change",
        "baseline/connector-above-clearance",
        "baseline/connectors",
        "baseline/delegation",
        "baseline/delegation-escalates",
        "baseline/direct-model-invoke-bypass",
        "baseline/eol-within-horizon",
        "baseline/gateway-models",
        "baseline/guardrail-not-required-by-condition",
        "baseline/lifecycle-unknown",
        "baseline/log-holds-higher-class-than-sink",
        "baseline/log-retention-missing",
        "baseline/memory-retention-unset",
        "baseline/model-legacy",
        "baseline/model-not-offered-in-region",
        "baseline/model-past-end-of-life",
        "baseline/namespaces",
        "baseline/placement",
        "baseline/provider-not-approved",
        "baseline/route-above-clearance",
        "baseline/routes",
        "baseline/scp-blocks-destination-region",
        "baseline/sensitive-workload-on-shared-cluster",
        "baseline/storage",
        "baseline/support",
        "baseline/tools",
        "baseline/training-or-retention-optout-missing",
        "baseline/unpinned-model-alias",
        "baseline/workload-models",
    }
    LeastPrivilege {
        "least-privilege/connector-scope-too-wide",
        "least-privilege/connector-write-scope",
        "least-privilege/secret-as-tool",
        "least-privilege/tool-schema-unconstrained",
        "least-privilege/ungated-tool-input-unvalidated",
    }
    ChangeControl {
        "change-control/change-outside-window",
    }
    Residency {
        "residency/backup-outside-residency",
        "residency/cache-or-memory-outside-residency",
        "residency/fallback-outside-residency",
        "residency/gateway-outside-residency",
        "residency/global-profile-with-residency",
        "residency/inference-across-regions",
        "residency/inference-profile-leaks-jurisdiction",
        "residency/log-sink-outside-residency",
        "residency/namespace-outside-residency",
        "residency/not-encrypted-with-own-key",
        "residency/processing-outside-residency",
        "residency/provider-retention",
        "residency/retention-below-legal-minimum",
        "residency/retention-exceeds-policy",
        "residency/session-outside-residency",
        "residency/support-or-subprocessor-region-unknown",
        "residency/third-party-provider-without-region",
        "residency/tool-outside-residency",
        "residency/vector-store-outside-residency",
        "residency/workload-outside-residency",
    }
}

/// The policies of a pack.
pub fn of(pack: Pack) -> impl Iterator<Item = &'static ShippedPolicy> {
    SHIPPED.iter().filter(move |policy| policy.pack == pack)
}

/// The page of the policy with this `@id`.
pub fn page(id: &str) -> Option<&'static str> {
    let wanted = format!("@id(\"{id}\")");
    SHIPPED.iter().find(|policy| policy.text.contains(&wanted)).map(|policy| policy.page)
}
