//! Reads a workspace: every resource, every policy and every named file, each bounded, and none outside the folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use aipolicy_compiler::compile_watched;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::model::value::Date;
use aipolicy_compiler::model::{Bundle, Resource};
use aipolicy_compiler::resolve::{FileAnswer, FileRequest, file_requests};
use aipolicy_compiler::rule;
use aipolicy_compiler::source::{SourceKind, SourceMap, Span};
use ignore::{DirEntry, WalkBuilder};

use crate::error::{CliError, why};
use crate::timings::Timings;
use crate::ui::harmless;
use crate::workspace::Workspace;

/// The largest file of resources, in bytes.
const RESOURCES_LIMIT: u64 = 16 << 20;
/// The largest Cedar file and the largest file that a resource names, in bytes.
const NAMED_LIMIT: u64 = 1 << 20;
/// Folders that hold no sources, wherever they are.
const SKIPPED: &[&str] = &["target", "node_modules", "expected"];

/// Reads, compiles and judges the workspace in a folder.
pub(crate) fn load(folder: &Path, today: Option<Date>) -> Result<Workspace, CliError> {
    load_timed(folder, today, &mut Timings::start(READING))
}

/// The same, with the time that each part takes.
pub(crate) fn load_timed(
    folder: &Path,
    today: Option<Date>,
    timings: &mut Timings,
) -> Result<Workspace, CliError> {
    read_and_compile(folder, today, timings, |_| {})
}

/// The part of a run in which files are read.
pub(crate) const READING: &str = "reading";

/// The workspace as it would be if every agent were enabled: what the answer about a disabled one is found in. Places
/// are those of the workspace as it is.
pub(crate) fn load_with_all_agents_enabled(
    folder: &Path,
    today: Option<Date>,
) -> Result<Workspace, CliError> {
    let enable = |agent: &mut Resource<AgentSpec>| agent.spec.enabled = None;
    read_and_compile(folder, today, &mut Timings::start(READING), |bundle| {
        bundle.agents.iter_mut().for_each(enable);
    })
}

fn read_and_compile(
    folder: &Path,
    today: Option<Date>,
    timings: &mut Timings,
    suppose: impl FnOnce(&mut Bundle),
) -> Result<Workspace, CliError> {
    let root = folder.canonicalize().map_err(|error| CliError::file("read", folder, &error))?;
    if !root.is_dir() {
        let error = CliError::usage(format!("`{}` is not a folder", folder.display()));
        return Err(error.hint("name the folder that holds `aipolicy.yaml`"));
    }
    let mut reading = Reading { root, sources: SourceMap::new(), out: Diagnostics::default() };
    rayon::spawn(aipolicy_compiler::prepare);
    reading.resources()?;
    timings.mark("parsing");
    let mut bundle = aipolicy_compiler::read(&reading.sources, &mut reading.out);
    timings.mark(READING);
    suppose(&mut bundle);
    reading.no_workspace_but_above(folder, &bundle)?;
    aipolicy_compiler::add_packs(&bundle, &mut reading.sources, &mut reading.out);
    reading.policies(&bundle);
    let answers = reading.files(&bundle);
    let Reading { sources, out: mut diagnostics, .. } = reading;
    let today = today.unwrap_or_else(clock);
    let watch = &mut |phase| timings.phase(phase);
    let compilation = compile_watched(bundle, (&sources, &answers), (today, watch), &mut diagnostics);
    Ok(Workspace { root: folder.to_owned(), sources, compilation, diagnostics })
}

/// Whether files of a folder, as a path below the workspace, are sources.
pub(crate) fn is_source_folder(path: &Path) -> bool {
    !path.iter().any(|part| is_skipped(part, true))
}

/// Whether an entry of a folder is hidden, or a folder that holds no sources.
fn is_skipped(name: &OsStr, folder: bool) -> bool {
    let name = name.to_str().unwrap_or("");
    name.starts_with('.') || (folder && SKIPPED.contains(&name))
}

/// The day, in UTC.
pub(crate) fn clock() -> Date {
    Date(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// Why a file was not read.
enum Refusal {
    NotUtf8(usize),
    TooLarge(u64),
    Outside,
    Link,
    Unreadable(String),
}

struct Reading {
    /// The real path of the workspace.
    root: PathBuf,
    sources: SourceMap,
    out: Diagnostics,
}

impl Reading {
    fn resources(&mut self) -> Result<(), CliError> {
        let mut any = false;
        for path in self.walk()? {
            any = true;
            let name = self.name(&path);
            let read = if path.is_symlink() { Err(Refusal::Link) } else { self.read(&path, RESOURCES_LIMIT) };
            match read {
                Ok(text) => _ = self.sources.add(name, text, SourceKind::Resources),
                Err(refusal) => self.refuse(name, &refusal),
            }
        }
        if !any {
            self.sources.add("aipolicy.yaml", "", SourceKind::Resources);
        }
        Ok(())
    }

    /// Every file with resources below the root, links to some included, sorted as they are named.
    fn walk(&mut self) -> Result<Vec<PathBuf>, CliError> {
        let walked = |entry: &DirEntry| {
            let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0 || !is_skipped(entry.file_name(), folder)
        };
        let mut found = Vec::new();
        let walk = WalkBuilder::new(&self.root).standard_filters(false).filter_entry(walked).build();
        for entry in walk {
            let entry = entry.map_err(|error| {
                CliError::tool(format!("the folder cannot be read: {error}"))
                    .hint("nothing is said about a workspace of which a part cannot be seen")
            })?;
            let kind = entry.file_type();
            let yaml = SourceKind::is_resources(&entry.file_name().to_string_lossy());
            if yaml && !kind.is_some_and(|kind| kind.is_dir()) {
                found.push(entry.into_path());
            } else if kind.is_some_and(|kind| kind.is_symlink()) && entry.path().is_dir() {
                self.report_linked_folder(entry.path());
            }
        }
        found.sort_by_cached_key(|path| self.name(path));
        Ok(found)
    }

    /// What lies behind the link is not read, and whoever expects it should know.
    fn report_linked_folder(&mut self, path: &Path) {
        let name = self.name(path);
        let message = format!("`{name}` is a link to a folder, and links are not followed");
        let found = self.nowhere(name, &rule::FILE_OUTSIDE, message);
        self.out.report(Diagnostic { severity: Severity::Advisory, ..found });
    }

    /// The path of a file below the root as people know it.
    fn name(&self, path: &Path) -> String {
        let parts = path.strip_prefix(&self.root).unwrap_or(path).components();
        let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        harmless(&parts.join("/")).replace(['\n', '\t'], "?")
    }

    /// The text of a file that really is in the workspace.
    fn read(&self, path: &Path, limit: u64) -> Result<String, Refusal> {
        let unreadable = |error: &std::io::Error| Refusal::Unreadable(why(error));
        let real = path.canonicalize().map_err(|error| unreadable(&error))?;
        if !real.starts_with(&self.root) {
            return Err(Refusal::Outside);
        }
        let facts = std::fs::metadata(&real).map_err(|error| unreadable(&error))?;
        if !facts.is_file() {
            return Err(Refusal::Unreadable("it is not a file".into()));
        }
        if facts.len() > limit {
            return Err(Refusal::TooLarge(limit));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(facts.len()).unwrap_or(0));
        let file = File::open(&real).map_err(|error| unreadable(&error))?;
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > limit {
            return Err(Refusal::TooLarge(limit));
        }
        String::from_utf8(bytes).map_err(|error| Refusal::NotUtf8(error.utf8_error().valid_up_to()))
    }

    /// Keeps an empty source in the place of a file that was not read, and says why.
    fn refuse(&mut self, name: String, refusal: &Refusal) {
        let (rule, why) = said(refusal);
        let message = format!("`{name}` {why}");
        let found = self.nowhere(name, rule, message);
        self.out.report(found);
    }

    /// A finding about a file of which no text is shown.
    fn nowhere(&mut self, name: String, rule: &'static Rule, message: String) -> Diagnostic {
        let source = self.sources.add(name, "", SourceKind::Referenced);
        rule.at(Span::new(source, 0, 0), message, "")
    }

    /// A folder inside of a workspace is a likely slip, and nothing is searched upward.
    fn no_workspace_but_above(&self, folder: &Path, bundle: &Bundle) -> Result<(), CliError> {
        let here = self.root.join("aipolicy.yaml").exists() || !bundle.workspaces.is_empty();
        let above = self.root.ancestors().skip(1).find(|above| above.join("aipolicy.yaml").is_file());
        let (Some(above), false) = (above, here) else { return Ok(()) };
        let error = CliError::usage(format!("`{}` holds no `Workspace`", folder.display()));
        Err(error.hint(format!("`{}` does; folders above are not searched, so name it", above.display())))
    }

    /// Every Cedar file of the folders that the workspace names.
    fn policies(&mut self, bundle: &Bundle) {
        let named = bundle.workspaces.iter().flat_map(|workspace| &workspace.spec.policies);
        for folder in named {
            let place = folder.span;
            match self.cedar_files(folder.value.as_str()) {
                Ok(files) => files.iter().for_each(|path| self.policy(path)),
                Err(refusal) => {
                    let outside = matches!(refusal, Refusal::Outside);
                    let rule = if outside { &rule::FILE_OUTSIDE } else { &rule::PACK_MISSING };
                    let message = format!("the folder `{}` {}", folder.value.as_str(), said(&refusal).1);
                    let help = "name a folder of the workspace that holds `.cedar` files";
                    self.out.report(rule.at(place, message, "").help(help));
                }
            }
        }
    }

    fn policy(&mut self, path: &Path) {
        let name = self.name(path);
        match self.read(path, NAMED_LIMIT) {
            Ok(text) => _ = self.sources.add(name, text, SourceKind::Policies { shipped: false }),
            Err(refusal) => self.refuse(name, &refusal),
        }
    }

    fn cedar_files(&self, folder: &str) -> Result<Vec<PathBuf>, Refusal> {
        let path = self.root.join(folder);
        if Path::new(folder).is_absolute() || folder.split(['/', '\\']).any(|part| part == "..") {
            return Err(Refusal::Outside);
        }
        let unreadable = |error: std::io::Error| Refusal::Unreadable(why(&error));
        let real = path.canonicalize().map_err(unreadable)?;
        if !real.starts_with(&self.root) {
            return Err(Refusal::Outside);
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&real).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|end| end == "cedar") {
                found.push(path);
            }
        }
        found.sort();
        if found.is_empty() { Err(Refusal::Unreadable("it has no `.cedar` file".into())) } else { Ok(found) }
    }

    /// Reads every file that a resource names, each once.
    fn files(&mut self, bundle: &Bundle) -> Vec<FileAnswer> {
        let mut requests = file_requests(bundle);
        requests.sort_by(|left, right| left.path.cmp(&right.path));
        requests.dedup_by(|left, right| left.path == right.path);
        requests.into_iter().map(|request| self.file(request)).collect()
    }

    fn file(&mut self, FileRequest { path, .. }: FileRequest) -> FileAnswer {
        match self.read(&self.root.join(&path), NAMED_LIMIT) {
            Ok(text) => {
                let source = self.sources.add(path.clone(), text, SourceKind::Referenced);
                FileAnswer::Found { path, source }
            }
            Err(Refusal::Outside) => FileAnswer::Outside { path },
            Err(Refusal::Unreadable(why)) => FileAnswer::Unreadable { path, why },
            Err(refusal) => FileAnswer::Unreadable { path, why: format!("it {}", said(&refusal).1) },
        }
    }
}

/// The rule of a refusal, and the end of a sentence about the file.
fn said(refusal: &Refusal) -> (&'static Rule, String) {
    match refusal {
        Refusal::NotUtf8(at) => (&rule::NOT_UTF8, format!("is not UTF-8, from byte {at} on")),
        Refusal::TooLarge(limit) => {
            (&rule::LIMIT_EXCEEDED, format!("is larger than {} MiB, and is not read", limit >> 20))
        }
        Refusal::Outside => (&rule::FILE_OUTSIDE, "leaves the workspace".into()),
        Refusal::Link => (&rule::FILE_OUTSIDE, "is a link, and links are not followed".into()),
        Refusal::Unreadable(why) => (&rule::FILE_UNREADABLE, format!("cannot be read: {why}")),
    }
}
