//! Keys of Ed25519 that plans are signed with: read from the files that `openssl` writes, and named by a digest.

use std::fmt;

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};
use ed25519_dalek::{Signature, Signer as _};

use crate::artifact::digest;

/// Why a text is not a key. It quotes nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is a private key behind a passphrase.
    Encrypted,
    /// It is a private key, where a public one is wanted.
    Private,
    /// It is a public key, where a private one is wanted.
    Public,
    /// It is nothing of the kind.
    Other,
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Encrypted => "it is behind a passphrase: `openssl pkey -in FILE` takes that away",
            Self::Private => "it is a private key: `openssl pkey -in FILE -pubout` writes its public one",
            Self::Public => "it is a public key, and only a private one signs",
            Self::Other => {
                "it is no key of Ed25519 in PEM, as `openssl genpkey -algorithm ed25519` writes one"
            }
        })
    }
}

impl std::error::Error for KeyError {}

/// A key that signs. It is wiped when it is dropped, and is never printed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Reads a private key: PKCS#8 in PEM (RFC 8410).
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(text).map(Self).map_err(|_| not_private(text))
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey of {}", self.public().id())
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// Reads a public key: a `SubjectPublicKeyInfo` in PEM (RFC 8410).
    ///
    /// # Errors
    /// What is wrong with the text. A key for which anybody can make signatures is none.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(text).map_err(|_| not_public(text))?;
        if key.is_weak() { Err(KeyError::Other) } else { Ok(Self(key)) }
    }

    /// What it is called in an envelope: the digest of its `SubjectPublicKeyInfo`, which `openssl pkey -pubin -outform DER` writes.
    pub fn id(&self) -> String {
        #[expect(clippy::expect_used, reason = "thirty-two bytes always have this form")]
        let document = self.0.to_public_key_der().expect("a key has a form in DER");
        digest(document.as_bytes())
    }

    /// Whether the key made the signature. Of the signatures that a lenient reader would take for one message, it takes only
    /// the one that was made.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

fn not_private(text: &str) -> KeyError {
    match () {
        () if text.contains("ENCRYPTED PRIVATE KEY-----") => KeyError::Encrypted,
        () if text.contains("-----BEGIN PUBLIC KEY-----") => KeyError::Public,
        () => KeyError::Other,
    }
}

fn not_public(text: &str) -> KeyError {
    if text.contains("PRIVATE KEY-----") { KeyError::Private } else { KeyError::Other }
}
