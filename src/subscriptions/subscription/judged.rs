//! A subscription as it is asked for, checked against the catalogue.

use crate::amount::Decimal;
use crate::catalog::discount::CartLine;
use crate::catalog::redemption::Quote;
use crate::error::Error;
use crate::subscriptions::item::Item;
use crate::subscriptions::schedule::cycle::Step;

/// What is asked for, checked against the catalogue.
pub struct Judged {
    /// What it is for.
    pub items: Vec<Item>,
    /// The application's own of each.
    pub metadata: Vec<Option<String>>,
    /// The currency.
    pub code: String,
    /// How long a period is, in words.
    pub interval: (&'static str, i32),
    /// The same on the calendar.
    pub step: Step,
}

impl Judged {
    fn is_usage(&self) -> bool {
        self.items.iter().all(Item::is_metered)
    }

    /// Its items as a discount is judged by them. What usage comes to is not known yet: it is judged as if it were something,
    /// where there is nothing else. Raises PC007.
    pub fn for_discount(&self) -> Result<Vec<CartLine>, Error> {
        let mut lines: Vec<CartLine> = self.items.iter().map(Item::for_discount).collect::<Result<_, _>>()?;
        if self.is_usage() {
            lines.iter_mut().for_each(|line| line.amount = Decimal::ONE);
        }
        Ok(lines)
    }

    /// Where there is nothing but usage, a discount takes nothing off yet.
    pub fn of_usage(&self, quote: Quote) -> Quote {
        match self.is_usage() {
            true => Quote { amount: Decimal::ZERO, per_line: vec![Decimal::ZERO; quote.per_line.len()], ..quote },
            false => quote,
        }
    }
}
