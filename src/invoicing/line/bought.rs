//! The one line of a top-up, which buys credits and nothing else.

use crate::amount::Decimal;
use crate::invoicing::line::given::{BEHAVIORS, Given};
use crate::invoicing::line::{Credits, New};
use crate::payments::payment_intent as intent;
use crate::pg::value::Json;
use uuid::Uuid;

impl New {
    /// A line for these credits, which cost so much.
    pub fn of_credits(id: Uuid, bought: &intent::Credits<'_>, amount: Decimal, metadata: Option<&Json>) -> Self {
        let name = bought.name.map(String::from);
        // By amount, so many credits at their rate are bought.
        let (quantity, unit_amount) = match bought.rate {
            Some(rate) => (bought.amount, Some(rate)),
            None => (Decimal::from(bought.quantity), None),
        };
        let metadata = metadata.map(Json::text);
        let given =
            Given { price_id: bought.price_id, quantity: Some(quantity), unit_amount, metadata, ..Given::default() };
        let credits = Credits {
            amount: bought.amount,
            currency: bought.currency.to_string(),
            name: name.clone(),
            terms: bought.terms.clone(),
        };
        let tax_behavior = BEHAVIORS[0].to_string();
        New { id, given, description: name, amount, tax_behavior, credits: Some(credits), product_id: None, item: None }
    }
}
