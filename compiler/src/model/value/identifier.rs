//! Names of resources, regions, jurisdictions, accounts and ARNs, and ranges of addresses.

use schemars::{Schema, json_schema};

use super::{Fault, Scalar, pattern, scalars};
use crate::catalog::Catalog;
use crate::yaml::nearest;

scalars!(Name, Region, Jurisdiction, AccountId, Arn, Cidr, DottedPath);

/// The name of a resource: a DNS label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`", self.0)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Scalar for Name {
    const WANTED: &'static str = "a name: 1 to 63 small letters, digits and inner hyphens";

    fn parse(text: &str) -> Result<Self, Fault> {
        if let Some(letter) = text.chars().find(|letter| !letter.is_ascii()) {
            let message =
                format!("`{text}` contains `{letter}`, and names are ASCII so that none looks like another");
            return Err(Fault::bad(message));
        }
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let sound = (1..=63).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if sound { Ok(Self(text.to_owned())) } else { Err(Fault::bad(format!("`{text}` is not a name"))) }
    }

    fn schema() -> Schema {
        pattern::<Self>("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    }
}

/// A region of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

impl Region {
    /// The id, for instance `eu-central-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Scalar for Region {
    const WANTED: &'static str = "a region such as `eu-central-1`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let catalog = Catalog::shipped();
        if catalog.region(text).is_some() {
            return Ok(Self(text.to_owned()));
        }
        let fault = Fault::bad(format!("`{text}` is not a region of the catalog"));
        Err(match nearest(text, catalog.regions().map(|region| region.id.as_str())) {
            Some(near) => fault.help(format!("`{near}` is the nearest")),
            None => fault,
        })
    }

    fn schema() -> Schema {
        let regions: Vec<_> = Catalog::shipped().regions().map(|region| region.id.clone()).collect();
        json_schema!({ "description": super::capital(Self::WANTED), "enum": regions })
    }
}

/// A jurisdiction of the catalog: a country, or a bloc such as `eu`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Jurisdiction(String);

impl Jurisdiction {
    /// The id, for instance `eu` or `ch`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for Jurisdiction {
    const WANTED: &'static str = "a jurisdiction such as `eu` or `ch`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let known = Catalog::shipped().jurisdictions();
        if known.contains(text) {
            return Ok(Self(text.to_owned()));
        }
        let known: Vec<_> = known.into_iter().collect();
        let help = format!("known ones are {}", crate::yaml::list(&known));
        Err(Fault::bad(format!("`{text}` is not a jurisdiction of the catalog")).help(help))
    }

    fn schema() -> Schema {
        let known: Vec<_> = Catalog::shipped().jurisdictions().into_iter().collect();
        json_schema!({ "description": super::capital(Self::WANTED), "enum": known })
    }
}

/// The number of an AWS account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for AccountId {
    const WANTED: &'static str = "an account number as text: twelve digits in quotes";

    fn parse(text: &str) -> Result<Self, Fault> {
        let sound = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault::bad(format!("`{text}` is not an account number")))
        }
    }

    fn schema() -> Schema {
        pattern::<Self>("^[0-9]{12}$")
    }
}

/// The ARN of one thing. Wildcards and variables are refused: an ARN in a resource names exactly one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arn(String);

impl Arn {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of the six parts, from 0 (`arn`) to 5 (the resource).
    pub fn part(&self, at: usize) -> &str {
        self.0.splitn(6, ':').nth(at).unwrap_or("")
    }
}

impl Scalar for Arn {
    const WANTED: &'static str = "an ARN such as `arn:aws:kms:eu-central-1:111122223333:key/…`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not an ARN"));
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
            return Err(bad());
        };
        let word = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let known = matches!(*partition, "aws" | "aws-us-gov" | "aws-cn" | "aws-eusc");
        let owned = account.is_empty() || AccountId::parse(account).is_ok();
        let visible = resource.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if !known
            || service.is_empty()
            || !word(service)
            || !word(region)
            || !owned
            || !visible
            || resource.is_empty()
        {
            return Err(bad());
        }
        if resource.contains(['*', '?', '$', '{', '}']) {
            return Err(
                Fault::bad(format!("`{text}` contains a wildcard or a variable")).help("name one resource")
            );
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Schema {
        pattern::<Self>(
            "^arn:(aws|aws-us-gov|aws-cn|aws-eusc):[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[!-#%-)+->@-z|~]+$",
        )
    }
}

/// A range of IPv4 addresses in CIDR notation. Bits behind the prefix are zero, so that a range has one notation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr(String);

impl Cidr {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for Cidr {
    const WANTED: &'static str = "a range of addresses such as `10.20.0.0/16`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = || Fault::bad(format!("`{text}` is not a range of IPv4 addresses"));
        let (written, bits) = text.split_once('/').ok_or_else(bad)?;
        let bits = number(bits).filter(|bits| *bits <= 32).ok_or_else(bad)?;
        let octets: Option<Vec<_>> = written.split('.').map(number).collect();
        let octets: [u8; 4] = octets.and_then(|octets| octets.try_into().ok()).ok_or_else(bad)?;
        if bits == 0 {
            return Err(
                Fault::bad(format!("`{text}` is every address")).help("name the ranges that are meant")
            );
        }
        let mask = u32::MAX << (32 - u32::from(bits));
        let [first, second, third, fourth] = (u32::from_be_bytes(octets) & mask).to_be_bytes();
        if [first, second, third, fourth] != octets {
            let fault = Fault::bad(format!("`{text}` has bits behind its prefix"));
            return Err(fault.help(format!("write `{first}.{second}.{third}.{fourth}/{bits}`")));
        }
        Ok(Self(text.to_owned()))
    }

    /// For each length of the prefix: whole octets, one of which some bits are zero, and zeros.
    fn schema() -> Schema {
        let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
        let ranges = (1..=32_usize).map(|bits| {
            let (whole, partly) = ((bits - 1) / 8, (bits - 1) % 8 + 1);
            let step = 1_u32 << (8 - partly);
            let multiples: Vec<_> = (0..256 / step).map(|at| (at * step).to_string()).collect();
            let last = if step == 1 { octet.to_owned() } else { format!("({})", multiples.join("|")) };
            format!("{}{last}{}/{bits}", format!("{octet}[.]").repeat(whole), "[.]0".repeat(3 - whole))
        });
        pattern::<Self>(&format!("^({})$", ranges.collect::<Vec<_>>().join("|")))
    }
}

/// A number of one byte without leading zeros.
fn number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number: &u8| number.to_string() == text)
}

/// The way to a field of a document: names of fields with `.` between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DottedPath(String);

impl DottedPath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for DottedPath {
    const WANTED: &'static str = "names of fields such as `detail.caseId`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let name = |name: &str| (1..=64).contains(&name.len()) && name.bytes().all(plain);
        let names: Vec<_> = text.split('.').collect();
        if names.len() <= 8 && names.into_iter().all(name) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::bad(format!("`{text}` does not name a field")))
    }

    fn schema() -> Schema {
        pattern::<Self>("^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64}){0,7}$")
    }
}
