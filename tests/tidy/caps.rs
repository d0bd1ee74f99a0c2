//! The caps: how long functions and files may be, and how many parameters a function may take.

use syn::visit::{self, Visit};

use super::sources::{code_lines, is_for_tests, modules};
use super::{CRATES, none_of};

const FUNCTION_LINES: usize = 80;
const FILE_LINES: usize = 600;
const PARAMETERS: usize = 4;

/// Something that is measured, and where it is.
struct Measured {
    place: String,
    size: usize,
}

#[test]
fn functions_are_short() {
    let found = measured(|function| function.lines);
    none_of("a function has at most 80 lines", &over(&found, FUNCTION_LINES));
    print_distribution("lines of a function", found);
}

#[test]
fn functions_take_few_parameters() {
    let found = measured(|function| function.parameters);
    none_of("a function takes at most four parameters, `self` not counted", &over(&found, PARAMETERS));
    print_distribution("parameters of a function", found);
}

#[test]
fn files_are_short() {
    let found: Vec<Measured> = scanned().iter().map(Scan::file_size).collect();
    none_of("a file has at most 600 lines of code, tests not counted", &over(&found, FILE_LINES));
    print_distribution("lines of code of a file", found);
}

fn over(found: &[Measured], cap: usize) -> Vec<String> {
    let too_large = found.iter().filter(|one| one.size > cap);
    too_large.map(|one| format!("{}: {}", one.place, one.size)).collect()
}

fn print_distribution(what: &str, mut found: Vec<Measured>) {
    found.sort_by_key(|one| one.size);
    let at =
        |share: usize| found.get((found.len() * share / 100).min(found.len() - 1)).map_or(0, |one| one.size);
    println!("{what}: {} measured, p50 {}, p90 {}, max {}", found.len(), at(50), at(90), at(100));
    found.iter().rev().take(3).for_each(|one| println!("  {:>4} {}", one.size, one.place));
}

fn measured(size: impl Fn(&Function) -> usize) -> Vec<Measured> {
    let mut found = Vec::new();
    for scan in scanned() {
        for function in &scan.functions {
            let place = format!("{}:{} {}", scan.file, function.line, function.name);
            found.push(Measured { place, size: size(function) });
        }
    }
    assert!(!found.is_empty(), "no function was measured");
    found
}

struct Function {
    name: String,
    line: usize,
    /// From the signature to the closing brace; 0 without a body.
    lines: usize,
    parameters: usize,
}

/// What one file holds.
struct Scan {
    file: String,
    text: String,
    functions: Vec<Function>,
    /// The first and last lines of what is for tests.
    tests: Vec<(usize, usize)>,
}

/// Scans the modules of the product but for those that are for tests only.
fn scanned() -> Vec<Scan> {
    let modules = CRATES.iter().flat_map(|one| modules(one.root)).filter(|module| !module.is_test);
    modules.map(|module| scan(module.file, module.text)).collect()
}

fn scan(file: String, text: String) -> Scan {
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut scan = Scan { file, text, functions: Vec::new(), tests: Vec::new() };
    scan.visit_file(&syntax);
    scan
}

impl Scan {
    fn file_size(&self) -> Measured {
        let is_test = |line: usize| self.tests.iter().any(|(first, last)| (*first..=*last).contains(&line));
        let size = code_lines(&self.text).into_iter().filter(|line| !is_test(*line)).count();
        Measured { place: self.file.clone(), size }
    }

    fn add(&mut self, signature: &syn::Signature, body: Option<&syn::Block>) {
        let line = signature.fn_token.span.start().line;
        let last = body.map(|body| body.brace_token.span.close().end().line);
        let inputs = signature.inputs.iter();
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: last.map_or(0, |last| last - line + 1),
            parameters: inputs.filter(|input| matches!(input, syn::FnArg::Typed(_))).count(),
        });
    }

    /// Notes an item that is for tests, from its first attribute on, and tells whether it was one.
    fn is_noted(&mut self, attributes: &[syn::Attribute], last: usize) -> bool {
        if !is_for_tests(attributes) {
            return false;
        }
        let first = attributes.first().map_or(last, |attribute| attribute.pound_token.spans[0].start().line);
        self.tests.push((first, last));
        true
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let end = item.content.as_ref().map_or(item.ident.span(), |(brace, _)| brace.span.close());
        if !self.is_noted(&item.attrs, end.end().line) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !self.is_noted(&item.attrs, item.block.brace_token.span.close().end().line) {
            self.add(&item.sig, Some(&item.block));
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.is_noted(&item.attrs, item.block.brace_token.span.close().end().line) {
            self.add(&item.sig, Some(&item.block));
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }
}

#[test]
fn tests_and_comments_are_not_measured() {
    let text = "//! d\n\nfn a(x: u8, y: u8) {\n    // c\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n\
                trait T {\n    fn c(&self, z: u8);\n}\n";
    let scan = scan("a.rs".to_owned(), text.to_owned());
    assert_eq!(scan.file_size().size, 5);
    let found: Vec<_> =
        scan.functions.iter().map(|one| (one.name.as_str(), one.lines, one.parameters)).collect();
    assert_eq!(found, [("a", 3, 2), ("c", 0, 1)]);
}
