//! A generated case, as we and as the simulator are asked about it.

use aipolicy_iam::{Caller, Context, Decision, Document, Policies, Request, read};
use serde_json::{Map, Value, json};

/// Everything that decides, in JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) principal: String,
    /// The account of the resource.
    pub(crate) owner: String,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Map<String, Value>,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Option<Value>,
    pub(crate) service_control: Vec<Vec<Value>>,
    pub(crate) resource_control: Vec<Vec<Value>>,
    pub(crate) resource_policy: Option<Value>,
}

/// What is decided, in the words of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Allowed,
    ExplicitlyDenied,
    ImplicitlyDenied,
}

fn document(policy: &Value) -> Document {
    read(&policy.to_string()).unwrap_or_else(|errors| panic!("{policy}: {errors:?}"))
}

impl Case {
    /// Every policy.
    pub(super) fn documents(&mut self) -> impl Iterator<Item = &mut Value> {
        let single = self.boundary.iter_mut().chain(&mut self.session).chain(&mut self.resource_policy);
        let levels = self.service_control.iter_mut().chain(&mut self.resource_control).flatten();
        self.identity.iter_mut().chain(single).chain(levels)
    }

    /// Whether the request has the condition key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.context.keys().any(|there| there.eq_ignore_ascii_case(key))
    }

    /// Whether every variable in the text has a value or a default.
    pub(super) fn resolves(&self, text: &str) -> bool {
        let variables = text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        variables.into_iter().all(|name| name == "*" || name.contains(',') || self.has(name))
    }

    /// The request in our types.
    pub(super) fn request(&self) -> Request {
        let values = |value: &Value| -> Vec<String> {
            let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let context: Context = self.context.iter().map(|(key, value)| (key, values(value))).collect();
        let caller = match self.principal.ends_with(".amazonaws.com") {
            true => Caller::service(&self.principal),
            false => Caller::aws(&self.principal),
        };
        Request {
            principal: Some(caller),
            action: self.action.clone(),
            resource: self.resource.clone(),
            context,
        }
    }

    /// The policies in our types.
    pub(super) fn policies(&self) -> Policies {
        let mut policies = Policies::default();
        for policy in &self.identity {
            policies = policies.identity("identity", &document(policy));
        }
        if let Some(policy) = &self.boundary {
            policies = policies.boundary("boundary", &document(policy));
        }
        if let Some(policy) = &self.session {
            policies = policies.session("session", &document(policy));
        }
        if let Some(policy) = &self.resource_policy {
            policies = policies.resource("resource", &document(policy));
        }
        for level in &self.service_control {
            let level: Vec<_> = level.iter().map(document).collect();
            policies = policies.service_control(level.iter().map(|policy| ("scp", policy)));
        }
        // AWS attaches this policy to every level, and the simulator adds it.
        let full = document(
            &json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}),
        );
        for level in &self.resource_control {
            let level: Vec<_> = level.iter().map(document).chain([full.clone()]).collect();
            policies = policies.resource_control(level.iter().map(|policy| ("rcp", policy)));
        }
        policies
    }

    /// What we decide.
    pub(crate) fn ours(&self) -> Verdict {
        match self.policies().decide(&self.request()) {
            Decision::Allowed { .. } => Verdict::Allowed,
            Decision::ExplicitDeny { .. } => Verdict::ExplicitlyDenied,
            Decision::ImplicitDeny { .. } => Verdict::ImplicitlyDenied,
            Decision::Undecided(why) => panic!("{why}: {self:#?}"),
        }
    }

    /// The case as the simulator reads it.
    pub(super) fn simulation(&self) -> Value {
        let named = |policies: &[Value]| -> Vec<Value> {
            let named = policies.iter().enumerate();
            named.map(|(number, policy)| json!({"name": format!("p{number}"), "policy": policy})).collect()
        };
        let levels = |levels: &[Vec<Value>]| -> Vec<Value> {
            let level = |(number, level): (usize, &Vec<Value>)| json!({"orgIdentifier": format!("ou-{number}"), "policies": named(level)});
            levels.iter().enumerate().map(level).collect()
        };
        let mut simulation = json!({
            "request": {
                "principal": self.principal,
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": self.owner},
                "contextVariables": self.context,
            },
            "identityPolicies": named(&self.identity),
            "serviceControlPolicies": levels(&self.service_control),
            "resourceControlPolicies": levels(&self.resource_control),
        });
        if let Some(policy) = &self.boundary {
            simulation["permissionBoundaryPolicies"] = json!(named(std::slice::from_ref(policy)));
        }
        if let Some(policy) = &self.session {
            simulation["sessionPolicy"] = policy.clone();
        }
        if let Some(policy) = &self.resource_policy {
            simulation["resourcePolicy"] = policy.clone();
        }
        simulation
    }
}
