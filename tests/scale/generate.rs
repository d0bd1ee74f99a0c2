//! A workspace of any size, the same for the same seed: the texts of `workspace/` with names and numbers filled in.

use std::error::Error;

use crate::random::Random;

/// What is generated for every tenant.
pub(crate) const PER_TENANT: &str = "1 Tenant, 1 Group, 1 Budget, 2 Agents with 3 tools each (1 gated; 1 trigger) and \
    with instructions and 1 JSON Schema of their own, 2 Workloads (EKS, Lambda), 8 Connectors, 2 Routes with 1 fallback \
    each, 1 TrafficProfile";
/// What the tenants of an account share.
pub(crate) const PER_ACCOUNT: &str =
    "2 Environments (prod, staging), 9 DataStores, 1 Cluster, 2 Gateways with telemetry";
/// What all tenants share.
pub(crate) const SHARED: &str = "1 Workspace with all targets, 3 Models, 1 DataClass, 1 Guardrail, 1 ResidencyRule, \
    1 Budget; packs baseline and residency; 20 policies";
/// Policies of the organisation.
pub(crate) const POLICIES: usize = 20;
/// Tenants that share the accounts of prod and staging, unless something else is asked for. They have 2,000 roles there,
/// and an account has room for 5,000.
pub(crate) const TENANTS_PER_ACCOUNT: usize = 100;

/// The size of a workspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) tenants: usize,
    pub(crate) per_account: usize,
}

/// Files that resources of all tenants name.
const SHARED_FILES: [(&str, &str); 2] = [
    ("tools/look-up.schema.json", include_str!("workspace/look-up.schema.json")),
    ("tools/read-document.schema.json", include_str!("workspace/read-document.schema.json")),
];
/// Files that the resources of one tenant name.
const OWN_FILES: [(&str, &str); 3] = [
    ("act.schema.json", include_str!("workspace/act.schema.json")),
    ("front.md", include_str!("workspace/instructions.md")),
    ("back.md", include_str!("workspace/instructions.md")),
];

/// The texts of a workspace by path.
pub(crate) struct Texts {
    pub(crate) resources: Vec<(String, String)>,
    pub(crate) policies: Vec<(String, String)>,
    /// Files that resources name.
    pub(crate) named: Vec<(String, String)>,
}

/// The texts of a workspace of this size.
pub(crate) fn workspace(size: Size, seed: u64) -> Result<Texts, Box<dyn Error>> {
    let mut random = Random::new(seed);
    let mut resources = vec![("aipolicy.yaml".to_owned(), include_str!("workspace/shared.yaml").to_owned())];
    for cell in 0..size.tenants.div_ceil(size.per_account) {
        let text = filled(include_str!("workspace/account.yaml"), &account(cell))?;
        resources.push((format!("accounts/{cell}.yaml"), text));
    }
    let mut named: Vec<_> = SHARED_FILES.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    for at in 0..size.tenants {
        let values = [account(at / size.per_account), tenant(at, &mut random)].concat();
        let folder = format!("tenants/{}", name(at));
        let text = filled(include_str!("workspace/tenant.yaml"), &values)?;
        resources.push((format!("{folder}/tenant.yaml"), text));
        for (file, text) in OWN_FILES {
            named.push((format!("{folder}/{file}"), filled(text, &values)?));
        }
    }
    let policies = (0..POLICIES).map(|at| (format!("policies/organisation-{at:02}.cedar"), policy(at)));
    Ok(Texts { resources, policies: policies.collect(), named })
}

/// Values by the word that stands for them in a text.
type Values = Vec<(&'static str, String)>;

fn account(cell: usize) -> Values {
    vec![("cell", cell.to_string()), ("prod", format!("1{cell:011}")), ("staging", format!("2{cell:011}"))]
}

fn name(tenant: usize) -> String {
    format!("team-{tenant:05}")
}

fn tenant(at: usize, random: &mut Random) -> Values {
    vec![
        ("tenant", name(at)),
        ("number", format!("{at:05}")),
        ("class", random.one_of(&["internal", "confidential", "personal"]).to_owned()),
        ("model", random.one_of(&["haiku", "sonnet"]).to_owned()),
        ("tokens", random.within(1, 9).to_string()),
        ("requests", random.within(100, 900).to_string()),
        ("most", random.within(500, 5_000).to_string()),
        ("money", random.within(5_000, 90_000).to_string()),
    ]
}

/// A text with a value for each `${word}`.
fn filled(text: &str, values: &Values) -> Result<String, Box<dyn Error>> {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let found = part
            .split_once('}')
            .and_then(|(word, rest)| Some((values.iter().find(|(known, _)| *known == word)?, rest)));
        let ((_, value), rest) = found.ok_or_else(|| format!("nothing fills `${{{part}`"))?;
        filled.push_str(value);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// Half of the policies hold for one tenant, the others for all; none of them forbids what the generator asks for.
fn policy(at: usize) -> String {
    let principal = match at % 2 {
        0 => format!("principal in Tenant::\"{}\"", name(at / 2)),
        _ => "principal is Agent".to_owned(),
    };
    let (action, resource, condition) = match at % 4 {
        0 => ("callTool", "Tool", "context.access == \"write\" && context.dataClassRank > 25"),
        1 => ("callTool", "Tool", "context.access == \"write\" && !context.idempotent && !context.schema"),
        2 => ("invokeModel", "Model", "resource has tier && resource.tier == \"frontier\""),
        _ => ("readConnector", "Connector", "context.dataClassRank >= 30 && !resource.privateNetwork"),
    };
    format!(
        "// Rule {at} of the organisation.\n@id(\"acme-rule-{at:02}\")\n@title(\"Rule {at} of the organisation\")\n\
         @severity(\"mandatory\")\n@help(\"Ask the platform team.\")\nforbid (\n    {principal},\n    \
         action == Action::\"{action}\",\n    resource is {resource}\n)\nwhen {{ {condition} }};\n"
    )
}
