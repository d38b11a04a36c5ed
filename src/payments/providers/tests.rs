//! What holds for every provider.

use super::*;
use crate::outbox::signature::sign;
use proptest::prelude::*;

const NAMES: [&str; 3] = ["stripe", "paystack", "a shop of one's own"];

fn check(provider: &str, secrets: &[&str], payload: &str, header: &str) -> Result<(), Invalid> {
    of(provider).check(&Signed { secrets, payload, header, now: 0, tolerance: 300 })
}

#[test]
fn rfc_4231_case_2() {
    // RFC 4231, test case 2.
    let payload = "what do ya want for nothing?";
    let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(hex::encode(sign(b"Jefe", payload)), signature);
    for header in [signature, &signature.to_uppercase(), &format!(" sha256={signature} ")] {
        assert_eq!(check("shop", &["Jefe"], payload, header), Ok(()));
    }
    assert_eq!(check("shop", &["other", "Jefe"], payload, signature), Ok(()));
    let long = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
    assert_eq!(check("paystack", &["Jefe"], payload, long), Ok(()));
    assert_eq!(check("paystack", &["Jefe"], "what else?", long), Err(Invalid::Wrong));
}

#[test]
fn absurd_headers_are_no_signatures() {
    let huge = format!("t=1,v1={}", "a".repeat(5_000));
    let signed = format!("+{}", "0".repeat(63));
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
        &signed,
    ] {
        for name in NAMES {
            assert_eq!(check(name, &["s"], "{}", header), Err(Invalid::Malformed), "{name}: {header}");
        }
    }
}

#[test]
fn what_is_no_json_is_no_event() {
    for name in NAMES {
        assert_eq!(of(name).read("{").unwrap_err().to_string(), "must be JSON");
        assert_eq!(of(name).read("[]").unwrap_err().to_string(), "must be a JSON object");
        // What it is written like cannot be taken for an object's fields.
        assert!(of(name).read(r#"["1", "payment.expired", {"object": {}}]"#).is_err());
    }
}

proptest! {
    #[test]
    fn one_changed_byte_is_noticed(payload in "[ -~]{1,60}", place in 0usize..60, secret in "[ -~]{1,40}") {
        let place = place % payload.len();
        let mut changed = payload.clone().into_bytes();
        changed[place] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let header = hex::encode(sign(secret.as_bytes(), &payload));
        prop_assert_eq!(check("shop", &[&secret], &payload, &header), Ok(()));
        prop_assert_eq!(check("shop", &[&secret], &changed, &header), Err(Invalid::Wrong));
    }

    #[test]
    fn no_header_is_a_panic(header in "\\PC{0,200}") {
        for name in NAMES {
            let accepted = check(name, &["s"], "{}", &header).is_ok();
            prop_assert!(!accepted);
        }
    }
}
