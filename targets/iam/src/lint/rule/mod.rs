//! The rules, one file each, with the page that says what they find.

mod action_resource_mismatch;
mod allow_all_but;
mod bad_sid;
mod character_outside_latin_1;
mod deny_forgets_mantle;
mod document_over_limit;
mod duplicate_entry;
mod effective_star;
mod element_out_of_place;
mod key_missing_for_action;
mod key_without_action;
mod literal_wildcard;
mod malformed_arn;
mod malformed_policy;
mod negated_without_key;
mod open_federation;
mod open_trust;
mod passrole_broad;
mod privilege_escalation_path;
mod profile_deny_on_star;
mod resource_of_another_tenant;
mod set_operator_mismatch;
mod smuggled_variable;
mod star_on_star;
mod trust_without_source_conditions;
mod unknown_action_or_key;
mod unknown_operator;
mod vacuous_for_all_values;
mod value_of_wrong_type;
mod wildcard_across_tenants;
mod wildcard_action;
mod wildcard_resource;

use super::Rule;

/// The rule of what cannot be read at all.
pub static UNREADABLE: &Rule = &malformed_policy::RULE;

/// Every rule, by code.
pub static RULES: &[Rule] = &[
    wildcard_resource::RULE,
    wildcard_action::RULE,
    effective_star::RULE,
    trust_without_source_conditions::RULE,
    passrole_broad::RULE,
    privilege_escalation_path::RULE,
    action_resource_mismatch::RULE,
    unknown_action_or_key::RULE,
    star_on_star::RULE,
    allow_all_but::RULE,
    wildcard_across_tenants::RULE,
    resource_of_another_tenant::RULE,
    smuggled_variable::RULE,
    open_trust::RULE,
    bad_sid::RULE,
    character_outside_latin_1::RULE,
    document_over_limit::RULE,
    key_without_action::RULE,
    vacuous_for_all_values::RULE,
    negated_without_key::RULE,
    key_missing_for_action::RULE,
    deny_forgets_mantle::RULE,
    profile_deny_on_star::RULE,
    duplicate_entry::RULE,
    unknown_operator::RULE,
    value_of_wrong_type::RULE,
    malformed_arn::RULE,
    malformed_policy::RULE,
    set_operator_mismatch::RULE,
    open_federation::RULE,
    element_out_of_place::RULE,
    literal_wildcard::RULE,
];
