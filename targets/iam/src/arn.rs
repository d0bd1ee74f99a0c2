//! Amazon Resource Names, built so that untrusted text can name a resource and never select others.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// An Amazon Resource Name, or a pattern of such names: `arn:partition:service:region:account:resource`.
///
/// Tenant names, bucket names and the like come from people who must not decide what a policy covers: a
/// bucket called `*`, pasted into an ARN, is every bucket, and `${aws:username}` is whoever asks. So
/// [`Arn::new`] and parsing refuse `*`, `?`, `${` and control characters, and [`Arn::pattern`] takes
/// wildcards as [`Piece`]s beside checked text. There is no way from text to a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    partition: Partition,
    service: String,
    region: String,
    account: String,
    resource: String,
}

/// A group of regions that share accounts and ARNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-us-gov`: GovCloud (US).
    AwsUsGov,
    /// `aws-cn`: China.
    AwsCn,
    /// `aws-eusc`: the European Sovereign Cloud.
    AwsEusc,
}

impl Partition {
    /// Every partition that this crate knows; the isolated (`aws-iso…`) ones are not among them.
    pub const ALL: [Self; 4] = [Self::Aws, Self::AwsUsGov, Self::AwsCn, Self::AwsEusc];

    /// The partition as ARNs write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The partition of a region by its name, such as `us-gov-west-1`; `None` for what is no region and for
    /// isolated ones.
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        let mut words = region.split('-');
        let (area, second) = (words.next()?, words.next()?);
        if !is_region(region) || second.starts_with("iso") {
            return None;
        }
        Some(match (area, second) {
            ("us", "gov") => Self::AwsUsGov,
            ("cn", _) => Self::AwsCn,
            ("eusc", _) => Self::AwsEusc,
            _ => Self::Aws,
        })
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of an ARN that names one resource. All text is taken literally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// The partition.
    pub partition: Partition,
    /// The service, such as `bedrock`: lower-case letters, digits and `-`.
    pub service: &'a str,
    /// The region, such as `eu-central-1`; empty for global resources.
    pub region: &'a str,
    /// Twelve digits, `aws` for resources that AWS owns, or empty where the service has none.
    pub account: &'a str,
    /// What follows the account, such as `agent/AGENTID`; not empty, and may contain `:`.
    pub resource: &'a str,
}

/// The parts of an ARN that stands for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternParts<'a> {
    /// The partition.
    pub partition: Partition,
    /// The service, as in [`ArnParts`]; AWS knows no wildcard here.
    pub service: &'a str,
    /// A literal region, which may be empty, or [`Piece::AnyRun`].
    pub region: Piece<'a>,
    /// A literal account, which may be empty, or [`Piece::AnyRun`].
    pub account: Piece<'a>,
    /// What follows the account, piece by piece.
    pub resource: &'a [Piece<'a>],
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// This text and no other. It may be untrusted; text that AWS would take for syntax is refused.
    Literal(&'a str),
    /// `*`: any text, also none.
    AnyRun,
    /// `?`: any one character.
    AnyOne,
    /// `${key}`: the value that a condition key, such as `aws:PrincipalTag/tenant`, has in the request. The
    /// policy must be of version 2012-10-17.
    Variable(&'a str),
}

/// Why text is no ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArnError {
    /// The text does not have the six fields of an ARN.
    Shape,
    /// The partition is not one of [`Partition::ALL`].
    Partition(String),
    /// The service is not written in lower-case letters, digits and `-`.
    Service(String),
    /// The region does not look like `eu-central-1`.
    Region(String),
    /// The region lies in another partition, so the ARN would match nothing.
    RegionOfOtherPartition {
        /// The region.
        region: String,
        /// The partition that the ARN was to have.
        partition: Partition,
    },
    /// The account is neither twelve digits, nor `aws`, nor empty.
    Account(String),
    /// The resource is empty.
    EmptyResource,
    /// The text contains what AWS takes for a wildcard or the begin of a variable.
    Syntax {
        /// The text.
        text: String,
        /// `*`, `?`, `${`, or `$` where the next piece could make it one.
        found: &'static str,
    },
    /// The text contains a control character.
    Control(char),
    /// The name of a policy variable has characters other than ASCII letters, digits and `:/._-`, or is
    /// empty.
    Variable(String),
}

impl fmt::Display for ArnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("an ARN has the form `arn:partition:service:region:account:resource`"),
            Self::Partition(text) => {
                write!(f, "`{text}` is not a partition: aws, aws-us-gov, aws-cn or aws-eusc")
            }
            Self::Service(text) => write!(f, "`{text}` is not a service: lower-case letters, digits and `-`"),
            Self::Region(text) => write!(f, "`{text}` is not a region such as `eu-central-1`"),
            Self::RegionOfOtherPartition { region, partition } => {
                write!(f, "the region `{region}` is not in the partition `{partition}`")
            }
            Self::Account(text) => write!(f, "`{text}` is not an account: twelve digits, `aws` or nothing"),
            Self::EmptyResource => f.write_str("the resource of an ARN is empty"),
            Self::Syntax { text, found } => {
                write!(f, "`{text}` contains `{found}`, which would select other resources")
            }
            Self::Control(character) => write!(f, "a resource contains the control character {character:?}"),
            Self::Variable(text) => write!(f, "`{text}` is not the name of a policy variable"),
        }
    }
}

impl Error for ArnError {}

impl Arn {
    /// The name of one resource.
    ///
    /// # Errors
    ///
    /// Any [`ArnError`] but `Shape`, `Partition` and `Variable`.
    pub fn new(parts: ArnParts<'_>) -> Result<Self, ArnError> {
        check_service(parts.service)?;
        check_region(parts.region, parts.partition)?;
        check_account(parts.account)?;
        check_literal(parts.resource)?;
        Self {
            partition: parts.partition,
            service: parts.service.to_owned(),
            region: parts.region.to_owned(),
            account: parts.account.to_owned(),
            resource: parts.resource.to_owned(),
        }
        .with_resource()
    }

    /// A pattern of names. Its literal pieces are checked as by [`Arn::new`], so they may hold untrusted
    /// text.
    ///
    /// # Errors
    ///
    /// Any [`ArnError`] but `Shape` and `Partition`; `Region` and `Account` also for pieces other than a
    /// literal and [`Piece::AnyRun`].
    pub fn pattern(parts: PatternParts<'_>) -> Result<Self, ArnError> {
        check_service(parts.service)?;
        let resource: Vec<_> = parts.resource.iter().map(written).collect::<Result<_, _>>()?;
        Self {
            partition: parts.partition,
            service: parts.service.to_owned(),
            region: field(parts.region, |region| check_region(region, parts.partition), ArnError::Region)?,
            account: field(parts.account, check_account, ArnError::Account)?,
            resource: resource.concat(),
        }
        .with_resource()
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The region, empty for global resources, `*` in patterns of any region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account, empty where the service has none, `*` in patterns of any account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// What follows the account.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether this stands for more than the resource of that very name.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        [&self.region, &self.account, &self.resource].into_iter().any(|text| syntax_in(text).is_some())
    }

    fn with_resource(self) -> Result<Self, ArnError> {
        if self.resource.is_empty() { Err(ArnError::EmptyResource) } else { Ok(self) }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    /// Parses the name of one resource; patterns are refused, as by [`Arn::new`].
    fn from_str(text: &str) -> Result<Self, ArnError> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next().ok_or(ArnError::Shape);
        let (prefix, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        if prefix != "arn" {
            return Err(ArnError::Shape);
        }
        let known = Partition::ALL.into_iter().find(|known| known.as_str() == partition);
        let partition = known.ok_or_else(|| ArnError::Partition(partition.to_owned()))?;
        Self::new(ArnParts { partition, service, region, account, resource })
    }
}

fn check_service(service: &str) -> Result<(), ArnError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if service.is_empty() || !service.bytes().all(allowed) {
        return Err(ArnError::Service(service.to_owned()));
    }
    Ok(())
}

fn check_region(region: &str, partition: Partition) -> Result<(), ArnError> {
    if region.is_empty() {
        return Ok(());
    }
    if !is_region(region) {
        return Err(ArnError::Region(region.to_owned()));
    }
    if Partition::of_region(region) != Some(partition) {
        return Err(ArnError::RegionOfOtherPartition { region: region.to_owned(), partition });
    }
    Ok(())
}

/// Two or more words of lower-case letters and a number, joined by `-`.
/// Whether a text looks like `eu-central-1`.
pub(crate) fn is_region(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((words, last)) = text.rsplit_once('-') else { return false };
    words.contains('-') && words.split('-').all(word) && number(last)
}

fn check_account(account: &str) -> Result<(), ArnError> {
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if digits || account == "aws" || account.is_empty() {
        return Ok(());
    }
    Err(ArnError::Account(account.to_owned()))
}

fn check_literal(text: &str) -> Result<(), ArnError> {
    if let Some(control) = text.chars().find(|character| character.is_control()) {
        return Err(ArnError::Control(control));
    }
    match syntax_in(text) {
        Some(found) => Err(ArnError::Syntax { text: text.to_owned(), found }),
        None => Ok(()),
    }
}

fn syntax_in(text: &str) -> Option<&'static str> {
    ["*", "?", "${"].into_iter().find(|syntax| text.contains(syntax))
}

/// A piece as it stands in a pattern. A literal must not end in `$`, which the next piece could turn into
/// `${`.
fn written(piece: &Piece<'_>) -> Result<String, ArnError> {
    match *piece {
        Piece::Literal(text) if text.ends_with('$') => {
            Err(ArnError::Syntax { text: text.to_owned(), found: "$" })
        }
        Piece::Literal(text) => check_literal(text).map(|()| text.to_owned()),
        Piece::AnyRun => Ok("*".to_owned()),
        Piece::AnyOne => Ok("?".to_owned()),
        Piece::Variable(key) => variable(key),
    }
}

// AWS also takes keys with spaces and defaults (`${key, 'default'}`); whoever needs them can widen this with
// a case.
fn variable(key: &str) -> Result<String, ArnError> {
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || ":/._-".contains(c)) {
        return Err(ArnError::Variable(key.to_owned()));
    }
    Ok(format!("${{{key}}}"))
}

fn field(
    piece: Piece<'_>,
    check: impl Fn(&str) -> Result<(), ArnError>,
    refuse: impl Fn(String) -> ArnError,
) -> Result<String, ArnError> {
    match piece {
        Piece::Literal(text) => check(text).map(|()| text.to_owned()),
        Piece::AnyRun => Ok("*".to_owned()),
        Piece::AnyOne => Err(refuse("?".to_owned())),
        Piece::Variable(key) => Err(refuse(format!("${{{key}}}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: ArnParts<'_> = ArnParts {
        partition: Partition::Aws,
        service: "bedrock",
        region: "eu-central-1",
        account: "123456789012",
        resource: "agent/A1",
    };

    fn pattern(resource: &[Piece<'_>]) -> Result<String, ArnError> {
        let parts = PatternParts {
            partition: Partition::Aws,
            service: "s3",
            region: Piece::Literal(""),
            account: Piece::Literal(""),
            resource,
        };
        Arn::pattern(parts).map(|arn| arn.to_string())
    }

    #[test]
    fn arns_of_the_reference_are_parsed_and_printed_unchanged() {
        for text in [
            "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-v2:1",
            "arn:aws:bedrock:::foundation-model/ID",
            "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.MODEL",
            "arn:aws:bedrock::123456789012:system-tool/ID",
            "arn:aws:bedrock-agentcore:us-east-1:aws:browser/ID",
            "arn:aws:iam::aws:policy/AmazonBedrockLimitedAccess",
            "arn:aws:s3:::bucket/a b/日本$folder$",
            "arn:aws:states:ap-southeast-7:123456789012:express:M:E:X",
            "arn:aws:sqs:mx-central-1:123456789012:queue",
            "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/K",
            "arn:aws-cn:s3:::b",
            "arn:aws-cn:lambda:cn-northwest-1:123456789012:function:f",
            "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:f",
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!(arn.to_string(), text);
            assert!(!arn.is_pattern(), "{text}");
        }
    }

    #[test]
    fn parsing_finds_the_parts() {
        let arn: Arn = "arn:aws:bedrock:eu-central-1:123456789012:agent/A1".parse().unwrap();
        assert_eq!(arn, Arn::new(AGENT).unwrap());
        assert_eq!(
            (arn.partition(), arn.service(), arn.region()),
            (Partition::Aws, "bedrock", "eu-central-1")
        );
        assert_eq!((arn.account(), arn.resource()), ("123456789012", "agent/A1"));
    }

    #[test]
    fn text_that_is_no_arn_is_refused() {
        for (text, expected) in [
            ("", ArnError::Shape),
            ("*", ArnError::Shape),
            ("arn:aws:s3", ArnError::Shape),
            ("ARN:aws:s3:::b", ArnError::Shape),
            ("arn:aws:s3:::", ArnError::EmptyResource),
            ("arn:aws-iso:s3:::b", ArnError::Partition("aws-iso".to_owned())),
            ("arn:*:s3:::b", ArnError::Partition("*".to_owned())),
            ("arn:aws:S3:::b", ArnError::Service("S3".to_owned())),
            ("arn:aws::::b", ArnError::Service(String::new())),
            ("arn:aws:sqs:eu-central:123456789012:q", ArnError::Region("eu-central".to_owned())),
            ("arn:aws:sqs:eu--1:123456789012:q", ArnError::Region("eu--1".to_owned())),
            ("arn:aws:sqs:*:123456789012:q", ArnError::Region("*".to_owned())),
            ("arn:aws:sqs:eu-west-1:12345678901:q", ArnError::Account("12345678901".to_owned())),
            ("arn:aws:sqs:eu-west-1:12345678901٣:q", ArnError::Account("12345678901٣".to_owned())),
            ("arn:aws:sqs:eu-west-1:*:q", ArnError::Account("*".to_owned())),
        ] {
            assert_eq!(text.parse::<Arn>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn regions_belong_to_one_partition() {
        for (region, partition) in [
            ("us-east-1", Some(Partition::Aws)),
            ("us-gov-east-1", Some(Partition::AwsUsGov)),
            ("cn-north-1", Some(Partition::AwsCn)),
            ("eusc-de-east-1", Some(Partition::AwsEusc)),
            ("us-isob-east-1", None),
            ("eu-isoe-west-1", None),
            ("unspecified", None),
            ("us-east-1a", None),
        ] {
            assert_eq!(Partition::of_region(region), partition, "{region}");
        }
        let error = ArnError::RegionOfOtherPartition {
            region: "us-gov-west-1".to_owned(),
            partition: Partition::Aws,
        };
        assert_eq!(Arn::new(ArnParts { region: "us-gov-west-1", ..AGENT }), Err(error));
        assert!(Arn::new(ArnParts { region: "us-iso-east-1", ..AGENT }).is_err());
    }

    #[test]
    fn text_never_becomes_syntax() {
        for (resource, found) in [("*", "*"), ("agent/?", "?"), ("${aws:username}", "${"), ("a${*}", "*")] {
            let error = ArnError::Syntax { text: resource.to_owned(), found };
            assert_eq!(Arn::new(ArnParts { resource, ..AGENT }), Err(error.clone()));
            assert_eq!(pattern(&[Piece::Literal(resource), Piece::AnyRun]), Err(error));
        }
        for control in ['\0', '\n', '\u{7f}', '\u{85}'] {
            assert_eq!(pattern(&[Piece::Literal(&control.to_string())]), Err(ArnError::Control(control)));
        }
    }

    #[test]
    fn pieces_do_not_join_into_syntax() {
        let error = ArnError::Syntax { text: "a$".to_owned(), found: "$" };
        assert_eq!(pattern(&[Piece::Literal("a$"), Piece::Literal("{aws:username}")]), Err(error.clone()));
        assert_eq!(pattern(&[Piece::Literal("a$"), Piece::Variable("aws:username")]), Err(error));
        assert_eq!(pattern(&[Piece::Literal("{x}")]).unwrap(), "arn:aws:s3:::{x}");
        for key in ["", "a}*", "a b", "aws:username, 'x'", "*"] {
            assert_eq!(pattern(&[Piece::Variable(key)]), Err(ArnError::Variable(key.to_owned())));
        }
    }

    #[test]
    fn patterns_are_made_of_pieces() {
        let tenant = [
            Piece::Literal("b/"),
            Piece::Variable("aws:PrincipalTag/tenant"),
            Piece::Literal("/"),
            Piece::AnyRun,
        ];
        assert_eq!(pattern(&tenant).unwrap(), "arn:aws:s3:::b/${aws:PrincipalTag/tenant}/*");
        assert_eq!(
            pattern(&[Piece::Literal("s-"), Piece::AnyOne, Piece::AnyOne]).unwrap(),
            "arn:aws:s3:::s-??"
        );
        assert_eq!(pattern(&[]), Err(ArnError::EmptyResource));
        assert_eq!(pattern(&[Piece::Literal("")]), Err(ArnError::EmptyResource));
    }

    #[test]
    fn regions_and_accounts_of_patterns_are_literal_or_any() {
        let parts = PatternParts {
            partition: Partition::Aws,
            service: "bedrock",
            region: Piece::AnyRun,
            account: Piece::Literal(""),
            resource: &[Piece::Literal("foundation-model/"), Piece::AnyRun],
        };
        let arn = Arn::pattern(parts).unwrap();
        assert_eq!(arn.to_string(), "arn:aws:bedrock:*::foundation-model/*");
        assert!(arn.is_pattern());
        let region = |region| Arn::pattern(PatternParts { region, ..parts });
        assert_eq!(region(Piece::Literal("*")), Err(ArnError::Region("*".to_owned())));
        assert_eq!(region(Piece::AnyOne), Err(ArnError::Region("?".to_owned())));
        assert!(region(Piece::Literal("cn-north-1")).is_err());
        let account = |account| Arn::pattern(PatternParts { account, ..parts });
        assert_eq!(account(Piece::Literal("*")), Err(ArnError::Account("*".to_owned())));
        assert_eq!(account(Piece::Variable("a:b")), Err(ArnError::Account("${a:b}".to_owned())));
        assert!(Arn::pattern(PatternParts { service: "*", ..parts }).is_err());
    }
}
