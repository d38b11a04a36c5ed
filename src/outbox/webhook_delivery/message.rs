//! What an endpoint is sent: the body, and the headers that sign it. Pure.

use crate::moment::Time;
use crate::outbox::signature::sign;
use serde_json::{Value, json};
use uuid::Uuid;

/// An event as an endpoint is sent it.
pub struct Message {
    /// Its id.
    pub event_id: Uuid,
    /// What happened.
    pub event_type: String,
    /// What it happened to.
    pub object_type: String,
    /// Which one.
    pub object_id: String,
    /// Its place among those of its object.
    pub object_seq: i64,
    /// Whose it is.
    pub customer_id: Option<String>,
    /// The object, as JSON; `null` once its customer is erased.
    pub data: Option<String>,
    /// When it happened.
    pub created_at: Time,
}

impl Message {
    /// The body: the same bytes for every attempt, as long as nobody is erased.
    pub fn body(&self) -> String {
        let Message { event_id, event_type, object_type, object_id, object_seq, customer_id, .. } = self;
        let (seconds, at) = (self.created_at.unix_seconds(), json!(self.created_at.rfc3339()));
        let (event_type, object_type, object_id) = (json!(event_type), json!(object_type), json!(object_id));
        let (customer_id, data) = (json!(customer_id), self.data.as_deref().unwrap_or("null"));
        // By hand: the object's own text stays as it is.
        [
            format!(
                r#"{{"id":"{event_id}","object":"event","type":{event_type},"created":{seconds},"created_at":{at}"#
            ),
            format!(r#","customer_id":{customer_id},"object_type":{object_type},"object_id":{object_id}"#),
            format!(r#","object_seq":{object_seq},"data":{data}}}"#),
        ]
        .concat()
    }
}

/// The header that signs a body: the time in seconds, and a signature for each secret, the scheme of Stripe.
pub fn signature(secrets: &[&str], seconds: i64, body: &str) -> String {
    let signed = format!("{seconds}.{body}");
    secrets.iter().fold(format!("t={seconds}"), |header, secret| {
        format!("{header},v1={}", hex::encode(sign(secret.as_bytes(), &signed)))
    })
}

/// All headers.
pub fn headers(attempt_id: Uuid, event_id: Uuid, signature: &str) -> Value {
    json!({
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": concat!("pg_credits/", env!("CARGO_PKG_VERSION")),
        "Credits-Event": event_id,
        "Credits-Attempt": attempt_id,
        "Credits-Signature": signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_whatever_is_in_it() {
        let message = Message {
            event_id: Uuid::nil(),
            event_type: String::from("invoice.paid"),
            object_type: String::from("invoice"),
            object_id: String::from("a\"b\\c\u{1}"),
            object_seq: 3,
            customer_id: None,
            data: Some(String::from(r#"{"object": {"total": "1.50"}}"#)),
            created_at: Time(0),
        };
        let body: Value = serde_json::from_str(&message.body()).unwrap();
        assert_eq!(body["object_id"], "a\"b\\c\u{1}");
        assert_eq!(body["data"]["object"]["total"], "1.50");
        assert_eq!(body["created"], 946_684_800);
        assert_eq!(body["customer_id"], Value::Null);
        let erased = Message { data: None, ..message };
        let body: Value = serde_json::from_str(&erased.body()).unwrap();
        assert_eq!(body["data"], Value::Null);
    }

    #[test]
    fn a_signature_has_each_secret() {
        // printf '1.{}' | openssl dgst -sha256 -hmac whsec_a
        let by_openssl = "7aaed73a0f45f657eacd5c9b580562745d6023b1e3e6d17dce076b81940aa046";
        let one = signature(&["whsec_a"], 1, "{}");
        let two = signature(&["whsec_a", "whsec_b"], 1, "{}");
        assert_eq!(one, format!("t=1,v1={by_openssl}"));
        assert!(two.starts_with(&one) && two.len() == one.len() + 4 + 64);
    }
}
