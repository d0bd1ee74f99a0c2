//! Tables against folders: nothing is forgotten, nothing is registered twice.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use super::sources::{Module, attribute_lists, modules};
use super::{CRATES, none_of, repository_files, stem, text_of};

#[test]
fn every_source_is_a_module() {
    let mut problems = Vec::new();
    let roots: Vec<&str> = CRATES.iter().map(|one| one.root).chain(["tests/main.rs"]).collect();
    let declared: BTreeSet<String> =
        roots.iter().flat_map(|root| modules(root)).map(|module| module.file).collect();
    for root in roots {
        let sources = format!("{}/", root.rsplit_once('/').unwrap().0);
        let found = files(&sources, ".rs").into_iter().filter(|file| !declared.contains(file));
        problems.extend(found);
    }
    none_of("a source is declared with `mod`", &problems);
}

#[test]
fn every_command_is_a_file_and_a_variant() {
    enum_names_folder("cli/command/", "Subcommand");
}

#[test]
fn every_output_format_is_a_file_and_a_variant() {
    enum_names_folder("cli/render/", "ValueEnum");
}

/// Compares the files of a folder with the variants of the enum in `cli` that derives `derive` and names most of them.
#[track_caller]
fn enum_names_folder(folder: &str, derive: &str) {
    let files: BTreeSet<String> =
        plain_files(folder, ".rs").iter().map(|file| stem(file).to_owned()).collect();
    assert!(!files.is_empty(), "{folder} has no files");
    let modules = modules("cli/main.rs");
    let enums = modules.iter().flat_map(|module| enums(module, derive));
    let variants = enums.max_by_key(|names| names.intersection(&files).count());
    let variants = variants.unwrap_or_else(|| panic!("no enum in cli derives `{derive}`"));
    let unnamed = files.difference(&variants).map(|name| format!("{folder}{name}.rs has no variant"));
    let homeless =
        variants.difference(&files).map(|name| format!("variant `{name}` has no {folder}{name}.rs"));
    none_of("one file, one variant", &unnamed.chain(homeless).collect::<Vec<_>>());
}

/// Returns, for each enum that derives `derive`, its variants in snake case.
fn enums(module: &Module, derive: &str) -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    for item in &module.syntax.items {
        let syn::Item::Enum(item) = item else { continue };
        if item.attrs.iter().any(|attribute| attribute_lists(attribute, &["derive"], derive)) {
            found.push(item.variants.iter().map(|variant| snake(&variant.ident.to_string())).collect());
        }
    }
    found
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.trim_end_matches('_').chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn every_policy_has_cases_and_is_in_the_pack_table() {
    let policies = files("policies/", ".cedar");
    assert!(!policies.is_empty(), "policies/ has no policies");
    let table = text_of("compiler/src/authorize/packs.rs");
    let named = table.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let included: BTreeSet<String> = named.map(|name| format!("policies/{name}.cedar")).collect();
    let mut problems = lacking_page(&policies, ".cedar");
    let unnamed = policies.iter().filter(|policy| !included.contains(*policy));
    problems.extend(
        unnamed.map(|policy| format!("{policy} is not in the table of compiler/src/authorize/packs.rs")),
    );
    let pages = files("policies/", ".md").into_iter().filter(|page| !page.ends_with("/README.md"));
    let orphans = pages.filter(|page| !policies.contains(&page.replace(".md", ".cedar")));
    problems.extend(orphans.map(|page| format!("{page} has no policy beside it")));
    none_of("a policy is one `.cedar` file, its cases beside it, and a line in the pack table", &problems);
}

#[test]
fn every_check_has_a_page_and_is_in_the_table() {
    let mut problems = checks("compiler/src/lib.rs", "compiler/src/check/");
    if !files("targets/src/check/", ".rs").is_empty() {
        problems.extend(checks("targets/src/lib.rs", "targets/src/check/"));
    }
    problems.extend(checks("targets/iam/src/lib.rs", "targets/iam/src/lint/rule/"));
    none_of("a check is `<name>.rs`, `<name>.md` and a line in the table of its mod.rs", &problems);
}

fn checks(root: &str, folder: &str) -> Vec<String> {
    let modules = modules(root);
    let table = modules.iter().find(|module| module.file == format!("{folder}mod.rs"));
    let Some(table) = table else { return vec![format!("{folder}mod.rs is missing")] };
    let used = used(table);
    let tests: Vec<&str> = modules.iter().filter(|one| one.is_test).map(|one| one.file.as_str()).collect();
    let mut checks = plain_files(folder, ".rs");
    checks.retain(|file| !tests.contains(&file.as_str()));
    let mut problems = lacking_page(&checks, ".rs");
    let unnamed = checks.iter().filter(|file| !used.contains(stem(file)));
    problems.extend(unnamed.map(|file| format!("{file} is not in the table of {}", table.file)));
    let orphans =
        plain_files(folder, ".md").into_iter().filter(|page| !checks.contains(&page.replace(".md", ".rs")));
    problems.extend(orphans.map(|page| format!("{page} has no check beside it")));
    problems
}

/// Returns the words that the code of a module has elsewhere than in `mod` declarations.
fn used(module: &Module) -> BTreeSet<String> {
    let tokens: TokenStream = module.text.parse().unwrap();
    let (mut used, mut before) = (BTreeSet::new(), String::new());
    for word in flattened(tokens).map(|token| token.to_string()) {
        if before != "mod" {
            used.insert(word.clone());
        }
        before = word;
    }
    used
}

/// Returns the tokens within all brackets, in order.
fn flattened(tokens: TokenStream) -> Box<dyn Iterator<Item = TokenTree>> {
    Box::new(tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => flattened(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => Box::new(std::iter::once(token)),
    }))
}

/// Returns a problem for each file that has no `.md` of its name beside it.
fn lacking_page(paths: &[String], extension: &str) -> Vec<String> {
    let pages = repository_files();
    let lacking = paths.iter().filter(|path| !pages.contains(&path.replace(extension, ".md")));
    lacking.map(|path| format!("{path} has no {} beside it", stem(path).to_owned() + ".md")).collect()
}

#[test]
fn every_page_of_a_rule_is_included() {
    let pages: BTreeSet<String> = files("compiler/src/rule/", ".md").into_iter().collect();
    let table = text_of("compiler/src/rule/mod.rs");
    let named = table
        .lines()
        .filter(|line| line.contains("= \"AIP-"))
        .filter_map(|line| line.trim().split('"').nth(3).map(str::to_owned));
    let included: BTreeSet<String> = named.map(|name| format!("compiler/src/rule/{name}.md")).collect();
    let unnamed = pages.difference(&included).map(|page| format!("{page} is included by nothing"));
    let missing = included.iter().filter(|page| page.ends_with(".md") && !pages.contains(*page));
    let problems: Vec<String> = unnamed.chain(missing.map(|page| format!("{page} is missing"))).collect();
    none_of("the pages in compiler/src/rule are those that its code includes", &problems);
}

#[test]
fn every_kind_is_in_the_table_and_has_a_schema() {
    let modules = modules("compiler/src/lib.rs");
    let below = |module: &&Module| module.path.len() == 2 && module.top() == "model" && !module.is_test;
    let kinds: Vec<&Module> = modules.iter().filter(below).filter(|module| declares_spec(module)).collect();
    assert!(!kinds.is_empty(), "compiler/src/model has no file that declares a `…Spec`");
    let parent = modules.iter().filter(|module| module.path == ["model"]);
    let used: BTreeSet<String> = parent.flat_map(used).collect();
    let schemas: BTreeSet<String> =
        files("schemas/", ".schema.json").iter().map(|file| schema_name(file)).collect();
    let mut problems = Vec::new();
    for kind in kinds.iter().map(|module| &module.path[1]) {
        if !used.contains(kind) {
            problems.push(format!("compiler/src/model/{kind}.rs is not in the table of the kinds"));
        }
        if !schemas.contains(kind) {
            problems.push(format!("schemas has no {}.schema.json", kind.replace('_', "-")));
        }
    }
    none_of("a kind is a file in compiler/src/model, a line in its table, and a generated schema", &problems);
}

/// Whether a module declares the specification that is named after it, for instance `TenantSpec` in `tenant`.
fn declares_spec(module: &Module) -> bool {
    let words = module.path[1].split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    let spec = words.collect::<String>() + "Spec";
    let tokens: TokenStream = module.text.parse().unwrap();
    let words: Vec<_> = flattened(tokens).map(|token| token.to_string()).collect();
    words.windows(2).any(|pair| ["struct", "type"].contains(&pair[0].as_str()) && pair[1] == spec)
}

#[test]
fn every_schema_is_one_and_is_generated() {
    let schemas = files("schemas/", ".schema.json");
    assert!(!schemas.is_empty(), "schemas/ has no *.schema.json");
    let words = words_of_sources();
    let mut problems = Vec::new();
    for schema in schemas {
        let value: Result<serde_json::Value, _> = serde_json::from_str(&text_of(&schema));
        if value.is_ok_and(|value| value.get("$schema").is_none()) {
            problems.push(format!("{schema} is no JSON Schema: it has no `$schema`"));
        }
        if !words.contains(&schema_name(&schema)) {
            problems.push(format!("{schema}: no source has a string or module of its name"));
        }
    }
    none_of("a schema is JSON Schema, generated from something of its name", &problems);
}

/// Returns the name of a schema's file in snake case, without the version that it may carry.
fn schema_name(file: &str) -> String {
    stem(stem(file)).replace(['-', '.'], "_")
}

/// Returns the modules and string literals of the workspace in snake case, those with a suffix also without it.
fn words_of_sources() -> BTreeSet<String> {
    let mut words = Words(BTreeSet::new());
    let suites =
        modules("tests/main.rs").into_iter().filter(|module| !["tidy", "harness"].contains(&module.top()));
    for module in CRATES.iter().flat_map(|one| modules(one.root)).chain(suites) {
        words.0.extend(module.path.last().cloned());
        words.visit_file(&module.syntax);
    }
    words.0
}

struct Words(BTreeSet<String>);

impl Words {
    fn add(&mut self, text: &str) {
        let name = text.rsplit('/').next().unwrap_or(text);
        self.0.insert(name.trim_end_matches(".schema.json").replace(['-', '.'], "_"));
    }
}

impl<'ast> Visit<'ast> for Words {
    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.add(&literal.value());
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        flattened(call.tokens.clone()).for_each(|token| self.add(token.to_string().trim_matches('"')));
    }
}

/// Returns the repository's files under `folder` with an ending.
fn files(folder: &str, ending: &str) -> Vec<String> {
    repository_files().into_iter().filter(|file| file.starts_with(folder) && file.ends_with(ending)).collect()
}

/// Returns the files directly in `folder` with an ending, but for its `mod.rs`.
fn plain_files(folder: &str, ending: &str) -> Vec<String> {
    let is_plain = |file: &String| !file[folder.len()..].contains('/') && !file.ends_with("/mod.rs");
    files(folder, ending).into_iter().filter(is_plain).collect()
}

#[test]
fn names_and_paths_are_told() {
    assert_eq!(snake("DiffPlan"), "diff_plan");
    assert_eq!(schema_name("schemas/model-group.v1.schema.json"), "model_group_v1");
}

#[test]
fn no_two_files_differ_only_in_case() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in repository_files() {
        if let Some(other) = seen.insert(file.to_lowercase(), file.clone()) {
            problems.push(format!("{file} and {other}"));
        }
    }
    none_of("names differ in more than case", &problems);
}
