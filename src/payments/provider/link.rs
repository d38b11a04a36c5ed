//! Where to pay: a provider's or a currency's address template, filled in for one payment intent. Pure.

use crate::amount::Decimal;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use uuid::Uuid;

/// The values for the placeholders.
pub struct Placeholders<'a> {
    /// The payment intent.
    pub id: Uuid,
    /// The invoice that it pays.
    pub invoice_id: Uuid,
    /// Whose.
    pub customer_id: &'a str,
    /// What is due, in major units.
    pub amount: Decimal,
    /// The same in the provider's minor units, if it is a whole number of them.
    pub minor_units: Option<Decimal>,
    /// The payment currency's code.
    pub currency: &'a str,
    /// Credits, where it buys them.
    pub credits: Option<Decimal>,
    /// Where to go once it is paid.
    pub return_url: Option<&'a str>,
    /// Where to go when it is not.
    pub failure_url: Option<&'a str>,
}

/// The address for one payment intent. A name in braces that is not a placeholder stays as it is.
pub fn fill(template: &str, values: &Placeholders<'_>) -> String {
    let pairs = [
        ("{top_up_id}", values.id.to_string()),
        ("{payment_intent_id}", values.id.to_string()),
        ("{invoice_id}", values.invoice_id.to_string()),
        ("{customer_id}", values.customer_id.to_string()),
        ("{amount}", values.amount.normalize().to_string()),
        ("{minor_units}", values.minor_units.map(|units| units.to_string()).unwrap_or_default()),
        ("{currency}", values.currency.to_string()),
        ("{credits}", values.credits.map(|credits| credits.normalize().to_string()).unwrap_or_default()),
        ("{return_url}", values.return_url.unwrap_or_default().to_string()),
        ("{failure_url}", values.failure_url.unwrap_or_default().to_string()),
    ];
    let mut url = String::with_capacity(template.len() + 64);
    let mut rest = template;
    // From left to right, so that a value that looks like a placeholder is not filled in again.
    while let Some(start) = rest.find('{') {
        url.push_str(&rest[..start]);
        rest = &rest[start..];
        match pairs.iter().find(|(placeholder, _)| rest.starts_with(placeholder)) {
            Some((placeholder, value)) => {
                url.extend(escape(value));
                rest = &rest[placeholder.len()..];
            }
            None => {
                url.push('{');
                rest = &rest[1..];
            }
        }
    }
    url.push_str(rest);
    url
}

/// All but the unreserved characters. Source: RFC 3986, section 2.3.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of an address.
pub fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, &RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(escape("AZaz09-._~").to_string(), "AZaz09-._~");
        assert_eq!(escape(" !*'()/?#[]@%\n\u{7f}é").to_string(), "%20%21%2A%27%28%29%2F%3F%23%5B%5D%40%25%0A%7F%C3%A9");
    }

    #[test]
    fn placeholders_are_filled_in_once_and_escaped() {
        let values = Placeholders {
            id: Uuid::nil(),
            invoice_id: Uuid::max(),
            customer_id: "{credits}&é",
            amount: Decimal::new(2500, 2),
            minor_units: Some(Decimal::from(2500)),
            currency: "USD",
            credits: Some(Decimal::from(1000)),
            return_url: Some("https://app.example/?a=b"),
            failure_url: None,
        };
        assert_eq!(
            fill(
                "https://pay.example/{currency}/{minor_units}?c={customer_id}&a={amount}&r={return_url}&f={failure_url}&{x}{",
                &values
            ),
            "https://pay.example/USD/2500?c=%7Bcredits%7D%26%C3%A9&a=25&r=https%3A%2F%2Fapp.example%2F%3Fa%3Db&f=&{x}{"
        );
    }
}
