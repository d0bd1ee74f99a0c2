//! What AWS accepts: sizes, names, paths, tags and durations, as constants with their source and as checks.
//!
//! Where sources disagree the lowest value stands here, so that what passes is accepted in every account.
//! "IAM API model" is the service model that the AWS SDKs are generated from; "IAM quotas" is the page *IAM
//! and AWS STS quotas* of the IAM user guide.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;

use crate::document::Document;
use crate::write::to_json;

/// Characters of a role name. Source: IAM API model, `roleNameType`.
pub const ROLE_NAME: usize = 64;
/// Characters of a policy name. Source: IAM API model, `policyNameType`.
pub const POLICY_NAME: usize = 128;
/// Characters of a path. Source: IAM API model, `pathType`.
pub const PATH: usize = 512;
/// Characters of a role's description. Source: IAM API model, `roleDescriptionType`.
pub const ROLE_DESCRIPTION: usize = 1000;
/// Characters of a policy's description, which cannot be changed later. Source: IAM API model,
/// `policyDescriptionType`.
pub const POLICY_DESCRIPTION: usize = 1000;
/// Characters of a managed policy, as [`measure`] counts them. Source: IAM quotas.
pub const MANAGED_POLICY: usize = 6144;
/// Characters of all inline policies of one role together, as [`measure`] counts them. Source: IAM quotas.
pub const INLINE_POLICIES_OF_ROLE: usize = 10_240;
/// Characters of a trust policy, as [`measure`] counts them. Source: IAM quotas, the default; the sources
/// disagree on how far it can be raised (4,096 or 8,192).
pub const TRUST_POLICY: usize = 2048;
/// Managed policies attached to one role. Source: IAM quotas of 2022, the default; one source of 2026 says
/// 20.
pub const MANAGED_POLICIES_PER_ROLE: usize = 10;
/// Versions kept of one managed policy. Source: IAM quotas.
pub const VERSIONS_PER_MANAGED_POLICY: usize = 5;
/// Characters of a policy document in one request, white space included. Source: IAM API model,
/// `policyDocumentType`.
pub const POLICY_DOCUMENT_OF_REQUEST: usize = 131_072;
/// Characters of a service control policy, white space included. Source: AWS Organizations quotas since
/// 2026-05-15, as third parties report them; 5,120 before.
pub const SERVICE_CONTROL_POLICY: usize = 10_240;
/// Characters of the policy of a VPC endpoint, white space included. Source: AWS PrivateLink quotas.
pub const ENDPOINT_POLICY: usize = 20_480;
/// Bytes of the policy of a bucket, white space included. Source: S3 user guide, bucket policies ("20 KB").
pub const BUCKET_POLICY: usize = 20_480;
/// Characters of the policy of a secret. Source: Secrets Manager quotas.
pub const SECRET_POLICY: usize = 20_480;
/// Bytes of the policy of a key. Source: AWS KMS quotas ("32 KB").
pub const KEY_POLICY: usize = 32_768;
/// Tags on one resource. Source: IAM API model, `tagListType`.
pub const TAGS: usize = 50;
/// Characters of a tag key. Source: IAM API model, `tagKeyType`.
pub const TAG_KEY: usize = 128;
/// Characters of a tag value. Source: IAM API model, `tagValueType`.
pub const TAG_VALUE: usize = 256;
/// Seconds of a role's longest session. Source: IAM API model, `roleMaxSessionDurationType`.
pub const SESSION_SECONDS: RangeInclusive<u32> = 3600..=43_200;

const NAME_CHARACTERS: &str = "ASCII letters, digits and _+=,.@-";
const PATH_CHARACTERS: &str = "visible ASCII characters";
const TAG_CHARACTERS: &str = "letters, digits, spaces and _.:/=+-@";

/// The size of a document in characters, to be held against the limits of this module.
///
/// AWS leaves white space out for managed, inline and trust policies and counts it for service control
/// policies. This counts [`to_json`], which has white space inside strings only; whether AWS leaves that out
/// too is not documented, so it counts. The figure is therefore exact for service control policies and never
/// too low for the others.
#[must_use]
pub fn measure(document: &Document) -> usize {
    to_json(document).chars().count()
}

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The name of a role.
    RoleName,
    /// The name of a managed or inline policy.
    PolicyName,
    /// The path of a role or policy.
    Path,
    /// The key of a tag.
    TagKey,
    /// The value of a tag.
    TagValue,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RoleName => "role name",
            Self::PolicyName => "policy name",
            Self::Path => "path",
            Self::TagKey => "tag key",
            Self::TagValue => "tag value",
        })
    }
}

/// Why AWS would refuse a name, a path, tags or a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// The text is empty.
    Empty {
        /// What is empty.
        subject: Subject,
    },
    /// The text is too long.
    TooLong {
        /// What is too long.
        subject: Subject,
        /// Its length in characters.
        length: usize,
        /// The greatest length in characters.
        limit: usize,
    },
    /// A character is not allowed.
    Character {
        /// Where the character stands.
        subject: Subject,
        /// The character.
        character: char,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// A path is neither `/` nor between two slashes.
    PathShape,
    /// A tag key begins with `aws:`, which AWS keeps to itself.
    ReservedTagKey {
        /// The key.
        key: String,
    },
    /// Two tag keys differ in case alone, which AWS takes for a repetition.
    RepeatedTagKey {
        /// The one key.
        first: String,
        /// The other key.
        second: String,
    },
    /// There are more tags than [`TAGS`].
    TooManyTags {
        /// How many there are.
        count: usize,
    },
    /// A session duration is outside [`SESSION_SECONDS`].
    SessionSeconds {
        /// The duration in seconds.
        seconds: u32,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { subject } => write!(f, "the {subject} is empty"),
            Self::TooLong { subject, length, limit } => {
                write!(
                    f,
                    "the {subject} has {length} characters, {} more than AWS accepts",
                    length.saturating_sub(*limit)
                )
            }
            Self::Character { subject, character, allowed } => {
                write!(f, "the {subject} contains {character:?}; AWS accepts {allowed}")
            }
            Self::PathShape => {
                f.write_str("a path is `/`, or begins and ends with `/` around at least one character")
            }
            Self::ReservedTagKey { key } => {
                write!(f, "the tag key `{key}` begins with `aws:`, which is reserved")
            }
            Self::RepeatedTagKey { first, second } => {
                write!(f, "the tag keys `{first}` and `{second}` differ in case alone")
            }
            Self::TooManyTags { count } => write!(f, "{count} tags, {TAGS} at most"),
            Self::SessionSeconds { seconds } => {
                let (least, most) = (SESSION_SECONDS.start(), SESSION_SECONDS.end());
                write!(f, "a session of {seconds} seconds is not between {least} and {most}")
            }
        }
    }
}

impl Error for LimitError {}

/// Checks a role name: 1 to [`ROLE_NAME`] characters of `[\w+=,.@-]`.
///
/// AWS compares role names without case; whether a name is free is for the caller to check.
///
/// # Errors
///
/// [`LimitError::Empty`], [`LimitError::TooLong`] or [`LimitError::Character`].
pub fn check_role_name(name: &str) -> Result<(), LimitError> {
    check_name(Subject::RoleName, name, ROLE_NAME)
}

/// Checks the name of a managed or inline policy: 1 to [`POLICY_NAME`] characters of `[\w+=,.@-]`.
///
/// # Errors
///
/// [`LimitError::Empty`], [`LimitError::TooLong`] or [`LimitError::Character`].
pub fn check_policy_name(name: &str) -> Result<(), LimitError> {
    check_name(Subject::PolicyName, name, POLICY_NAME)
}

/// Checks the path of a role or policy: `/`, or visible ASCII characters between two slashes, up to [`PATH`].
///
/// # Errors
///
/// [`LimitError::Empty`], [`LimitError::TooLong`], [`LimitError::Character`] or [`LimitError::PathShape`].
pub fn check_path(path: &str) -> Result<(), LimitError> {
    let subject = Subject::Path;
    check_not_empty(subject, path)?;
    check_length(subject, path, PATH)?;
    check_characters(subject, path, |c| c.is_ascii_graphic(), PATH_CHARACTERS)?;
    let between = path.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    if path == "/" || between.is_some_and(|between| !between.is_empty()) {
        return Ok(());
    }
    Err(LimitError::PathShape)
}

/// Checks the tags of one resource: at most [`TAGS`], keys unique without regard to case and not beginning
/// with `aws:`, lengths up to [`TAG_KEY`] and [`TAG_VALUE`], and characters of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
///
/// For letters outside ASCII this is a little wider than AWS: some combining vowel signs pass here, since
/// Rust's standard library knows no narrower class than [`char::is_alphabetic`].
///
/// # Errors
///
/// The first problem in the order of the keys.
pub fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), LimitError> {
    if tags.len() > TAGS {
        return Err(LimitError::TooManyTags { count: tags.len() });
    }
    let mut seen = BTreeMap::new();
    for (key, value) in tags {
        check_tag(key, value)?;
        if let Some(first) = seen.insert(key.to_lowercase(), key) {
            return Err(LimitError::RepeatedTagKey { first: first.clone(), second: key.clone() });
        }
    }
    Ok(())
}

/// Checks that a session may last so many seconds.
///
/// # Errors
///
/// [`LimitError::SessionSeconds`].
pub fn check_session_seconds(seconds: u32) -> Result<(), LimitError> {
    if SESSION_SECONDS.contains(&seconds) {
        return Ok(());
    }
    Err(LimitError::SessionSeconds { seconds })
}

fn check_name(subject: Subject, name: &str, limit: usize) -> Result<(), LimitError> {
    check_not_empty(subject, name)?;
    check_length(subject, name, limit)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_characters(subject, name, allowed, NAME_CHARACTERS)
}

fn check_tag(key: &str, value: &str) -> Result<(), LimitError> {
    check_not_empty(Subject::TagKey, key)?;
    check_length(Subject::TagKey, key, TAG_KEY)?;
    check_length(Subject::TagValue, value, TAG_VALUE)?;
    check_characters(Subject::TagKey, key, is_tag_character, TAG_CHARACTERS)?;
    check_characters(Subject::TagValue, value, is_tag_character, TAG_CHARACTERS)?;
    if key.to_lowercase().starts_with("aws:") {
        return Err(LimitError::ReservedTagKey { key: key.to_owned() });
    }
    Ok(())
}

// `\p{Z}` is white space without its control characters, and `\p{N}` is what `is_numeric` tells.
fn is_tag_character(c: char) -> bool {
    let separator = c.is_whitespace() && !c.is_control();
    c.is_alphabetic() || c.is_numeric() || separator || "_.:/=+-@".contains(c)
}

fn check_not_empty(subject: Subject, text: &str) -> Result<(), LimitError> {
    if text.is_empty() { Err(LimitError::Empty { subject }) } else { Ok(()) }
}

// Counted in UTF-16 units, as the Java pattern of the service would: never lower than the number of
// characters.
fn check_length(subject: Subject, text: &str, limit: usize) -> Result<(), LimitError> {
    let length = text.encode_utf16().count();
    if length > limit { Err(LimitError::TooLong { subject, length, limit }) } else { Ok(()) }
}

fn check_characters(
    subject: Subject,
    text: &str,
    is_allowed: impl Fn(char) -> bool,
    allowed: &'static str,
) -> Result<(), LimitError> {
    match text.chars().find(|&c| !is_allowed(c)) {
        Some(character) => Err(LimitError::Character { subject, character, allowed }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read, to_json_pretty};

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn character(subject: Subject, result: Result<(), LimitError>) -> Option<char> {
        match result {
            Err(LimitError::Character { subject: found, character, .. }) if found == subject => {
                Some(character)
            }
            _ => None,
        }
    }

    #[test]
    fn names_are_held_to_length_and_characters() {
        for good in ["a", "A_1+=,.@-", &"x".repeat(ROLE_NAME)] {
            assert_eq!(check_role_name(good), Ok(()), "{good}");
        }
        let subject = Subject::RoleName;
        assert_eq!(check_role_name(""), Err(LimitError::Empty { subject }));
        let too_long = LimitError::TooLong { subject, length: 65, limit: 64 };
        assert_eq!(check_role_name(&"x".repeat(65)), Err(too_long));
        for bad in ['/', ' ', 'é', '*', '\n', '\0', ':', '²'] {
            assert_eq!(character(subject, check_role_name(&format!("a{bad}"))), Some(bad));
        }
        assert_eq!(check_policy_name(&"x".repeat(POLICY_NAME)), Ok(()));
        assert!(check_policy_name(&"x".repeat(POLICY_NAME + 1)).is_err());
    }

    #[test]
    fn paths_stand_between_slashes() {
        let longest = format!("/{}/", "x".repeat(PATH - 2));
        for good in ["/", "/a/", "/aipolicy/acme/", "/!~/", &longest] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for bad in ["a", "/a", "a/", "//"] {
            assert_eq!(check_path(bad), Err(LimitError::PathShape), "{bad}");
        }
        assert_eq!(check_path(""), Err(LimitError::Empty { subject: Subject::Path }));
        for bad in [' ', '\u{7f}', 'é', '\n'] {
            assert_eq!(character(Subject::Path, check_path(&format!("/a{bad}/"))), Some(bad));
        }
        assert!(matches!(check_path(&format!("{longest}/")), Err(LimitError::TooLong { length: 513, .. })));
    }

    #[test]
    fn tags_are_held_to_count_keys_and_characters() {
        assert_eq!(check_tags(&tags(&[])), Ok(()));
        assert_eq!(check_tags(&tags(&[("team", ""), ("Kosten träger_.:/=+-@", "日本 1½\u{a0}")])), Ok(()));
        let subject = Subject::TagKey;
        assert_eq!(check_tags(&tags(&[("", "x")])), Err(LimitError::Empty { subject }));
        assert_eq!(character(subject, check_tags(&tags(&[("a\tb", "x")]))), Some('\t'));
        assert_eq!(character(Subject::TagValue, check_tags(&tags(&[("a", "${x}")]))), Some('$'));
        let reserved = LimitError::ReservedTagKey { key: "Aws:x".to_owned() };
        assert_eq!(check_tags(&tags(&[("Aws:x", "")])), Err(reserved));
        let repeated = LimitError::RepeatedTagKey { first: "Team".to_owned(), second: "team".to_owned() };
        assert_eq!(check_tags(&tags(&[("team", ""), ("Team", "")])), Err(repeated));
    }

    #[test]
    fn tags_are_held_to_number_and_length() {
        let many =
            |count: usize| (0..count).map(|n| (format!("k{n}"), String::new())).collect::<BTreeMap<_, _>>();
        assert_eq!(check_tags(&many(TAGS)), Ok(()));
        assert_eq!(check_tags(&many(TAGS + 1)), Err(LimitError::TooManyTags { count: 51 }));
        let (key, value) = ("é".repeat(TAG_KEY), "é".repeat(TAG_VALUE));
        assert_eq!(check_tags(&tags(&[(&key, &value)])), Ok(()));
        assert!(check_tags(&tags(&[(&format!("{key}x"), "")])).is_err());
        assert!(check_tags(&tags(&[("k", &format!("{value}x"))])).is_err());
        assert!(matches!(
            check_tags(&tags(&[("k", &"𝒳".repeat(129))])),
            Err(LimitError::TooLong { length: 258, .. })
        ));
    }

    #[test]
    fn sessions_last_from_one_to_twelve_hours() {
        assert_eq!(check_session_seconds(3600), Ok(()));
        assert_eq!(check_session_seconds(43_200), Ok(()));
        assert_eq!(check_session_seconds(3599), Err(LimitError::SessionSeconds { seconds: 3599 }));
        assert!(check_session_seconds(43_201).is_err());
    }

    #[test]
    fn white_space_outside_strings_is_not_measured() {
        let json =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"]}]}"#;
        let document = read(json).unwrap();
        assert_eq!(measure(&document), json.len());
        assert_eq!(measure(&read(&to_json_pretty(&document)).unwrap()), json.len());
    }

    #[test]
    fn characters_are_measured_as_they_are_sent() {
        let size = |sid: &str| {
            let text = format!(
                r#"{{"Statement": {{"Sid": "{sid}", "Effect": "Deny", "Action": "*", "Resource": "*"}}}}"#
            );
            measure(&read(&text).unwrap())
        };
        let empty = size("");
        assert_eq!(
            [size("é") - empty, size("Ł") - empty, size("😀") - empty, size("a b") - empty],
            [1, 6, 12, 3]
        );
    }

    #[test]
    fn errors_say_what_aws_accepts() {
        assert_eq!(
            check_role_name("a b").unwrap_err().to_string(),
            "the role name contains ' '; AWS accepts ASCII letters, digits and _+=,.@-"
        );
        assert_eq!(
            check_role_name(&"x".repeat(70)).unwrap_err().to_string(),
            "the role name has 70 characters, 6 more than AWS accepts"
        );
    }
}
