//! `aipolicy iam lint`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics, Family, Label, Severity};
use aipolicy_compiler::source::{SourceId, SourceKind, SourceMap, Span};
use aipolicy_iam::Places;
use aipolicy_iam::lint::{self, Finding, Kind, Options, Report, Rule, SyntaxError};
use ignore::WalkBuilder;
use rayon::prelude::*;

use super::file::text_of;
use crate::error::{CliError, Exit};
use crate::evaluated::NotRun;
use crate::findings::Findings;
use crate::output::Outputs;
use crate::render::Format;
use crate::ui::Ui;
use crate::workspace::verdict;

/// Finds what is wrong about policies: what AWS refuses, and what it accepts and nobody can have meant
///
/// `aipolicy iam lint role.json policies/`. Of a folder, every `*.json` file below it is read. A file holds a policy, or
/// some: what `build` writes, what `aws iam get-role`, `get-policy-version` or `get-account-authorization-details`
/// print, a template of CloudFormation. Policies that are written as text within JSON are read too. Those that AWS
/// manages, and versions that are not the default, are passed over. A policy that some role of these files has as its
/// permissions boundary allows nothing by itself, and is looked at so. Actions, resources and condition keys are compared
/// with a catalog of every service; a finding names its day. `aipolicy explain CODE` says what is meant.
///
/// Tenants are told apart by `--owner TENANT=ARN`, as often as needed: a policy that reaches what belongs to two of
/// them, or to another than its own, is found. Whose a policy is, a tag of its role says, or `--tenant`.
///
/// Exit codes: 0 clean, 1 a file or a policy cannot be read, 3 there is an error.
#[derive(clap::Args)]
pub(crate) struct Lint {
    /// Files and folders; `-` is the standard input
    #[arg(value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// What the policies are, where neither their form nor what is around them tells
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<KindWord>,
    /// Whose resources an ARN, or a pattern of ARNs, stands for; may be given several times
    #[arg(long = "owner", value_name = "TENANT=ARN", value_parser = owner)]
    owners: Vec<(String, String)>,
    /// Whose the policies are
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The key of the tag that says whose a role or policy is
    #[arg(long, value_name = "KEY", default_value = "aipolicy:tenant")]
    tenant_tag: String,
    #[command(flatten)]
    outputs: Outputs<Format>,
}

/// What a policy is attached to.
#[derive(Clone, Copy, clap::ValueEnum)]
enum KindWord {
    /// A role, user or group.
    Identity,
    /// A role, saying who may assume it.
    Trust,
    /// A bucket, queue, key or another resource.
    Resource,
    /// An account, as service control policy, or a role, as its permissions boundary.
    Ceiling,
}

/// A file and what was found in it.
struct Linted {
    path: String,
    text: String,
    report: Result<Report, SyntaxError>,
}

impl Lint {
    pub(crate) fn run(self, ui: &mut Ui) -> Result<Exit, CliError> {
        let outputs = self.outputs.checked()?;
        let files = self.files.iter().map(|path| below(path)).collect::<Result<Vec<_>, _>>()?.concat();
        let read = |path: &PathBuf| Ok((path.clone(), text_of(path)?));
        let files = files.par_iter().map(read).collect::<Result<Vec<_>, CliError>>()?;
        // A role in one file may have a policy of another as its boundary. What is no JSON is told below.
        let named = files.par_iter().flat_map(|(_, text)| lint::boundaries(text).unwrap_or_default());
        let options = Options {
            kind: self.kind.map(KindWord::kind),
            tenant: self.tenant,
            tenant_tag: self.tenant_tag,
            owners: self.owners,
            boundaries: named.collect(),
        };
        let linted: Vec<_> = files.into_par_iter().map(|file| linted(file, &options)).collect();
        each_holds_some(&self.files, &linted)?;
        let (sources, mut found) = told(&linted);
        found.sort(&sources);
        let count = |of: fn(&Report) -> usize| linted.iter().flat_map(|one| &one.report).map(of).sum();
        let mut findings = Findings::of_policies(&sources, &found, count(|report| report.policies));
        let not_run = passed_over(count(|report| report.left_out), count(|report| report.unresolved));
        findings.evaluated.not_run.extend(not_run);
        outputs.write(ui, |format, width| findings.render(format, width))?;
        Ok(verdict(&found))
    }
}

impl KindWord {
    fn kind(self) -> Kind {
        match self {
            Self::Identity => Kind::Identity,
            Self::Trust => Kind::Trust,
            Self::Resource => Kind::Resource,
            Self::Ceiling => Kind::Ceiling,
        }
    }
}

fn owner(text: &str) -> Result<(String, String), String> {
    let (tenant, arn) = text.split_once('=').ok_or("write it like `acme=arn:aws:s3:::acme-*`")?;
    if tenant.is_empty() || !arn.starts_with("arn:") {
        return Err("write it like `acme=arn:aws:s3:::acme-*`".to_owned());
    }
    Ok((tenant.to_owned(), arn.to_owned()))
}

/// A file itself, or the JSON files below a folder.
fn below(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in WalkBuilder::new(path).standard_filters(false).hidden(true).build() {
        let entry = entry.map_err(|error| CliError::tool(format!("the folder cannot be read: {error}")))?;
        let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
        if is_file && entry.path().extension().is_some_and(|extension| extension == "json") {
            files.push(entry.into_path());
        }
    }
    files.sort();
    Ok(files)
}

fn linted((path, text): (PathBuf, String), options: &Options) -> Linted {
    let report = lint::lint(&text, options);
    let path = path.strip_prefix(".").unwrap_or(&path).to_string_lossy().replace('\\', "/");
    Linted { path, text, report }
}

/// Nothing found where nothing was looked at would be no answer. A folder may hold other files too.
fn each_holds_some(asked: &[PathBuf], linted: &[Linted]) -> Result<(), CliError> {
    let has_some = |report: &Report| report.policies + report.left_out + report.unresolved > 0;
    for path in asked {
        let name = path.strip_prefix(".").unwrap_or(path).to_string_lossy().replace('\\', "/");
        let mut files = linted.iter().filter(|one| Path::new(&one.path).starts_with(&name));
        if !files.any(|one| one.report.as_ref().map_or(true, has_some)) {
            let error = CliError::usage(format!("there is no policy in `{}`", path.display()));
            return Err(error.hint("a policy is a JSON object with `Statement`"));
        }
    }
    if linted.iter().all(|one| one.report.as_ref().is_ok_and(|report| report.policies == 0)) {
        let error = CliError::usage("there is no policy that can be looked at");
        let hint = "passed over is what AWS manages, what is not the default version, and what has yet to be computed";
        return Err(error.hint(hint));
    }
    Ok(())
}

fn told(linted: &[Linted]) -> (SourceMap, Diagnostics) {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::default());
    for one in linted {
        match &one.report {
            Ok(report) if report.findings.is_empty() => {}
            Ok(report) => {
                let id = sources.add(&*one.path, &*one.text, SourceKind::Referenced);
                let pointers = report.findings.iter().map(|finding| finding.pointer.clone());
                let places = Places::of(&one.text, pointers);
                report.findings.iter().for_each(|finding| found.report(diagnostic(finding, id, &places)));
            }
            Err(error) => {
                let id = sources.add(&*one.path, &*one.text, SourceKind::Referenced);
                found.report(syntax(error, id, &one.text));
            }
        }
    }
    (sources, found)
}

fn diagnostic(finding: &Finding, id: SourceId, places: &Places) -> Diagnostic {
    let range = places.range(&finding.pointer);
    let told = of_rule(finding.rule, Span::new(id, range.start, range.end), finding.message.clone());
    told.help(finding.help.clone())
}

fn syntax(error: &SyntaxError, id: SourceId, text: &str) -> Diagnostic {
    let line: usize = text.split_inclusive('\n').take(error.line.saturating_sub(1)).map(str::len).sum();
    let mut at = (line + error.column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let told = of_rule(lint::UNREADABLE, Span::new(id, at, at), error.to_string());
    told.help("give a policy as JSON; a template or a module of Terraform has to be rendered first")
}

fn of_rule(rule: &'static Rule, span: Span, message: String) -> Diagnostic {
    let (severity, family) = match rule.severity {
        lint::Severity::Unreadable => (Severity::Mandatory, Family::Input),
        lint::Severity::Error => (Severity::Mandatory, Family::Verdict),
        lint::Severity::Warning => (Severity::Advisory, Family::Verdict),
    };
    Diagnostic {
        code: Cow::Borrowed(rule.code),
        name: Cow::Borrowed(rule.name),
        severity,
        family,
        message,
        primary: Label { span, text: String::new() },
        related: Vec::new(),
        note: None,
        help: None,
        about: None,
        waived: None,
    }
}

fn passed_over(left_out: usize, unresolved: usize) -> Vec<NotRun> {
    let of_aws =
        (left_out > 0).then(|| NotRun::new(policies(left_out), "managed by AWS, or not the default version"));
    let why = "CloudFormation has yet to compute a value";
    let computed = (unresolved > 0).then(|| NotRun::new(policies(unresolved), why));
    of_aws.into_iter().chain(computed).collect()
}

fn policies(many: usize) -> String {
    if many == 1 { "1 policy".to_owned() } else { format!("{many} policies") }
}
