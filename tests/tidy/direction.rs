//! Who may use whom: between the crates of the workspace, and between the modules of a crate.

use std::collections::BTreeSet;
use std::process::Command;

use super::sources::{Module, modules, named};
use super::{CRATES, Crate, none_of, output, text_of};

/// A module directly below a crate, and what it may use: modules, or paths into one.
type Row = (&'static str, &'static [&'static str]);

/// The modules of the compiler, each using only those above it, or the paths named.
const COMPILER: &[Row] = &[
    ("source", &[]),
    ("secret", &[]),
    ("diagnostic", &["source", "secret"]),
    ("rule", &["source", "diagnostic"]),
    ("yaml", &["source", "diagnostic", "rule"]),
    ("fingerprint", &["source", "diagnostic", "yaml"]),
    ("catalog", &["source", "diagnostic", "rule"]),
    ("model", &["source", "secret", "diagnostic", "rule", "yaml", "fingerprint", "catalog"]),
    ("resolve", &["source", "diagnostic", "rule", "yaml", "catalog", "model"]),
    ("waive", &["source", "diagnostic", "fingerprint", "model", "resolve"]),
    ("flow", &["source", "model", "resolve"]),
    ("ir", &["source", "model", "resolve"]),
    ("clause", &["source"]),
    (
        "authorize",
        &["source", "diagnostic", "rule", "yaml", "catalog", "model", "resolve", "waive", "ir", "clause"],
    ),
    ("inspect", &["source", "diagnostic", "model", "resolve", "ir", "clause", "authorize"]),
    ("trial", &["source", "diagnostic", "rule", "yaml", "model", "resolve", "ir", "clause", "authorize"]),
    (
        "check",
        &[
            "source",
            "diagnostic",
            "rule",
            "yaml",
            "catalog",
            "model",
            "resolve",
            "waive",
            "ir",
            "authorize",
            "inspect",
        ],
    ),
    ("forecast", &["source", "catalog", "model", "check"]),
    ("codes", &["source", "diagnostic", "rule", "yaml", "model", "resolve", "check", "authorize"]),
];

/// The modules of the targets: no target knows another, but for what a cluster gives to the gateways on it.
const TARGETS: &[Row] = &[
    ("origin", &[]),
    ("tree", &["origin"]),
    ("artifact", &["origin", "tree"]),
    ("key", &["artifact"]),
    ("envelope", &["key"]),
    ("manifest", &["origin", "artifact"]),
    ("influence", &["origin", "artifact"]),
    ("input", &["artifact"]),
    ("mark", &[]),
    ("account", &["origin", "input", "mark"]),
    ("billing", &["input", "account"]),
    ("control", &["input"]),
    ("openapi", &["input", "account"]),
    ("request", &["origin", "tree", "artifact", "account"]),
    ("iam", &["origin", "tree", "artifact", "input", "account", "billing", "openapi", "request"]),
    ("routing", &["origin", "input"]),
    ("gateway", &["origin", "tree", "artifact", "input", "routing"]),
    ("function", &["origin", "tree", "artifact", "account", "request"]),
    ("capacity", &["account"]),
    ("bedrock", &["origin", "tree", "artifact", "input", "account", "openapi", "request", "function"]),
    ("lambda", &["origin", "tree", "artifact", "input", "account", "request", "function", "capacity"]),
    ("observability", &["origin", "tree", "artifact", "input", "account", "billing", "routing", "request"]),
    (
        "kubernetes",
        &[
            "origin",
            "tree",
            "artifact",
            "input",
            "account",
            "capacity",
            "gateway::METRICS_KEY",
            "gateway::given",
            "gateway::Given",
            "observability::Rules",
            "observability::rules",
        ],
    ),
    ("kustomize", &["artifact"]),
    ("cloudformation", &["origin", "tree", "artifact", "input", "account"]),
    ("effects", &["artifact"]),
    ("privilege", &["artifact", "input", "account", "billing", "control", "openapi", "effects"]),
    ("plan", &["origin", "artifact", "effects"]),
];

/// The modules of the documents of IAM: what they say, how they are read and written, and what can be told about them.
const IAM: &[Row] = &[
    ("document", &[]),
    ("json", &[]),
    ("operator", &[]),
    ("value", &[]),
    ("name", &[]),
    ("arn", &[]),
    ("request", &["document"]),
    ("pattern", &["document"]),
    ("canonical", &["document"]),
    ("write", &["document"]),
    ("limits", &["document", "write"]),
    ("split", &["document", "write", "limits"]),
    ("spread", &["document", "limits", "name", "split"]),
    ("read", &["document", "json"]),
    ("place", &["read"]),
    ("found", &["document", "json", "read"]),
    ("action", &["document", "pattern"]),
    ("evaluate", &["document", "operator", "value", "request", "pattern"]),
    ("compare", &["document", "operator", "value", "request", "pattern", "canonical", "action", "evaluate"]),
    (
        "lint",
        &["document", "json", "operator", "value", "arn", "pattern", "limits", "read", "found", "action"],
    ),
];

/// Crates that bring in a runtime or a network, which pure crates do without.
const HEAVY: &[&str] = &["tokio", "kube", "reqwest", "aws-sdk-", "aws-config", "hyper"];

#[test]
fn the_table_of_crates_is_the_workspace() {
    let manifest: toml::Table = text_of("Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap().iter();
    let members: BTreeSet<&str> = members.map(|member| member.as_str().unwrap()).collect();
    let table: BTreeSet<&str> =
        CRATES.iter().map(|one| one.folder).filter(|folder| !folder.is_empty()).collect();
    assert_eq!(table, members, "`CRATES` in tests/tidy/mod.rs names every member of the workspace");
}

#[test]
fn crates_depend_downwards() {
    let problems: Vec<String> = CRATES.iter().flat_map(upward_dependencies).collect();
    none_of(
        "cli -> targets/apply -> targets -> compiler, cli -> analysis -> compiler, and targets -> targets/iam",
        &problems,
    );
}

fn upward_dependencies(one: &Crate) -> Vec<String> {
    let path =
        if one.folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{}/Cargo.toml", one.folder) };
    let manifest: toml::Table = text_of(&path).parse().unwrap();
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let sections = sections.iter().filter_map(|section| manifest.get(*section)?.as_table());
    let ours = sections.flat_map(|section| section.keys()).filter(|name| name.starts_with("aipolicy"));
    let upward = ours.filter(|name| !one.may_use.contains(&name.as_str()));
    upward.map(|name| format!("{path}: `{}` may not depend on `{name}`", one.name)).collect()
}

#[test]
fn pure_crates_bring_in_no_runtime_and_no_network() {
    let mut problems = Vec::new();
    for pure in CRATES.iter().filter(|one| one.is_pure) {
        let heavy =
            dependencies(pure.name).into_iter().filter(|name| HEAVY.iter().any(|heavy| is_of(heavy, name)));
        problems
            .extend(heavy.map(|name| format!("`{}` depends on `{name}`: cargo tree -i {name}", pure.name)));
    }
    none_of("pure crates have no runtime and no network", &problems);
}

#[test]
fn clients_of_clouds_come_with_a_feature_that_the_first_command_leaves_out() {
    let clients = |names: BTreeSet<String>| {
        let found = |name: &String| ["aws-sdk-", "aws-config"].iter().any(|family| is_of(family, name));
        names.into_iter().filter(found).collect::<Vec<_>>()
    };
    assert!(!clients(dependencies("aipolicy")).is_empty(), "what is installed has every provider");
    let without = clients(dependencies_with("aipolicy", &["--no-default-features"]));
    none_of("clients of clouds are behind the feature `aws`", &without);
    let readme = text_of("README.md");
    let first = readme.lines().find(|line| line.starts_with("cargo run")).unwrap();
    assert!(first.starts_with("cargo run --no-default-features -- plan examples/acme"), "{first}");
}

/// Tells whether `name` is the crate `family`, or one of those that a family ending in `-` has.
fn is_of(family: &str, name: &str) -> bool {
    name == family || (family.ends_with('-') && name.starts_with(family))
}

/// Returns the names of the crates that `package` is built from, with its default features.
fn dependencies(package: &str) -> BTreeSet<String> {
    dependencies_with(package, &[])
}

/// The same with other features.
fn dependencies_with(package: &str, features: &[&str]) -> BTreeSet<String> {
    let arguments =
        ["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree =
        output(Command::new(env!("CARGO")).args(arguments).args(["--package", package]).args(features));
    let names: BTreeSet<String> =
        tree.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    assert!(names.contains(package), "cargo tree does not name `{package}` itself");
    names
}

#[test]
fn tables_are_ordered() {
    for table in [COMPILER, TARGETS, IAM] {
        for (index, (name, uses)) in table.iter().enumerate() {
            let is_above = |used: &&&str| table.iter().take(index).any(|(above, _)| *above == **used);
            let below: Vec<_> = uses.iter().filter(|used| !used.contains("::") && !is_above(used)).collect();
            assert!(below.is_empty(), "`{name}` may use {below:?}, which its table has below it");
        }
    }
}

#[test]
fn modules_of_the_compiler_use_those_above_them() {
    none_of("modules of compiler/src use those above them", &crossings("compiler/src/lib.rs", COMPILER));
}

#[test]
fn modules_of_the_targets_use_those_above_them() {
    none_of("modules of targets/src use those above them", &crossings("targets/src/lib.rs", TARGETS));
}

#[test]
fn modules_of_the_documents_of_iam_use_those_above_them() {
    none_of("modules of targets/iam/src use those above them", &crossings("targets/iam/src/lib.rs", IAM));
}

#[test]
fn the_table_names_every_module_of_the_compiler() {
    none_of(
        "`COMPILER` in tests/tidy/direction.rs is the modules of the crate",
        &untold("compiler/src/lib.rs", COMPILER),
    );
}

#[test]
fn the_table_names_every_module_of_the_targets() {
    none_of(
        "`TARGETS` in tests/tidy/direction.rs is the modules of the crate",
        &untold("targets/src/lib.rs", TARGETS),
    );
}

#[test]
fn the_table_names_every_module_of_the_documents_of_iam() {
    none_of(
        "`IAM` in tests/tidy/direction.rs is the modules of the crate",
        &untold("targets/iam/src/lib.rs", IAM),
    );
}

/// Returns the modules that the table lacks, and the rows that no module has.
fn untold(root: &str, table: &[Row]) -> Vec<String> {
    let modules = modules(root);
    let found: BTreeSet<&str> =
        modules.iter().filter(|one| one.path.len() == 1 && !one.is_test).map(Module::top).collect();
    let rows: BTreeSet<&str> = table.iter().map(|(name, _)| *name).collect();
    let missing =
        found.difference(&rows).map(|name| format!("module `{name}` has no row: say what it may use"));
    let stale = rows.difference(&found).map(|name| format!("row `{name}` has no module in {root}"));
    missing.chain(stale).collect()
}

fn crossings(root: &str, table: &[Row]) -> Vec<String> {
    let modules = modules(root);
    let tops: BTreeSet<&str> = modules.iter().filter(|one| one.path.len() == 1).map(Module::top).collect();
    modules.iter().filter(|one| !one.is_test).flat_map(|one| crossings_of(one, &tops, table)).collect()
}

/// Returns the paths that `module` names and may not: `lib` may name all, and nothing names what is in `lib`.
fn crossings_of(module: &Module, tops: &BTreeSet<&str>, table: &[Row]) -> Vec<String> {
    let row = table.iter().find(|(name, _)| *name == module.top());
    let (from, Some((_, uses))) = (module.top(), row) else { return Vec::new() };
    let ours = named(module).into_iter().filter(|named| named.path[0] == "crate");
    let is_crossing = |path: &[String]| {
        let used = path[1..].join("::");
        path[1] != from
            && !uses.iter().any(|allowed| used == *allowed || used.starts_with(&format!("{allowed}::")))
    };
    let crossing = ours.filter(|named| is_crossing(&named.path));
    let told = crossing.map(|named| {
        let via = if tops.contains(named.path[1].as_str()) {
            ""
        } else {
            " (name the module that has it, not `lib`)"
        };
        format!("{}:{}: `{from}` may not use {}{via}", module.file, named.line, named.path.join("::"))
    });
    told.collect()
}

#[test]
fn a_crossing_is_told_with_its_line() {
    let text = "use crate::{source::Span, check::run};\nfn f() { crate::authorize::request::new(); crate::Other::new() }\n";
    let module = |name: &str| Module {
        path: vec![name.to_owned()],
        file: "x.rs".to_owned(),
        text: text.to_owned(),
        syntax: syn::parse_file(text).unwrap(),
        is_test: false,
    };
    let tops = BTreeSet::from(["source", "check", "authorize", "yaml"]);
    let told = crossings_of(&module("yaml"), &tops, COMPILER);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "x.rs:1: `yaml` may not use crate::check::run");
    assert!(told[2].ends_with("not `lib`)"), "{told:?}");
    assert_eq!(crossings_of(&module("inspect"), &tops, COMPILER).len(), 2);
}
