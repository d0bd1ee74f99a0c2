//! The table of findings that are not checks: each with its code, its name and its page.

use crate::diagnostic::{Family, Rule, Severity};

macro_rules! rules {
    ($($constant:ident = $code:literal $name:literal $family:ident;)+) => {
        $(
            #[doc = concat!("`", $code, "`, `", $name, "`.")]
            pub static $constant: Rule = Rule {
                code: $code,
                name: $name,
                severity: Severity::Mandatory,
                family: Family::$family,
                page: include_str!(concat!($name, ".md")),
            };
        )+

        /// Every rule of this table, by code.
        pub static RULES: &[&Rule] = &[$(&$constant),+];
    };
}

rules! {
    YAML_SYNTAX = "AIP-YML-001" "yaml-syntax" Input;
    LIMIT_EXCEEDED = "AIP-YML-002" "limit-exceeded" Input;
    YAML_FEATURE = "AIP-YML-003" "yaml-feature" Input;
    DUPLICATE_KEY = "AIP-YML-004" "duplicate-key" Input;
    FORBIDDEN_CHARACTER = "AIP-YML-005" "forbidden-character" Input;
    NOT_UTF8 = "AIP-YML-006" "not-utf8" Input;
    UNKNOWN_FIELD = "AIP-LNG-001" "unknown-field" Input;
    MISSING_FIELD = "AIP-LNG-002" "missing-field" Input;
    WRONG_TYPE = "AIP-LNG-003" "wrong-type" Input;
    BAD_VALUE = "AIP-LNG-004" "bad-value" Input;
    MISSING_UNIT = "AIP-LNG-005" "missing-unit" Input;
    OUT_OF_RANGE = "AIP-LNG-006" "out-of-range" Input;
    UNKNOWN_KIND = "AIP-LNG-007" "unknown-kind" Input;
    API_VERSION = "AIP-LNG-008" "unknown-api-version" Input;
    EXACTLY_ONE = "AIP-LNG-009" "exactly-one" Input;
    MISSING_VALUE = "AIP-LNG-010" "missing-value" Input;
    DUPLICATE_RESOURCE = "AIP-LNG-011" "duplicate-resource" Input;
    NO_RESOURCES = "AIP-LNG-012" "no-resources" Input;
    WORKSPACE_COUNT = "AIP-LNG-013" "workspace-count" Input;
    UNRESOLVED_REFERENCE = "AIP-REF-001" "unresolved-reference" Input;
    FILE_UNREADABLE = "AIP-REF-002" "file-unreadable" Input;
    FILE_OUTSIDE = "AIP-REF-003" "file-outside-workspace" Input;
    UNKNOWN_RULE = "AIP-REF-004" "unknown-rule" Input;
    FIXED_RULE = "AIP-REF-005" "fixed-rule" Input;
    INLINE_SECRET = "AIP-DAT-015" "inline-secret" Verdict;
    POLICY_SYNTAX = "AIP-POL-001" "policy-syntax" Input;
    POLICY_INVALID = "AIP-POL-002" "policy-invalid" Input;
    POLICY_NESTING = "AIP-POL-003" "policy-nesting" Input;
    POLICY_ERROR = "AIP-POL-004" "policy-error" Verdict;
    NOT_PERMITTED = "AIP-POL-005" "not-permitted" Verdict;
    POLICY_ID = "AIP-POL-006" "policy-id" Input;
    FORBIDDEN = "AIP-POL-007" "forbidden" Verdict;
    PACK_MISSING = "AIP-POL-008" "pack-missing" Input;
    NO_POLICIES = "AIP-POL-009" "no-policies" Input;
    TEST_UNCLEAR = "AIP-POL-010" "policy-test-unclear" Input;
    UNSUPPORTED = "AIP-CMP-002" "control-unsupported-on-target" Verdict;
    APPROXIMATED = "AIP-CMP-008" "control-approximated-on-target" Verdict;
    NOT_CARRIED = "AIP-CMP-009" "control-without-target" Verdict;
    UNOWNED = "AIP-CMP-006" "unowned-target-object" Verdict;
    CHANGED_OUTSIDE = "AIP-CMP-010" "changed-outside" Verdict;
    NAME_COLLISION = "AIP-CMP-003" "name-join-miss" Verdict;
    TARGET_LIMIT = "AIP-CMP-001" "target-limit-exceeded" Verdict;
    POLICY_SIZE = "AIP-IAM-009" "policy-size-over-limit" Verdict;
    CONTENT_LEAVES = "AIP-PRV-001" "content-leaves" Verdict;
    PERMISSION_UNNEEDED = "AIP-PRV-002" "permission-unneeded" Verdict;
    PERMISSION_MISSING = "AIP-PRV-003" "permission-missing" Verdict;
    NOT_PROVEN = "AIP-PRV-004" "not-proven" Verdict;
}

/// What is found when a plan is made, and at no other time.
pub static OF_PLANS: &[&Rule] = &[&FORBIDDEN, &UNOWNED, &CHANGED_OUTSIDE];

/// What is found when residency is proven.
pub static OF_RESIDENCY: &[&Rule] = &[&CONTENT_LEAVES, &NOT_PROVEN];

/// What is found when least privilege is proven.
pub static OF_PRIVILEGE: &[&Rule] = &[&PERMISSION_UNNEEDED, &PERMISSION_MISSING, &NOT_PROVEN];
