//! `PolicyTest`: requests, and the decisions that policies must give.

use super::macros::{record, words};
use super::reference::AnyRef;
use super::value::{Literal, Texts};
use crate::source::Spanned;

words! {
    /// What is asked for.
    pub enum Action {
        /// Invoke a model.
        InvokeModel = "invokeModel",
        /// Read from a connector.
        ReadConnector = "readConnector",
        /// Write to a connector.
        WriteConnector = "writeConnector",
        /// Call a tool.
        CallTool = "callTool",
        /// Let content come to rest.
        StoreData = "storeData",
        /// Run on a cluster.
        RunOn = "runOn",
        /// Use a namespace of a cluster.
        UseNamespace = "useNamespace",
        /// Send requests to a route.
        UseRoute = "useRoute",
        /// Have what a runtime needs around its grants.
        SupportRuntime = "supportRuntime",
        /// Hand work to another agent.
        Delegate = "delegate",
        /// Change the world.
        Change = "change",
    }
}

words! {
    /// A decision.
    pub enum Expected {
        /// Permitted.
        Allow = "allow",
        /// Refused.
        Deny = "deny",
    }
}

record! {
    /// One request and its decision.
    pub struct PolicyCase {
        /// Who asks, as `Kind/name`.
        principal: AnyRef,
        /// For what.
        action: Spanned<Action>,
        /// Of what, as `Kind/name`.
        resource: AnyRef,
        /// Under which circumstances.
        context: Texts<Literal>,
        /// The decision.
        expect: Spanned<Expected>,
    }
}

/// Requests and the decisions that policies must give.
pub type PolicyTestSpec = Vec<PolicyCase>;
