//! An agent of either runtime, with what was granted to it, and what both say of its memory.

use std::ops::RangeInclusive;

use aipolicy_compiler::authorize::Grant;
use aipolicy_compiler::diagnostic::{Diagnostic, Diagnostics};
use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::agent::AgentSpec;
use aipolicy_compiler::source::Span;

use super::request::Members;
use super::shared::function;
use super::tool::Call;
use crate::account::Account;
use crate::artifact::Address;
use crate::origin::Origin;
use crate::tree::Tree;

/// An agent that may run here.
pub(super) struct Agent<'a> {
    pub(super) account: &'a Account<'a>,
    pub(super) resource: &'a Resource<AgentSpec>,
    /// Everything that it was granted.
    pub(super) grants: &'a [Grant<'a>],
    pub(super) calls: &'a [Call<'a>],
    /// The grant of its role, which is there because the agent is.
    pub(super) origin: Origin,
}

/// What a function needs to know of an agent to start it, as variables of its environment.
pub(super) struct Started {
    pub(super) variables: Members,
    pub(super) needs: Vec<Address>,
    /// What it has to know to send a share of the sessions to a version that is tried.
    pub(super) canary: Option<Tree>,
}

/// How a runtime refuses: a place, what it cannot do, and what helps.
pub(super) type Refusal = fn(Span, &str, &str) -> Diagnostic;

impl<'a> Agent<'a> {
    pub(super) fn spec(&self) -> &'a AgentSpec {
        &self.resource.spec
    }

    pub(super) fn name(&self) -> &'a str {
        self.resource.name().as_str()
    }

    /// Where its requests are sent.
    pub(super) fn region(&self) -> (String, Origin) {
        (
            self.account.region_of(self.resource).to_owned(),
            function::region_origin(self.account, self.resource),
        )
    }

    /// For how many days its memory keeps what was said, with the line that says so; what the runtime cannot keep, or
    /// not there, is refused.
    pub(super) fn remembers(
        &self,
        possible: &RangeInclusive<u64>,
        refusal: Refusal,
        out: &mut Diagnostics,
    ) -> Option<(u64, Origin)> {
        let memory = self.spec().memory.as_ref()?;
        let own = self.account.region_of(self.resource);
        if let Some(region) = memory.region.as_ref().filter(|region| region.value.as_str() != own) {
            let message = format!("an agent in {own} keeps its memory there");
            out.report(refusal(region.span, &message, "leave `region` out, or give it to the agent"));
        }
        let Some(retention) = &memory.retention else {
            let message = "a memory needs a `retention`";
            out.report(refusal(self.resource.name_span(), message, "add `memory: { retention: 30d }`"));
            return None;
        };
        let days = retention.value.days();
        if !possible.contains(&days) || retention.value.seconds() != days * 86_400 {
            let (least, most) = (possible.start(), possible.end());
            let message = format!("a memory keeps what was said for {least} to {most} whole days");
            out.report(refusal(retention.span, &message, "choose another `retention`"));
            return None;
        }
        Some((days, Origin::written(retention.span)))
    }
}
