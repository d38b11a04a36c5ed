//! The page of an invoice: what is read of it, and what stands on the page. The words are here and in
//! templates/invoice.html.

mod layout;

use crate::amount::Decimal;
use crate::moment::Time;

/// What an invoice is, as its page says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Being written.
    Draft,
    /// To be paid.
    Open,
    /// The same after its due date.
    Overdue,
    /// Paid in full.
    Paid,
    /// As if it had never been given out.
    Void,
    /// Given up; it may still be paid.
    Uncollectible,
}

/// An invoice, with everything that its page shows.
#[derive(Debug)]
pub struct Invoice {
    /// What it is.
    pub state: State,
    /// Its number; `None` for a draft.
    pub number: Option<String>,
    /// The currency's code.
    pub currency: String,
    /// The currency's decimals; `None` for as many as the amounts have: of credits.
    pub decimals: Option<u32>,
    /// Who sells: a name, then an address.
    pub seller: Vec<String>,
    /// Who buys.
    pub customer: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// For people, below everything.
    pub footer: Option<String>,
    /// Names and values for people.
    pub custom: Vec<(String, String)>,
    /// When it got its number.
    pub issued_at: Option<Time>,
    /// When it is due.
    pub due_at: Option<Time>,
    /// When it was paid in full.
    pub paid_at: Option<Time>,
    /// When it was voided.
    pub voided_at: Option<Time>,
    /// What it comes to.
    pub totals: Totals,
    /// Where it is paid; an address that was checked.
    pub pay_at: Option<String>,
    /// What took something off all of it.
    pub coupon: Option<Coupon>,
    /// What is sold.
    pub lines: Vec<Line>,
    /// What was applied to it.
    pub payments: Vec<Move>,
    /// What went back.
    pub refunds: Vec<Move>,
}

/// What an invoice comes to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// All lines.
    pub subtotal: Decimal,
    /// What is taken off.
    pub discount: Decimal,
    /// All tax.
    pub tax: Decimal,
    /// Shipping.
    pub shipping: Decimal,
    /// All in all.
    pub total: Decimal,
    /// The same without tax.
    pub net: Decimal,
    /// What is to be paid.
    pub due: Decimal,
    /// What was.
    pub paid: Decimal,
    /// What went back of that.
    pub refunded: Decimal,
    /// What is still to be paid.
    pub remaining: Decimal,
}

/// What took something off.
#[derive(Debug, Clone)]
pub struct Coupon {
    /// What it was called.
    pub name: String,
    /// What the customer typed in.
    pub code: Option<String>,
    /// How much it took off.
    pub amount: Decimal,
}

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// For people.
    pub description: Option<String>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// What one costs, where that is the same for each.
    pub unit_amount: Option<Decimal>,
    /// What it costs.
    pub amount: Decimal,
    /// What is taken off.
    pub discount: Decimal,
    /// In percent.
    pub tax_rate: Option<Decimal>,
    /// Whether tax is in the amount.
    pub is_inclusive: bool,
    /// Its part of the tax.
    pub tax: Decimal,
    /// What it comes to without tax.
    pub net: Decimal,
    /// The credits that it is for, and their currency.
    pub credits: Option<(Decimal, String)>,
    /// What time it is for.
    pub period: Option<(Time, Time)>,
}

/// Where money came from or went to.
#[derive(Debug, Clone)]
pub enum Place {
    /// The customer's account.
    Wallet,
    /// Anywhere else, as the application calls it.
    Outside(Option<String>),
    /// A provider, and what people call the payment method.
    Provider(Option<String>, Option<String>),
}

/// Money that came or went back.
#[derive(Debug, Clone)]
pub struct Move {
    /// When; `None` where that is not known.
    pub at: Option<Time>,
    /// From where, or where to.
    pub place: Place,
    /// How much.
    pub amount: Decimal,
    /// When it was given back, where it was.
    pub undone_at: Option<Time>,
    /// Whether it has been asked for and has not arrived.
    pub is_under_way: bool,
}
