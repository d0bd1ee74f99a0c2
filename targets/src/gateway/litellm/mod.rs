//! LiteLLM proxy: its configuration, the tenants that its hook lets in, and the hook.
//!
//! LiteLLM starts on a configuration that it does not understand and then answers wrongly, so every check is ours.
//! Facts: LiteLLM 1.108.7.

mod config;
mod refuse;
mod tenants;

use aipolicy_compiler::diagnostic::Diagnostics;

use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::routing::Table;

/// The hook that knows tenants, their routes and the caps; configuration alone cannot say these without a database.
const HOOK: &str = include_str!("aipolicy_litellm.py");

/// The documents of a gateway, and reports of what LiteLLM cannot do.
pub(super) fn artifacts(table: &Table<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    refuse::check(table, out);
    let name = table.gateway.name().as_str();
    let address = |kind: &str, name: String| Address { target: "gateway".into(), kind: kind.into(), name };
    let origin = Origin::written(table.gateway.spec.dialect.span);
    let hook = Origin::default(table.input.sources, "litellm.hook");
    vec![
        Artifact::new(
            address("LiteLlmConfig", name.into()),
            Format::Yaml,
            &config::tree(table).from(origin.clone()),
        ),
        Artifact::new(
            address("LiteLlmTenants", name.into()),
            Format::Json,
            &tenants::tree(table).from(origin),
        ),
        Artifact::text(address("LiteLlmHook", format!("{name}.py")), HOOK, &hook),
    ]
}
