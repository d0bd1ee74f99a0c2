//! What a target is given.

use aipolicy_compiler::authorize::ApprovedGrants;
use aipolicy_compiler::model::Metadata;
use aipolicy_compiler::model::workspace::WorkspaceSpec;
use aipolicy_compiler::source::SourceMap;

use crate::artifact::Wanted;

/// Grants that Cedar approved, and the texts behind them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    pub(crate) grants: ApprovedGrants<'a>,
    pub(crate) sources: &'a SourceMap,
    pub(crate) workspace: &'a WorkspaceSpec,
    pub(crate) metadata: &'a Metadata,
    pub(crate) wanted: Wanted,
}

impl<'a> Input<'a> {
    /// The grants of an environment with the workspace that they belong to.
    pub(crate) fn of(grants: ApprovedGrants<'a>, sources: &'a SourceMap) -> Option<Self> {
        let workspace = grants.graph().bundle().workspaces.first()?;
        let (metadata, workspace) = (&workspace.metadata, &workspace.spec);
        Some(Self { grants, sources, workspace, metadata, wanted: Wanted::Documents })
    }
}
