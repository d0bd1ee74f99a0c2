//! Condition keys: what a request can say, and as what.

use std::collections::BTreeMap;

use crate::pattern::Pattern;

/// A condition key, or a family of them such as `aws:PrincipalTag/${TagKey}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionKey {
    /// The name as AWS writes it. A part that stands for many is `${TagKey}`, `<key>` or `tag-key`.
    pub name: &'static str,
    /// What a value is.
    pub value: ValueType,
    /// Whether a request may have several values, as `aws:TagKeys` has.
    pub many: bool,
}

/// What a value of a condition key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// Any text.
    String,
    /// An Amazon Resource Name.
    Arn,
    /// `true` or `false`.
    Bool,
    /// A number.
    Numeric,
    /// A moment: an ISO 8601 date, or seconds since 1970.
    Date,
    /// An address or a range of addresses.
    IpAddress,
}

impl ConditionKey {
    pub(super) fn read(name: &'static str, kind: &str) -> Option<Self> {
        let (many, kind) = kind.strip_prefix("ArrayOf").map_or((false, kind), |kind| (true, kind));
        let value = match kind {
            "String" => ValueType::String,
            "ARN" => ValueType::Arn,
            "Bool" => ValueType::Bool,
            "Numeric" => ValueType::Numeric,
            "Date" => ValueType::Date,
            "IPAddress" => ValueType::IpAddress,
            _ => return None,
        };
        Some(Self { name, value, many })
    }

    /// Whether this is a family of keys.
    #[must_use]
    pub fn is_family(&self) -> bool {
        self.name.contains(['$', '<']) || self.name.ends_with("tag-key")
    }

    /// Whether a name is this key, or one of this family. Case makes no difference, as to AWS.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        if !self.is_family() {
            return self.name.eq_ignore_ascii_case(name);
        }
        Pattern::action(&self.pattern()).matches(name, |_| None)
    }

    /// A name of this key as AWS writes it; of a family, with the part that is its own as it is.
    pub(crate) fn spelled(&self, name: &str) -> String {
        if !self.is_family() {
            return self.name.to_owned();
        }
        let common = self.name.strip_suffix("tag-key").unwrap_or(self.name);
        let common = common.split(['$', '<']).next().unwrap_or_default();
        format!("{common}{}", name.get(common.len()..).unwrap_or_default())
    }

    /// The name with `*` for each part that stands for many.
    fn pattern(&self) -> String {
        let mut pattern = String::new();
        let mut rest =
            self.name.strip_suffix("tag-key").map_or(self.name.to_owned(), |head| format!("{head}*"));
        while let Some(at) = rest.find(['$', '<']) {
            let (before, inside) = rest.split_at(at);
            let Some((_, after)) = inside.split_once(['}', '>']) else { break };
            pattern.push_str(before);
            pattern.push('*');
            rest = after.to_owned();
        }
        pattern + &rest
    }
}

/// Condition keys that are found by name.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By name in lower case.
    single: BTreeMap<String, ConditionKey>,
    families: Vec<(Pattern, ConditionKey)>,
}

impl Keys {
    pub(super) fn add(&mut self, key: ConditionKey) {
        if key.is_family() {
            self.families.push((Pattern::action(&key.pattern()), key));
        } else {
            self.single.insert(key.name.to_ascii_lowercase(), key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ConditionKey> {
        self.single.values().chain(self.families.iter().map(|(_, key)| key))
    }

    pub(super) fn find(&self, name: &str) -> Option<&ConditionKey> {
        let family = || self.families.iter().find(|(pattern, _)| pattern.matches(name, |_| None));
        self.single.get(&name.to_ascii_lowercase()).or_else(|| family().map(|(_, key)| key))
    }

    /// The key of this very name, families by their own name too.
    pub(super) fn named(&self, name: &str) -> Option<&ConditionKey> {
        let single = self.single.get(&name.to_ascii_lowercase());
        single.or_else(|| self.families.iter().map(|(_, key)| key).find(|key| key.name == name))
    }
}
