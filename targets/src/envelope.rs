//! Signed documents: DSSE envelopes (`https://github.com/secure-systems-lab/dsse`), with keys of Ed25519.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::key::{PublicKey, SigningKey};

/// What was signed, as what, and by whom. Of the JSON that DSSE allows there is one spelling here, so that no byte of a file
/// can be another without being noticed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// Why an envelope is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeError {
    /// It is no envelope at all: nothing is signed.
    Unsigned,
    /// It is written as no envelope of ours is.
    Form(String),
    /// What it holds is something else.
    Type(String),
    /// It has no signature, or more than one.
    Signatures(usize),
    /// The key is none of those that are trusted.
    Untrusted(String),
    /// The signature is not one of this key for this content.
    Forged(String),
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => write!(formatter, "it is not signed"),
            Self::Form(why) => write!(formatter, "its envelope is not as it was written: {why}"),
            Self::Type(found) => {
                write!(formatter, "what is signed is {found:?}, and nothing that is applied")
            }
            Self::Signatures(0) => write!(formatter, "its signature was taken away"),
            Self::Signatures(many) => write!(formatter, "it has {many} signatures, and one is expected"),
            Self::Untrusted(key) => write!(formatter, "it is signed by {key:?}, which is no trusted key"),
            Self::Forged(key) => {
                write!(
                    formatter,
                    "the signature of {key} is not for this content: one of the two was changed"
                )
            }
        }
    }
}

impl std::error::Error for EnvelopeError {}

/// What is signed of a payload: the pre-authentication encoding of DSSE.
pub fn encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The envelope of a payload, signed. The same payload and key give the same bytes.
pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> String {
    let sig = STANDARD.encode(key.sign(&encoding(payload_type, payload)));
    written(&Envelope {
        payload_type: payload_type.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: vec![Signature { keyid: key.public().id(), sig }],
    })
}

/// Whether a text is meant as an envelope, whatever becomes of it.
pub fn is_envelope(text: &str) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    value.is_ok_and(|value| value.get("payloadType").is_some())
}

/// The payload of an envelope that one of these keys signed as this type.
///
/// # Errors
/// Why it is not opened. Whichever byte of an envelope is changed, it is not.
pub fn open(text: &str, payload_type: &str, trusted: &[PublicKey]) -> Result<Vec<u8>, EnvelopeError> {
    let envelope: Envelope = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(_) if !text.contains("\"payloadType\"") => return Err(EnvelopeError::Unsigned),
        Err(error) => return Err(EnvelopeError::Form(error.to_string())),
    };
    let Envelope { payload_type: found, payload, signatures } = &envelope;
    if found != payload_type {
        return Err(EnvelopeError::Type(found.clone()));
    }
    let [Signature { keyid, sig }] = signatures.as_slice() else {
        return Err(EnvelopeError::Signatures(signatures.len()));
    };
    if written(&envelope) != text {
        return Err(EnvelopeError::Form("its JSON is spelled otherwise".into()));
    }
    let plain = |what: &str, text: &str| {
        let plain = STANDARD.decode(text);
        plain.map_err(|error| EnvelopeError::Form(format!("its {what} is no base64 ({error})")))
    };
    let (payload, signature) = (plain("payload", payload)?, plain("signature", sig)?);
    let key = trusted.iter().find(|key| key.id() == *keyid);
    let key = key.ok_or_else(|| EnvelopeError::Untrusted(keyid.clone()))?;
    if !key.verifies(&encoding(payload_type, &payload), &signature) {
        return Err(EnvelopeError::Forged(keyid.clone()));
    }
    Ok(payload)
}

fn written(envelope: &Envelope) -> String {
    #[expect(clippy::expect_used, reason = "texts and lists of them are JSON")]
    let mut text = serde_json::to_string_pretty(envelope).expect("an envelope is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{EnvelopeError, STANDARD, encoding, is_envelope, open, sign};
    use crate::key::{KeyError, PublicKey, SigningKey};

    const TYPE: &str = "application/vnd.aipolicy.plan+json";

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let pairs = hexadecimal.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn pem(what: &str, head: &str, key: &str) -> String {
        let der = [bytes(head), bytes(key)].concat();
        format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
    }

    /// A private key and its public one as RFC 8410 writes them, from their bytes in hexadecimal.
    fn pair(private: &str, public: &str) -> (SigningKey, PublicKey) {
        let private = pem("PRIVATE KEY", "302e020100300506032b657004220420", private);
        let public = pem("PUBLIC KEY", "302a300506032b6570032100", public);
        (SigningKey::from_pem(&private).unwrap(), PublicKey::from_pem(&public).unwrap())
    }

    /// The first three keys of RFC 8032, section 7.1, with their messages and signatures.
    const VECTORS: [[&str; 4]; 3] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ];

    #[test]
    fn keys_sign_as_rfc_8032_says() {
        for [private, public, message, signature] in VECTORS {
            let (private, public) = pair(private, public);
            assert_eq!(private.public(), public);
            assert_eq!(private.sign(&bytes(message)).to_vec(), bytes(signature));
            assert!(public.verifies(&bytes(message), &bytes(signature)));
            assert!(!public.verifies(b"another", &bytes(signature)));
            assert!(!public.verifies(&bytes(message), &bytes(signature)[1..]));
        }
    }

    /// RFC 8410, section 10: a private key, and the public key of section 10.1.
    #[test]
    fn keys_are_read_as_rfc_8410_writes_them() {
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let (signing, verifying) =
            (SigningKey::from_pem(private).unwrap(), PublicKey::from_pem(public).unwrap());
        assert_eq!(signing.public(), verifying);
        let told = format!("{signing:?}");
        assert_eq!(told, format!("SigningKey of {}", verifying.id()), "nothing of it is told");
        assert_eq!(SigningKey::from_pem(public).unwrap_err(), KeyError::Public);
        assert_eq!(PublicKey::from_pem(private).unwrap_err(), KeyError::Private);
        let encrypted = pem("ENCRYPTED PRIVATE KEY", "3081a3", &"00".repeat(64));
        assert_eq!(SigningKey::from_pem(&encrypted).unwrap_err(), KeyError::Encrypted);
        for other in ["", "nothing", &private[..60], &private.replace("INTu", "!")] {
            assert_eq!(SigningKey::from_pem(other).unwrap_err(), KeyError::Other, "{other}");
        }
        // The point of order one, for which anybody can sign.
        let weak = pem("PUBLIC KEY", "302a300506032b6570032100", &format!("01{}", "00".repeat(31)));
        assert_eq!(PublicKey::from_pem(&weak).unwrap_err(), KeyError::Other);
    }

    /// `protocol.md` of DSSE has this as its example.
    #[test]
    fn what_is_signed_is_encoded_as_dsse_says() {
        let encoded = encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_ne!(encoding("a", b"b 1 c"), encoding("a 5 b", b"c"), "lengths keep the parts apart");
        assert_eq!(encoding("\u{e9}", b""), "DSSEv1 2 \u{e9} 0 ".as_bytes(), "lengths are those of bytes");
    }

    #[test]
    fn an_envelope_is_opened_with_its_key_alone() {
        let [(first, public), (second, other)] =
            [VECTORS[0], VECTORS[1]].map(|[private, public, ..]| pair(private, public));
        let text = sign(TYPE, b"{}\n", &first);
        assert!(is_envelope(&text) && !is_envelope("{}") && !is_envelope("{"));
        assert_eq!(text, sign(TYPE, b"{}\n", &first), "the same bytes each time");
        assert_eq!(open(&text, TYPE, &[other.clone(), public.clone()]).unwrap(), b"{}\n");
        let refused = |text: &str, keys: &[PublicKey]| open(text, TYPE, keys).unwrap_err();
        assert_eq!(refused(&text, &[]), EnvelopeError::Untrusted(public.id()));
        assert_eq!(refused(&text, std::slice::from_ref(&other)), EnvelopeError::Untrusted(public.id()));
        let both = [public.clone(), other.clone()];
        assert_eq!(
            refused(&text.replace(&public.id(), &other.id()), &both),
            EnvelopeError::Forged(other.id())
        );
        assert_eq!(refused("{\"format\": \"aipolicy.plan/1\"}", &both), EnvelopeError::Unsigned);
        let elsewhere = sign("application/other", b"{}\n", &second);
        assert_eq!(refused(&elsewhere, &both), EnvelopeError::Type("application/other".into()));
        let retyped = elsewhere.replace("application/other", TYPE);
        assert_eq!(refused(&retyped, &both), EnvelopeError::Forged(other.id()));
    }

    #[test]
    fn signatures_are_neither_taken_away_nor_added_nor_swapped() {
        let (key, public) = pair(VECTORS[0][0], VECTORS[0][1]);
        let keys = [public.clone()];
        let [one, two] = [b"one", b"two"].map(|payload| sign(TYPE, payload, &key));
        let value = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
        let (mut first, second) = (value(&one), value(&two));
        let refused = |value: &serde_json::Value| {
            let text = format!("{}\n", serde_json::to_string_pretty(value).unwrap());
            open(&text, TYPE, &keys).unwrap_err()
        };
        let own = first["signatures"].clone();
        first["signatures"] = second["signatures"].clone();
        // The members of a value are sorted, so that the text is another; the signature is what counts.
        let swapped =
            one.replace(own[0]["sig"].as_str().unwrap(), second["signatures"][0]["sig"].as_str().unwrap());
        assert_eq!(open(&swapped, TYPE, &keys).unwrap_err(), EnvelopeError::Forged(public.id()));
        first["signatures"] = serde_json::json!([]);
        assert_eq!(refused(&first), EnvelopeError::Signatures(0));
        first["signatures"] = serde_json::json!([own[0], own[0]]);
        assert_eq!(refused(&first), EnvelopeError::Signatures(2));
    }

    #[test]
    fn whichever_byte_is_changed_it_is_not_opened() {
        let (key, public) = pair(VECTORS[0][0], VECTORS[0][1]);
        let payload: String = (0..12).map(|line| format!("{{\"line\": {line}}}\n")).collect();
        let text = sign(TYPE, payload.as_bytes(), &key).into_bytes();
        let keys = [public];
        let mut tried = 0;
        for at in 0..text.len() {
            // Every other letter of ASCII: what is no text is refused before.
            for letter in 0..128_u8 {
                let mut changed = text.clone();
                if std::mem::replace(&mut changed[at], letter) == letter {
                    continue;
                }
                let changed = String::from_utf8(changed).unwrap();
                assert!(open(&changed, TYPE, &keys).is_err(), "{letter} at {at}");
                tried += 1;
            }
            let (mut without, mut twice) = (text.clone(), text.clone());
            without.remove(at);
            twice.insert(at, text[at]);
            for changed in [without, twice] {
                assert!(open(std::str::from_utf8(&changed).unwrap(), TYPE, &keys).is_err(), "at {at}");
            }
            assert!(open(std::str::from_utf8(&text[..at]).unwrap(), TYPE, &keys).is_err(), "cut at {at}");
        }
        assert_eq!(tried, text.len() * 127);
    }
}
