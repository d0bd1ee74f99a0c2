//! LiteLLM proxy: its configuration, the tenants that its hook lets in, and the hook.
//!
//! LiteLLM starts on a configuration that it does not understand and then answers wrongly, so every check is ours.
//! Facts: LiteLLM 1.108.7.

mod config;
mod refuse;
mod tenants;

use std::collections::BTreeMap;

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::model::ModelProvider;

use super::Given;
use super::canonical::{METRICS_KEY, key_variable, model_key_variable};
use crate::artifact::{Address, Artifact, Format, written};
use crate::origin::Origin;
use crate::routing::Table;
use crate::tree::Tree;

/// The hook that knows tenants, their routes and the caps; configuration alone cannot say these without a database.
const HOOK: &str = include_str!("aipolicy_litellm.py");

/// The documents of a gateway, and reports of what LiteLLM cannot do.
pub(super) fn artifacts(table: &Table<'_>, out: &mut Diagnostics) -> Vec<Artifact> {
    refuse::check(table, out);
    let name = table.gateway.name().as_str();
    let address = |kind: &str, name: String| Address { target: "gateway".into(), kind: kind.into(), name };
    let origin = Origin::written(table.gateway.spec.dialect.span);
    let hook = Origin::default(table.input.sources, "litellm.hook");
    let (config, tenants) = (address("LiteLlmConfig", name.into()), address("LiteLlmTenants", name.into()));
    let wanted = table.input.wanted;
    vec![
        Artifact::of(wanted, (config, Format::Yaml), origin.clone(), || config::tree(table)),
        Artifact::of(wanted, (tenants, Format::Json), origin, || tenants::tree(table)),
        Artifact::text(address("LiteLlmHook", format!("{name}.py")), HOOK, &hook),
    ]
}

/// What the proxy is given. Its configuration names the hook, which reads the tenants beside it.
pub(super) fn given(table: &Table<'_>) -> Given {
    let origin = Origin::written(table.gateway.spec.dialect.span);
    let default = |name| Origin::default(table.input.sources, name);
    let file = |format, tree: Tree| Tree::document(written(format, &tree), tree.from(origin.clone()));
    let mut secrets = BTreeMap::from([("LITELLM_MASTER_KEY".to_owned(), default("gateway.masterKey"))]);
    for tenant in &table.tenants {
        secrets.insert(key_variable(tenant.resource.name().as_str()), tenant.origin.clone());
    }
    secrets.extend(metrics(table).map(|origin| (METRICS_KEY.to_owned(), origin)));
    for backend in table.backends.values() {
        match backend.model.spec.provider.value {
            ModelProvider::OpenAiCompatible | ModelProvider::SelfHosted => {
                secrets.insert(model_key_variable(backend.model.name().as_str()), backend.origin.clone());
            }
            ModelProvider::Bedrock | ModelProvider::BedrockMantle => {}
        }
    }
    let files = vec![
        ("config.yaml", file(Format::Yaml, config::tree(table))),
        ("tenants.json", file(Format::Json, tenants::tree(table))),
        ("aipolicy_litellm.py", Tree::text(HOOK).from(default("litellm.hook"))),
    ];
    Given { files, secrets }
}

/// The line that asks for metrics, if there is one.
fn metrics(table: &Table<'_>) -> Option<Origin> {
    let asked = table.gateway.spec.telemetry.as_ref()?.prometheus.as_ref()?;
    asked.value.then(|| Origin::written(asked.span))
}
