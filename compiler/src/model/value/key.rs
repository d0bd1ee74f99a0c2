//! Public keys of Ed25519, in the one spelling that the encoding of RFC 8410 has.

use schemars::Schema;

use super::{Fault, Scalar, pattern, scalars};

scalars!(PublicKey);

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----\n";
const END: &str = "\n-----END PUBLIC KEY-----";
/// What every key begins with: the header of its `SubjectPublicKeyInfo`, twelve bytes, in base64.
const HEADER: &str = "MCowBQYDK2VwAyEA";
/// Of the last of 43 letters only four bits count, so it is one of these.
const LAST: &str = "AEIMQUYcgkosw048";

/// A public key: 32 bytes behind a header, in base64. Whether they are a point of the curve is not looked at here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(String);

impl PublicKey {
    /// The key in PEM.
    pub fn pem(&self) -> String {
        format!("{BEGIN}{}{END}\n", self.0)
    }
}

impl Scalar for PublicKey {
    const WANTED: &'static str = "a public key of Ed25519 in PEM, as `openssl pkey -pubout` writes it";

    fn parse(text: &str) -> Result<Self, Fault> {
        if text.contains("PRIVATE KEY") {
            let fault = Fault::new(&crate::rule::INLINE_SECRET, "the text looks like a private key");
            return Err(fault.help("`openssl pkey -in FILE -pubout` writes the public one"));
        }
        let framed = text.strip_prefix(BEGIN).and_then(|text| {
            let text = text.strip_suffix('\n').unwrap_or(text);
            text.strip_suffix(END)
        });
        let line = framed.unwrap_or(text);
        let sound = line.strip_prefix(HEADER).and_then(|rest| rest.strip_suffix('=')).is_some_and(|rest| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
            rest.len() == 43 && rest.bytes().all(is_letter) && rest.ends_with(|last| LAST.contains(last))
        });
        let bad = || Fault::bad("this is no public key of Ed25519");
        if sound { Ok(Self(line.to_owned())) } else { Err(bad()) }
    }

    fn schema() -> Schema {
        let line = format!("{HEADER}[A-Za-z0-9+/]{{42}}[{LAST}]=");
        pattern::<Self>(&format!("^({line}|{BEGIN}{line}{END}\n?)$"))
    }
}
