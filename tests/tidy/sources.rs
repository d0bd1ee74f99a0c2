//! Rust sources as syntax trees: the modules of a crate, and the paths that each of them names.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};

use super::text_of;

/// A file of a crate, found by following `mod` declarations.
pub(crate) struct Module {
    /// The path below `crate`; empty for the root.
    pub(crate) path: Vec<String>,
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    /// Whether it is compiled for tests only.
    pub(crate) is_test: bool,
}

impl Module {
    /// Returns the module directly below the crate that this one is or is in; `lib` for the root.
    pub(crate) fn top(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }
}

/// A path that a module names, e.g. `crate::yaml::Node`; those with `super` or `self` are resolved.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Returns the modules of the crate whose root file is `root`, parents first.
#[track_caller]
pub(crate) fn modules(root: &str) -> Vec<Module> {
    let mut found = vec![load(root.to_owned(), Vec::new(), false)];
    let mut next = 0;
    while next < found.len() {
        let children = declared(&found[next]);
        found.extend(children.into_iter().map(|(path, file, is_test)| load(file, path, is_test)));
        next += 1;
    }
    found
}

#[track_caller]
fn load(file: String, path: Vec<String>, is_test: bool) -> Module {
    let text = text_of(&file);
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    Module { path, file, text, syntax, is_test }
}

/// Returns the path, file and test flag of each module that `module` declares and does not contain.
fn declared(module: &Module) -> Vec<(Vec<String>, String, bool)> {
    let file = Path::new(&module.file);
    let folder = file.parent().unwrap();
    let owns_folder = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| file.ends_with(name));
    let below = if owns_folder { folder.to_path_buf() } else { folder.join(file.file_stem().unwrap()) };
    let mut found = Vec::new();
    for item in &module.syntax.items {
        let syn::Item::Mod(item) = item else { continue };
        if item.content.is_some() {
            continue;
        }
        let name = item.ident.unraw().to_string();
        let file =
            folder_file(&below, &name).unwrap_or_else(|| panic!("{}: no file for `mod {name}`", module.file));
        let path = module.path.iter().cloned().chain([name]).collect();
        found.push((path, file, module.is_test || is_for_tests(&item.attrs)));
    }
    found
}

fn folder_file(folder: &Path, name: &str) -> Option<String> {
    let files = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
    let file = files.into_iter().find(|file| crate::harness::root().join(file).is_file())?;
    Some(file.to_str().unwrap().to_owned())
}

/// Tells whether attributes hold `#[test]` or `#[cfg(test)]`.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    let is_cfg = |attribute| attribute_lists(attribute, &["cfg"], "test");
    attributes.iter().any(|attribute| attribute.path().is_ident("test") || is_cfg(attribute))
}

/// Tells whether an attribute is one of `names` and has `word` directly in its brackets, as in `#[name(word, …)]`.
pub(crate) fn attribute_lists(attribute: &syn::Attribute, names: &[&str], word: &str) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let mut tokens = list.tokens.clone().into_iter();
    names.iter().any(|name| list.path.is_ident(name)) && tokens.any(|token| token.to_string() == word)
}

/// Returns the paths that `module` names outside of its tests: in imports, in code and in macro calls.
pub(crate) fn named(module: &Module) -> Vec<Named> {
    let mut paths = Paths { module: module.path.clone(), found: Vec::new() };
    paths.visit_file(&module.syntax);
    paths.found
}

struct Paths {
    module: Vec<String>,
    found: Vec<Named>,
}

impl Paths {
    fn add(&mut self, segments: &[String], line: usize) {
        let Some(path) = self.resolved(segments) else { return };
        self.found.push(Named { path, line });
    }

    /// Replaces `self` and `super` at the start; nothing for what stays a single word.
    fn resolved(&self, segments: &[String]) -> Option<Vec<String>> {
        let relative = segments.iter().take_while(|part| *part == "self" || *part == "super").count();
        if relative == 0 {
            return (segments.len() > 1).then(|| segments.to_vec());
        }
        let ups = segments.iter().take(relative).filter(|part| *part == "super").count();
        let kept = self.module.len().checked_sub(ups)?;
        let start = ["crate".to_owned()].into_iter().chain(self.module[..kept].iter().cloned());
        let path: Vec<String> = start.chain(segments[relative..].iter().cloned()).collect();
        (path.len() > 1).then_some(path)
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with =
            |name: &syn::Ident| -> Vec<String> { before.iter().cloned().chain([name.to_string()]).collect() };
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, before)),
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before, line(&name.ident)),
            syn::UseTree::Name(name) => self.add(&with(&name.ident), line(&name.ident)),
            syn::UseTree::Rename(rename) => self.add(&with(&rename.ident), line(&rename.ident)),
            syn::UseTree::Glob(glob) => {
                let star = before.iter().cloned().chain(["*".to_owned()]).collect::<Vec<_>>();
                self.add(&star, glob.star_token.spans[0].start().line);
            }
        }
    }

    /// Collects paths from the tokens of a macro call, which have no syntax tree.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(first) => {
                    let path = path_at(&tokens[at..]);
                    let is_method = at > 0 && is_punct(&tokens[at - 1], '.');
                    if path.len() > 1 && !is_method {
                        self.add(&path, line(first));
                    }
                    at += 3 * (path.len() - 1);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }
}

fn line(ident: &syn::Ident) -> usize {
    ident.span().start().line
}

/// Returns the words of the path that `tokens` begins with: words with `::` between them.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let Some(TokenTree::Ident(ident)) = rest.first() {
        path.push(ident.to_string());
        match rest {
            [_, first, second, after @ ..] if is_punct(first, ':') && is_punct(second, ':') => rest = after,
            _ => break,
        }
    }
    path
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let first = path.segments.first().map_or(0, |segment| line(&segment.ident));
        self.add(&segments, first);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // `std::env!` is no use of the module `std::env`.
        if call.path.segments.first().is_some_and(|first| first.ident != "std") {
            self.visit_path(&call.path);
        }
        self.scan(call.tokens.clone());
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// Returns the lines, from 1, that hold code: neither blank, nor comment, nor documentation.
pub(crate) fn code_lines(text: &str) -> Vec<usize> {
    let tokens: TokenStream = text.parse().unwrap();
    let mut lines = std::collections::BTreeSet::new();
    mark(tokens, &mut lines);
    let is_comment =
        |line: &usize| text.lines().nth(line - 1).is_some_and(|text| text.trim().starts_with("//"));
    lines.into_iter().filter(|line| !is_comment(line)).collect()
}

fn mark(tokens: TokenStream, lines: &mut std::collections::BTreeSet<usize>) {
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            if group.delimiter() != Delimiter::None {
                lines.insert(group.span_open().start().line);
                lines.insert(group.span_close().start().line);
            }
            mark(group.stream(), lines);
        } else {
            lines.extend(token.span().start().line..=token.span().end().line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &[&str], text: &str) -> Module {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let syntax = syn::parse_file(text).unwrap();
        Module { path, file: "test.rs".to_owned(), text: text.to_owned(), syntax, is_test: false }
    }

    fn paths(path: &[&str], text: &str) -> Vec<String> {
        named(&module(path, text)).into_iter().map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn imports_are_flattened_and_resolved() {
        let text = "use crate::a::{self, b::C, d as e};\nuse super::f::*;\nuse std::fs;";
        let expected = ["crate::a", "crate::a::b::C", "crate::a::d", "crate::x::f::*", "std::fs"];
        assert_eq!(paths(&["x", "y"], text), expected);
    }

    #[test]
    fn code_types_and_macro_calls_name_paths() {
        let text = "fn f(a: crate::b::C) -> Vec<super::D> { print!(\"{}\", [crate::e::F.g()]); std::env!(\"X\"); h() }";
        assert_eq!(paths(&["x"], text), ["crate::b::C", "crate::D", "crate::e::F"]);
    }

    #[test]
    fn tests_and_visibilities_do_not_count() {
        let text = "#[cfg(test)] mod t { use crate::a::B; }\npub(in crate::c) fn f() {}\n#[test] fn g() { crate::d::e() }";
        assert_eq!(paths(&["x"], text), [""; 0]);
    }

    #[test]
    fn inline_modules_have_their_own_super() {
        assert_eq!(paths(&["x"], "mod y { use super::super::z; }"), ["crate::z"]);
    }

    #[test]
    fn comments_blanks_and_documentation_are_no_code() {
        let text = "//! doc\n\n/// doc\nfn f() {\n    // why\n    g(\"a\n    b\");\n}\n";
        assert_eq!(code_lines(text), [4, 6, 7, 8]);
    }
}
