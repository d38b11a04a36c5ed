//! HMAC signatures, those of webhooks and the one of our own: computed with the RustCrypto crates and compared in
//! constant time. How each provider signs is in providers/. Pure: no PostgreSQL in here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A payload with the header that is to sign it, and what that is checked with.
pub struct Signed<'a> {
    /// The secrets that may have signed it.
    pub secrets: &'a [&'a str],
    /// What was sent.
    pub payload: &'a str,
    /// The header that was sent with it.
    pub header: &'a str,
    /// In seconds since 1970.
    pub now: i64,
    /// How old a signed time may be, in seconds.
    pub tolerance: i64,
}

/// Why a signature is not accepted, as far as that may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// It is no signature of this provider's scheme.
    Malformed,
    /// It was made with another secret, or of another payload.
    Wrong,
    /// It was made too long ago.
    TooOld,
}

impl Signed<'_> {
    /// Whether one of the signatures is that of these parts, one after the other, made with one of the secrets.
    pub fn by_hmac<M: Mac + KeyInit + Clone>(
        &self,
        parts: &[&str],
        signatures: &[impl AsRef<[u8]>],
    ) -> Result<(), Invalid> {
        // Every secret is tried, so that the time does not say which.
        let found = self.secrets.iter().fold(false, |found, secret| verifies::<M>(secret, parts, signatures) | found);
        if found { Ok(()) } else { Err(Invalid::Wrong) }
    }
}

/// Whether one of the signatures is genuine. The payload is read once, however many there are: anybody can send a
/// header.
fn verifies<M: Mac + KeyInit + Clone>(secret: &str, parts: &[&str], signatures: &[impl AsRef<[u8]>]) -> bool {
    let Ok(mut mac) = M::new_from_slice(secret.as_bytes()) else { return false };
    for part in parts {
        mac.update(part.as_bytes());
    }
    signatures.iter().fold(false, |found, signature| mac.clone().verify_slice(signature.as_ref()).is_ok() | found)
}

/// HMAC-SHA256 of a text, for what this extension signs itself.
pub fn sign(key: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        // HMAC takes keys of any length.
        Err(_) => Vec::new(),
    }
}

/// Whether that is the signature of a text, in constant time.
pub fn is_signed(key: &[u8], text: &str, signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(text.as_bytes());
    mac.verify_slice(signature).is_ok()
}

/// So many bytes of a text of twice as many hexadecimal digits.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}
