//! Who and what files of policies are about: roles, trust policies, policies of resources and of callers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aipolicy_iam::Policies;

use super::file::Source;
use super::role::Role;
use crate::error::CliError;

/// Policies that decide together.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) policies: Policies,
    pub(super) sources: Vec<Source>,
}

impl Subject {
    fn and(mut self, sources: Vec<Source>, add: impl Fn(Policies, &Source) -> Policies) -> Self {
        for source in sources {
            self.policies = add(self.policies, &source);
            self.sources.push(source);
        }
        self
    }
}

/// What a file or a folder of policies is about, by name: a role and its trust policy, and whatever policy no role refers
/// to, by its path in the folder.
pub(super) fn subjects(path: &Path) -> Result<BTreeMap<String, Subject>, CliError> {
    let files = if path.is_dir() { json_files(path)? } else { vec![path.to_owned()] };
    let mut subjects = BTreeMap::new();
    let mut policies = Vec::new();
    let mut attached = Vec::new();
    for file in files {
        let sources = Source::read(&file)?;
        if !sources.iter().any(Source::is_trust) {
            policies.push((file, sources));
            continue;
        }
        let role = Role::read(&file, &[])?;
        attached.extend(role.policies.iter().chain(&role.boundary).map(|source| source.file().to_owned()));
        let name = sources.iter().find_map(Source::name).map_or_else(|| shown(path, &file), str::to_owned);
        let holds = Subject::default()
            .and(role.policies, |policies, source| policies.identity(&source.label, source.document()));
        let holds =
            holds.and(role.boundary, |policies, source| policies.boundary(&source.label, source.document()));
        subjects.insert(format!("role {name}"), holds);
        let trust = sources.into_iter().filter(Source::is_trust).collect();
        subjects.insert(format!("trust of role {name}"), of_resource(trust));
    }
    for (file, sources) in policies {
        if attached.contains(&file.display().to_string()) {
            continue;
        }
        let name = if path.is_dir() { shown(path, &file) } else { "policy".to_owned() };
        let (resource, caller): (Vec<_>, Vec<_>) = sources.into_iter().partition(Source::names_principals);
        if !resource.is_empty() {
            subjects.insert(format!("{name} (of a resource)"), of_resource(resource));
        }
        if !caller.is_empty() {
            let holds = Subject::default();
            let holds =
                holds.and(caller, |policies, source| policies.identity(&source.label, source.document()));
            subjects.insert(name, holds);
        }
    }
    Ok(subjects)
}

fn of_resource(sources: Vec<Source>) -> Subject {
    Subject::default().and(sources, |policies, source| policies.resource(&source.label, source.document()))
}

fn shown(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// Every JSON file below a folder, in order.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for entry in ignore::WalkBuilder::new(folder).standard_filters(false).sort_by_file_path(Path::cmp).build()
    {
        let entry = entry.map_err(|error| CliError::tool(format!("`{}`: {error}", folder.display())))?;
        if entry.file_type().is_some_and(|kind| kind.is_file())
            && entry.path().extension().is_some_and(|end| end == "json")
        {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
