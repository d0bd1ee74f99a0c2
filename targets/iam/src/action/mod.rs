//! The catalog of actions: what each service can be asked, on what, under which condition keys.
//!
//! The data is the Service Authorization Reference of AWS; `data/README.md` says where it comes from and how it is
//! refreshed. A service is read when it is first asked for.
//!
//! ```
//! use aipolicy_iam::action::{Level, action, actions_matching};
//!
//! let invoke = action("bedrock:InvokeModel").unwrap();
//! assert_eq!(invoke.level, Level::Read);
//! assert!(invoke.key("bedrock:GuardrailIdentifier").is_some());
//! let agent = invoke.resource_types().any(|kind| kind.overlaps("arn:aws:bedrock:eu-central-1:123456789012:agent/*"));
//! assert!(!agent);
//! assert_eq!(actions_matching("sqs:*eQueue").len(), 3);
//! ```

mod data;
mod key;
mod resource;
mod service;

use crate::pattern::Pattern;

pub use data::Source;
pub use key::{ConditionKey, ValueType};
pub use resource::ResourceType;
pub(crate) use resource::overlap;
pub use service::{Action, Level, On, Service};

/// Where the catalog comes from.
#[must_use]
pub fn source() -> &'static Source {
    &data::CATALOG.source
}

/// Every service, in the order of their prefixes. This reads the whole catalog.
pub fn services() -> impl Iterator<Item = &'static Service> {
    data::CATALOG.services.values().map(data::Section::service)
}

/// The service with this prefix, such as `s3`. Case makes no difference, as to AWS.
#[must_use]
pub fn service(prefix: &str) -> Option<&'static Service> {
    let section = match data::CATALOG.services.get(prefix) {
        Some(section) => section,
        None => data::CATALOG.services.get(prefix.to_ascii_lowercase().as_str())?,
    };
    Some(section.service())
}

/// The action of this name, such as `s3:GetObject`. Case makes no difference, as to AWS.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

/// The actions that a pattern of `Action` stands for, in the order of the catalog; none where nobody knows one.
#[must_use]
pub fn actions_matching(pattern: &str) -> Vec<&'static Action> {
    let is_plain = |text: &str| !text.contains(['*', '?']);
    match pattern.split_once(':') {
        Some((prefix, name)) if is_plain(prefix) && is_plain(name) => action(pattern).into_iter().collect(),
        Some((prefix, name)) if is_plain(prefix) => {
            service(prefix).map(|service| service.actions_matching(name)).unwrap_or_default()
        }
        Some(_) | None => {
            let wanted = Pattern::action(pattern);
            let all = services().flat_map(Service::actions);
            all.filter(|action| wanted.matches(&action.to_string(), |_| None)).collect()
        }
    }
}

/// The condition keys of every service (`aws:…`, and what describes a session), as "AWS global condition context keys"
/// lists them.
pub fn global_keys() -> impl Iterator<Item = &'static ConditionKey> {
    data::CATALOG.global.iter()
}

/// The condition key of every service that this name is one of, such as `aws:PrincipalTag/team`. Case makes no
/// difference, as to AWS.
#[must_use]
pub fn global_key(name: &str) -> Option<&'static ConditionKey> {
    data::CATALOG.global.find(name)
}

/// The condition key of this name, of every service or of the one that its prefix names.
pub(crate) fn condition_key(name: &str) -> Option<&'static ConditionKey> {
    let of_service = || service(name.split_once(':')?.0)?.key(name);
    global_key(name).or_else(of_service)
}

#[cfg(test)]
mod tests;
