//! The role with which Bedrock writes the log of invocations, where that is a log group.

use aipolicy_compiler::ir::{Circumstances, Object};
use aipolicy_compiler::model::data_store::StoreKind;
use aipolicy_iam::Piece;

use super::Writer;
use super::gate::{WRITE_LOG, support};
use crate::artifact::Artifact;
use crate::origin::Origin;

/// The stream that Bedrock writes to. Source: Bedrock user guide, model invocation logging.
const STREAM: &str = "aws/bedrock/modelinvocations";

impl Writer<'_> {
    /// The role, which may write to the one stream in the group.
    pub(super) fn invocations(&mut self) -> Vec<Artifact> {
        self.invocation_log().unwrap_or_default()
    }

    fn invocation_log(&mut self) -> Option<Vec<Artifact>> {
        let account = self.account;
        let named = account.environment.spec.logging.as_ref()?.invocations.as_ref()?;
        let id = named.id()?;
        let grant = self.grants.iter().find(|grant| {
            let request = &grant.decision.request;
            request.object == Object::DataStore(id) && request.circumstances == Circumstances::Support("logs")
        })?;
        let granted = Origin::granted(*grant);
        let store = &account.graph().get(named)?.spec;
        let StoreKind::CloudWatch(group) = &store.kind else { return None };
        let (region, group) = (store.region.value.as_str(), &group.log_group);
        let pieces = ["log-group:", group.value.as_str(), ":log-stream:", STREAM].map(Piece::Literal);
        let stream = self.pattern("logs", (region, account.id()), (&pieces, group.span))?;
        let place = Origin::written(group.span);
        let allow = support("Log invocations", WRITE_LOG, (stream, place.clone()), granted.clone());
        let source = self.pattern("bedrock", (region, account.id()), (&[Piece::AnyRun], group.span))?;
        let trust = self.service("bedrock.amazonaws.com", vec![source], place);
        Some(self.documents(&["invocations"], (&trust, &[allow]), &granted))
    }
}
