//! Pure crates do no IO: the ban is declared, denied, and checked once more on the syntax.

use super::sources::{attribute_lists, modules, named};
use super::{CRATES, none_of, text_of};

/// What a pure crate must not name.
const BANNED: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::thread::sleep",
    "std::time::SystemTime",
    "std::time::Instant",
    "tokio",
];

/// What `clippy.toml` must ban.
const METHODS: &[&str] = &[
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::read_dir",
    "std::fs::write",
    "std::fs::create_dir_all",
    "std::fs::metadata",
    "std::fs::File::open",
    "std::fs::File::create",
    "std::fs::OpenOptions::new",
    "std::env::var",
    "std::env::var_os",
    "std::env::vars",
    "std::env::current_dir",
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "std::thread::sleep",
    "std::process::Command::new",
    "std::process::exit",
];

#[test]
fn pure_crates_deny_the_banned_methods() {
    let mut problems = Vec::new();
    for pure in CRATES.iter().filter(|one| one.is_pure) {
        let syntax = syn::parse_file(&text_of(pure.root)).unwrap();
        if !syntax.attrs.iter().any(denies_methods) {
            problems.push(format!("{} lacks `#![deny(clippy::disallowed_methods, reason = …)]`", pure.root));
        }
    }
    none_of("pure crates deny what clippy.toml bans", &problems);
}

fn denies_methods(attribute: &syn::Attribute) -> bool {
    attribute_lists(attribute, &["deny", "forbid"], "disallowed_methods")
}

#[test]
fn clippy_bans_every_way_out() {
    let settings: toml::Table = text_of("clippy.toml").parse().unwrap();
    let banned = settings["disallowed-methods"].as_array().unwrap();
    let banned: Vec<&str> = banned.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    let missing = METHODS.iter().filter(|method| !banned.contains(method)).map(|method| (*method).to_owned());
    none_of("`disallowed-methods` in clippy.toml lacks", &missing.collect::<Vec<_>>());
}

#[test]
fn pure_crates_name_nothing_that_does_io() {
    let mut problems = Vec::new();
    for module in CRATES.iter().filter(|one| one.is_pure).flat_map(|pure| modules(pure.root)) {
        let banned = named(&module).into_iter().filter(|named| !module.is_test && is_banned(&named.path));
        problems
            .extend(banned.map(|named| format!("{}:{}: {}", module.file, named.line, named.path.join("::"))));
    }
    none_of("only `cli` and `targets/apply` touch the machine", &problems);
}

/// Tells whether a path begins with a banned one, or is a glob that brings one in.
fn is_banned(path: &[String]) -> bool {
    BANNED.iter().any(|banned| {
        let banned: Vec<&str> = banned.split("::").collect();
        let brings_in = path.last().is_some_and(|last| last == "*") && path.len() == banned.len();
        let compared = if brings_in { banned.len() - 1 } else { banned.len() };
        path.len() >= banned.len() && path.iter().zip(&banned).take(compared).all(|(one, other)| one == other)
    })
}

#[test]
fn banned_paths_are_recognised() {
    let is_banned = |path: &str| is_banned(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
    for path in ["std::fs", "std::fs::read", "std::time::*", "std::*", "tokio::spawn", "std::io::stdout"] {
        assert!(is_banned(path), "{path}");
    }
    for path in
        ["std::time::Duration", "std::io::Write", "crate::fs", "std::fmt::*", "std::collections::BTreeMap"]
    {
        assert!(!is_banned(path), "{path}");
    }
}
