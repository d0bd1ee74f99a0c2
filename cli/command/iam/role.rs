//! Roles in files: what they hold, and the files of their managed policies.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::file::{Source, text_of};
use crate::error::CliError;

/// What a role may do by itself.
pub(super) struct Role {
    pub(super) policies: Vec<Source>,
    pub(super) boundary: Vec<Source>,
    /// Its ARN, where the file says enough.
    pub(super) arn: Option<String>,
}

/// A role as AWS describes it, and as `build` does.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    role_name: String,
    path: Option<String>,
    arn: Option<String>,
    #[serde(default)]
    attached_managed_policies: Vec<Reference>,
    permissions_boundary: Option<Reference>,
}

/// A managed policy that the role refers to.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Arn(String),
    Attached {
        #[serde(rename = "PolicyArn", alias = "PermissionsBoundaryArn")]
        arn: String,
    },
}

impl Reference {
    fn arn(&self) -> &str {
        match self {
            Self::Arn(arn) | Self::Attached { arn } => arn,
        }
    }

    fn name(&self) -> &str {
        self.arn().rsplit('/').next().unwrap_or_default()
    }
}

impl Role {
    /// Reads a role. Its managed policies are looked for among the files that are handed in, and then in the folder
    /// `Policy` beside that of the role.
    pub(super) fn read(path: &Path, handed_in: &[PathBuf]) -> Result<Self, CliError> {
        let unreadable = |error: serde_json::Error| {
            let error = CliError::usage(format!("`{}` is no role: {error}", path.display()));
            error.hint("a role is what `build` writes below `iam/Role`, or what `aws iam get-role` prints")
        };
        let mut value: Value = serde_json::from_str(&text_of(path)?).map_err(unreadable)?;
        let inner = value.get_mut("Role").map(Value::take);
        let role: Described = serde_json::from_value(inner.unwrap_or(value)).map_err(unreadable)?;
        let inline = Source::read(path)?.into_iter().filter(|source| !source.is_trust());
        let mut policies: Vec<_> = inline.collect();
        let mut boundary = Vec::new();
        for attached in &role.attached_managed_policies {
            if !handed_in.iter().any(|file| file.file_stem().is_some_and(|stem| stem == attached.name())) {
                policies.extend(managed(path, attached)?);
            }
        }
        if let Some(bounding) = &role.permissions_boundary {
            boundary.extend(managed(path, bounding)?);
        }
        Ok(Self { policies, boundary, arn: role.full_name() })
    }
}

impl Described {
    fn full_name(&self) -> Option<String> {
        if self.arn.is_some() {
            return self.arn.clone();
        }
        let prefix = self.attached_managed_policies.iter().find_map(|attached| {
            let (prefix, _) = attached.arn().split_once(":policy/")?;
            prefix.chars().last()?.is_ascii_digit().then_some(prefix)
        })?;
        Some(format!("{prefix}:role{}{}", self.path.as_deref().unwrap_or("/"), self.role_name))
    }
}

fn managed(role: &Path, reference: &Reference) -> Result<Vec<Source>, CliError> {
    let folder = role.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let file = folder.join("Policy").join(format!("{}.json", reference.name()));
    if !file.is_file() {
        let message = format!("`{}` has the policy `{}`, which is not here", role.display(), reference.arn());
        let hint = format!("hand in its document: `--identity {}.json`", reference.name());
        return Err(CliError::usage(message).hint(hint));
    }
    Source::read(&file)
}
