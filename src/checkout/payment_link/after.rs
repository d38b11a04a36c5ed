//! What a customer sees once it is paid: a page of the application's, or a message. Pure.

use crate::error::Error;
use crate::input;
use crate::nearest::nearest;
use serde_json::Value;

/// The keys of after_completion, and of what is in it.
const AFTER: [&str; 3] = ["type", "redirect", "hosted_confirmation"];

/// What the customer sees once it is paid. Raises PC013.
pub fn check(text: &str) -> Result<(), Error> {
    let wrong = |reason: &str| Error::argument("after_completion", reason);
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let object = value.as_object().ok_or_else(|| wrong("must be a JSON object"))?;
    if let Some(key) = object.keys().find(|key| !AFTER.contains(&key.as_str())) {
        return Err(Error::UnknownKey { argument: "after_completion", key: key.clone(), nearest: nearest(key, AFTER) });
    }
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    let said = |name: &str, key: &str| object.get(name).and_then(|of| of.get(key)).and_then(Value::as_str);
    match input::choice("after_completion", Some(kind), kind, &AFTER[1..])? {
        "redirect" => {
            let url = said("redirect", "url").ok_or_else(|| wrong("must have redirect, an object with a url"))?;
            input::web_address("after_completion", Some(url)).map(drop)
        }
        _ => match object.get("hosted_confirmation") {
            None => Ok(()),
            Some(_) => match said("hosted_confirmation", "custom_message") {
                Some(message) => input::text("after_completion", Some(message)).map(drop),
                None => Err(wrong("must have hosted_confirmation, an object with a custom_message")),
            },
        },
    }
}

/// Where a customer goes once it is paid.
pub fn redirect(text: Option<&str>) -> Option<String> {
    let value: Value = serde_json::from_str(text?).ok()?;
    value.get("redirect")?.get("url")?.as_str().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_or_a_message() {
        let page = r#"{"type": "redirect", "redirect": {"url": "https://app.example/done"}}"#;
        assert!(check(page).is_ok());
        assert_eq!(redirect(Some(page)).as_deref(), Some("https://app.example/done"));
        for said in [
            r#"{"type": "hosted_confirmation"}"#,
            r#"{"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Thank you"}}"#,
        ] {
            assert!(check(said).is_ok(), "{said}");
            assert_eq!(redirect(Some(said)), None);
        }
        for wrong in [
            "1",
            "{}",
            r#"{"type": "redirect"}"#,
            r#"{"type": "redirect", "redirect": {"url": "javascript:alert(1)"}}"#,
            r#"{"type": "hosted_confirmation", "hosted_confirmation": {}}"#,
            r#"{"type": "redirect", "to": "https://app.example"}"#,
            r#"{"type": "nothing"}"#,
        ] {
            assert_eq!(check(wrong).unwrap_err().sqlstate(), "PC013", "{wrong}");
        }
    }
}
