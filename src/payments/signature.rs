//! Webhook signatures, and the one of our own: computed with the RustCrypto crates and compared in constant time. Pure: no
//! PostgreSQL in here.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

/// How a provider signs what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`: HMAC-SHA256 of `<t>.<payload>`. Source: Stripe, "Verify webhook signatures
    /// manually".
    Stripe,
    /// HMAC-SHA512 of the payload, in hexadecimal. Source: Paystack, "Webhooks: Signature validation".
    Paystack,
    /// HMAC-SHA256 of the payload, in hexadecimal, with or without `sha256=` before it.
    Plain,
}

impl Scheme {
    /// The scheme of the provider of that name.
    pub fn of(provider: &str) -> Self {
        match provider {
            "stripe" => Scheme::Stripe,
            "paystack" => Scheme::Paystack,
            _ => Scheme::Plain,
        }
    }
}

/// The longest header that is read at all.
const LONGEST: usize = 4_096;

/// Why a signature is not accepted: what may be told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// It is no signature of this scheme.
    Malformed,
    /// It was made with another secret, or of another payload.
    Wrong,
    /// It was made too long ago.
    TooOld,
}

/// Checks a header against a payload and the secrets that may have signed it. `now` is in seconds since 1970, `tolerance` in
/// seconds.
pub fn check(
    scheme: Scheme,
    secrets: &[&str],
    payload: &str,
    header: &str,
    now: i64,
    tolerance: i64,
) -> Result<(), Invalid> {
    if header.len() > LONGEST {
        return Err(Invalid::Malformed);
    }
    match scheme {
        Scheme::Stripe => check_stripe(secrets, payload, header, now, tolerance),
        Scheme::Paystack => {
            let signature = hex(header.trim(), 64).ok_or(Invalid::Malformed)?;
            one_of(secrets, |secret| verifies::<Hmac<Sha512>>(secret, &[payload], &[signature.as_slice()]))
        }
        Scheme::Plain => {
            let header = header.trim();
            let signature = hex(header.strip_prefix("sha256=").unwrap_or(header), 32).ok_or(Invalid::Malformed)?;
            one_of(secrets, |secret| verifies::<Hmac<Sha256>>(secret, &[payload], &[signature.as_slice()]))
        }
    }
}

fn check_stripe(secrets: &[&str], payload: &str, header: &str, now: i64, tolerance: i64) -> Result<(), Invalid> {
    let (mut signed_at, mut signatures) = (None, Vec::new());
    for (name, value) in header.split(',').filter_map(|item| item.trim().split_once('=')) {
        match name {
            // Stripe's own library reads the first, so a second would be read otherwise elsewhere.
            "t" if signed_at.is_some() => return Err(Invalid::Malformed),
            "t" => signed_at = Some(value),
            "v1" => signatures.extend(hex(value, 32)),
            _ => {}
        }
    }
    let signed_at = signed_at.filter(|t| t.bytes().all(|b| b.is_ascii_digit())).ok_or(Invalid::Malformed)?;
    let seconds: i64 = signed_at.parse().map_err(|_| Invalid::Malformed)?;
    if signatures.is_empty() {
        return Err(Invalid::Malformed);
    }
    one_of(secrets, |secret| verifies::<Hmac<Sha256>>(secret, &[signed_at, ".", payload], &signatures))?;
    // Only what is genuine is told that it is old.
    if seconds < now.saturating_sub(tolerance) { Err(Invalid::TooOld) } else { Ok(()) }
}

fn one_of(secrets: &[&str], genuine: impl Fn(&str) -> bool) -> Result<(), Invalid> {
    // Every secret is tried, so that the time tells nothing of which.
    let found = secrets.iter().fold(false, |found, secret| genuine(secret) | found);
    if found { Ok(()) } else { Err(Invalid::Wrong) }
}

/// Whether one of the signatures is genuine. The payload is read once, however many there are: anybody can send a header.
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

/// Bytes of a text of twice as many hexadecimal digits.
fn hex(text: &str, bytes: usize) -> Option<Vec<u8>> {
    if text.len() != bytes * 2 || !text.is_ascii() {
        return None;
    }
    (0..bytes).map(|n| u8::from_str_radix(text.get(n * 2..n * 2 + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to_hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    fn stripe(secret: &str, at: i64, payload: &str) -> String {
        format!("t={at},v1={}", to_hex(&sign(secret.as_bytes(), &format!("{at}.{payload}"))))
    }

    #[test]
    fn rfc_4231_case_2() {
        // RFC 4231, test case 2.
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(to_hex(&sign(b"Jefe", "what do ya want for nothing?")), signature);
        assert_eq!(check(Scheme::Plain, &["Jefe"], "what do ya want for nothing?", signature, 0, 0), Ok(()));
        let long = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        assert_eq!(check(Scheme::Paystack, &["Jefe"], "what do ya want for nothing?", long, 0, 0), Ok(()));
    }

    #[test]
    fn stripe_takes_any_of_several_signatures_and_secrets() {
        let good = stripe("whsec_new", 1_000, "{}");
        assert_eq!(check(Scheme::Stripe, &["whsec_old", "whsec_new"], "{}", &good, 1_000, 300), Ok(()));
        let several = format!("t=1000,v1={},{},v0=ff", "0".repeat(64), &good[7..]);
        assert_eq!(check(Scheme::Stripe, &["whsec_new"], "{}", &several, 1_000, 300), Ok(()));
        assert_eq!(check(Scheme::Stripe, &["whsec_old"], "{}", &good, 1_000, 300), Err(Invalid::Wrong));
        assert_eq!(check(Scheme::Stripe, &["whsec_new"], "{} ", &good, 1_000, 300), Err(Invalid::Wrong));
    }

    #[test]
    fn many_signatures_cost_no_more_than_one() {
        let (payload, one) = ("x".repeat(1 << 20), format!("t=1,v1={}", "0".repeat(64)));
        let many = format!("t=1{}", format!(",v1={}", "0".repeat(64)).repeat(50));
        let quickest = |header: &str| {
            let time = || {
                let from = std::time::Instant::now();
                assert_eq!(check(Scheme::Stripe, &["s"], &payload, header, 1, 300), Err(Invalid::Wrong));
                from.elapsed()
            };
            (0..5).map(|_| time()).min().unwrap()
        };
        assert!(quickest(&many) < quickest(&one) * 10);
    }

    #[test]
    fn stripe_signatures_grow_old() {
        let good = stripe("s", 1_000, "{}");
        assert_eq!(check(Scheme::Stripe, &["s"], "{}", &good, 1_300, 300), Ok(()));
        assert_eq!(check(Scheme::Stripe, &["s"], "{}", &good, 1_301, 300), Err(Invalid::TooOld));
        // A time that was changed is not signed.
        let forged = good.replace("t=1000", "t=1301");
        assert_eq!(check(Scheme::Stripe, &["s"], "{}", &forged, 1_301, 300), Err(Invalid::Wrong));
    }

    #[test]
    fn absurd_headers_are_no_signatures() {
        let huge = format!("t=1,v1={}", "a".repeat(5_000));
        let twice = format!("t=1,{}", stripe("s", 1, "{}"));
        for header in [
            "",
            ",",
            "=",
            "t=",
            "t=1",
            "v1=",
            "t=-1,v1=00",
            "t=1,v1=zz",
            "é",
            "t=99999999999999999999,v1=00",
            &huge,
            &twice,
        ] {
            for scheme in [Scheme::Stripe, Scheme::Paystack, Scheme::Plain] {
                assert_eq!(check(scheme, &["s"], "{}", header, 0, 300), Err(Invalid::Malformed), "{header}");
            }
        }
    }

    proptest! {
        #[test]
        fn one_changed_byte_is_noticed(payload in "[ -~]{1,60}", place in 0usize..60, secret in "[ -~]{1,40}") {
            let place = place % payload.len();
            let mut changed = payload.clone().into_bytes();
            changed[place] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            let header = stripe(&secret, 5, &payload);
            prop_assert_eq!(check(Scheme::Stripe, &[&secret], &payload, &header, 5, 1), Ok(()));
            prop_assert_eq!(check(Scheme::Stripe, &[&secret], &changed, &header, 5, 1), Err(Invalid::Wrong));
            let plain = to_hex(&sign(secret.as_bytes(), &payload));
            prop_assert_eq!(check(Scheme::Plain, &[&secret], &payload, &plain, 5, 1), Ok(()));
            prop_assert_eq!(check(Scheme::Plain, &[&secret], &changed, &plain, 5, 1), Err(Invalid::Wrong));
        }

        #[test]
        fn no_header_is_a_panic(header in "\\PC{0,200}") {
            for scheme in [Scheme::Stripe, Scheme::Paystack, Scheme::Plain] {
                let accepted = check(scheme, &["s"], "{}", &header, 0, 300).is_ok();
                prop_assert!(!accepted);
            }
        }
    }
}
