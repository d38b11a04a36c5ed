//! Where to pay: a provider's or a currency's address template, filled in for one payment intent. Pure.

use crate::address::escape;
use crate::amount::Decimal;
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
    /// The checkout session that it pays, if any.
    pub checkout_session_id: Option<Uuid>,
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
        ("{checkout_session_id}", values.checkout_session_id.map(|id| id.to_string()).unwrap_or_default()),
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

#[cfg(test)]
mod tests {
    use super::*;

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
            checkout_session_id: None,
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
