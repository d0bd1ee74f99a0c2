//! Content in connectors: where it is processed or kept, with its copies and what it is made from.

use super::path::Node;
use super::{Content, Flow, Way, step};
use crate::model::Id;
use crate::model::connector::{ConnectorKind, ConnectorSpec};
use crate::model::reference::Ref;

impl<'g> Flow<'g> {
    /// What a connector does with content: its region, the regions of its copies, and what a knowledge base is made from.
    pub(super) fn uses(
        &mut self,
        content: Content,
        (what, connector): (&'static str, &'g Ref<ConnectorSpec>),
    ) -> Option<Way<'g>> {
        self.uses_after(content, (what, connector), &mut Vec::new())
    }

    fn uses_after(
        &mut self,
        content: Content,
        (what, connector): (&'static str, &'g Ref<ConnectorSpec>),
        before: &mut Vec<Id<ConnectorSpec>>,
    ) -> Option<Way<'g>> {
        let id = connector.id()?;
        let found = self.graph.resource(id)?;
        let here = step(what, found.name().as_str(), connector.name.span);
        if before.contains(&id) {
            self.endless.push(here);
            return None;
        }
        let content = content.declared(&found.spec.data_class);
        let region = &found.spec.region;
        let mut next =
            vec![self.rests(content, step(held(&found.spec.kind), "", region.span), region.value.as_str())];
        let copies = found.spec.backup.iter().flat_map(|backup| &backup.regions);
        next.extend(
            copies
                .map(|region| self.rests(content, step("is copied", "", region.span), region.value.as_str())),
        );
        if let ConnectorKind::KnowledgeBase(base) = &found.spec.kind {
            before.push(id);
            for source in &base.sources {
                next.extend(self.uses_after(content, ("is made from connector", source), before));
            }
            before.pop();
        }
        Some(Node::new(here, next))
    }
}

/// What a connector does with content in its region.
fn held(kind: &ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::S3(_)
        | ConnectorKind::DynamoDb(_)
        | ConnectorKind::SecretsManager(_)
        | ConnectorKind::OpenSearch(_)
        | ConnectorKind::S3Vectors(_)
        | ConnectorKind::KnowledgeBase(_)
        | ConnectorKind::Sqs(_) => "is kept",
        ConnectorKind::Lambda(_)
        | ConnectorKind::StepFunctions(_)
        | ConnectorKind::Http(_)
        | ConnectorKind::Mcp(_) => "is processed",
    }
}
