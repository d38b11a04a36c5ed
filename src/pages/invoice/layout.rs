//! What stands where on the page of an invoice.

use super::{Invoice, Line, Move, Place, State};
use crate::amount::Decimal;
use crate::pages::figure::{Figure, column, number, scale};
use crate::pages::when::{When, day, period};
use askama::Template;

#[derive(Template)]
#[template(path = "invoice.html")]
struct Page<'a> {
    heading: &'static str,
    number: Option<&'a str>,
    state: &'static str,
    /// A class of the style.
    tone: &'static str,
    notice: Option<(&'static str, String)>,
    seller: &'a [String],
    customer: &'a [String],
    dates: Vec<(&'static str, When)>,
    custom: &'a [(String, String)],
    headline: Headline,
    pay_at: Option<&'a str>,
    description: Option<&'a str>,
    has_quantity: bool,
    has_tax: bool,
    /// How many columns the lines have.
    width: usize,
    currency: &'a str,
    lines: Vec<Item<'a>>,
    totals: Vec<Sum<'a>>,
    /// Tables of money that came and went, each with the title of its second column.
    moved: Vec<(&'static str, &'static str, Vec<Moved>)>,
    footer: Option<&'a str>,
}

/// What matters most, in a sentence.
struct Headline {
    amount: String,
    text: &'static str,
    when: Option<When>,
}

/// A line.
struct Item<'a> {
    description: &'a str,
    period: Option<(When, When)>,
    credits: Option<String>,
    discount: Option<String>,
    quantity: Option<Figure>,
    unit_amount: Option<Figure>,
    tax: String,
    amount: String,
}

/// A row below the lines.
struct Sum<'a> {
    name: String,
    /// What a discount is called, and its code.
    by: Option<(&'a str, Option<&'a str>)>,
    amount: String,
    is_sum: bool,
}

/// Money that came or went.
struct Moved {
    when: Option<When>,
    place: String,
    amount: String,
    undone: Option<When>,
    is_under_way: bool,
}

/// Tax of one rate, in the amounts or on top.
struct Tax {
    rate: Option<Decimal>,
    is_inclusive: bool,
    net: Decimal,
    tax: Decimal,
}

impl Invoice {
    /// The page.
    pub fn html(&self) -> Result<String, askama::Error> {
        let has_tax = self.lines.iter().any(|line| line.tax_rate.is_some() || !line.tax.is_zero());
        let has_quantity = self.lines.iter().any(|line| line.quantity.is_some());
        let page = Page {
            heading: if self.state == State::Draft { "Draft invoice" } else { "Invoice" },
            number: self.number.as_deref(),
            state: self.state_text().0,
            tone: self.state_text().1,
            notice: self.notice(),
            seller: &self.seller,
            customer: &self.customer,
            dates: self.dates(),
            custom: &self.custom,
            headline: self.headline(),
            pay_at: self.pay_at.as_deref().filter(|_| self.is_payable()),
            description: self.description.as_deref(),
            has_quantity,
            has_tax,
            width: 2 + 2 * usize::from(has_quantity) + usize::from(has_tax),
            currency: &self.currency,
            lines: self.items(),
            totals: self.sums(),
            moved: self.moved(),
            footer: self.footer.as_deref(),
        };
        page.render()
    }

    /// What it is, and the class of the style for that.
    fn state_text(&self) -> (&'static str, &'static str) {
        match self.state {
            State::Draft => ("Draft", "calm"),
            State::Open => ("Open", "calm"),
            State::Overdue => ("Overdue", "wait"),
            State::Paid => ("Paid", "good"),
            State::Void => ("Void", "bad"),
            State::Uncollectible => ("Unpaid", "wait"),
        }
    }

    fn is_payable(&self) -> bool {
        matches!(self.state, State::Open | State::Overdue | State::Uncollectible)
    }

    fn notice(&self) -> Option<(&'static str, String)> {
        match self.state {
            State::Draft => Some(("Draft", "This is not an invoice yet: it has no number, and can change.".into())),
            State::Void => {
                let on = self.voided_at.map(|at| format!(" on {}", day(at).text)).unwrap_or_default();
                Some(("Void", format!("This invoice was cancelled{on}. Nothing is owed for it.")))
            }
            _ => None,
        }
    }

    fn dates(&self) -> Vec<(&'static str, When)> {
        let dates = [("Issued", self.issued_at), ("Due", self.due_at), ("Paid", self.paid_at)];
        dates.into_iter().filter_map(|(name, at)| at.map(|at| (name, day(at)))).collect()
    }

    fn headline(&self) -> Headline {
        let totals = &self.totals;
        let (amount, text, when) = match self.state {
            State::Draft => (totals.due, "in all", None),
            State::Open if self.due_at.is_some() => (totals.remaining, "due on", self.due_at),
            State::Overdue => (totals.remaining, "was due on", self.due_at),
            State::Open | State::Uncollectible => (totals.remaining, "to pay", None),
            State::Paid if totals.due.is_zero() => (totals.due, "to pay: nothing is owed", None),
            State::Paid => (totals.paid, "paid on", self.paid_at),
            State::Void => (Decimal::ZERO, "to pay: the invoice is void", None),
        };
        Headline { amount: self.money(amount), text, when: when.map(day) }
    }

    /// How many decimals amounts have on this page.
    fn decimals(&self) -> u32 {
        let totals = &self.totals;
        let sums = [totals.discount, totals.tax, totals.shipping, totals.total, totals.paid, totals.refunded];
        let lines = self.lines.iter().flat_map(|line| [line.amount, line.discount, line.tax]);
        self.decimals.unwrap_or_else(|| lines.chain(sums).map(scale).max().unwrap_or_default())
    }

    /// An amount that stands alone.
    fn money(&self, amount: Decimal) -> String {
        format!("{}\u{a0}{}", number(amount, self.decimals()), self.currency)
    }

    fn items(&self) -> Vec<Item<'_>> {
        let decimals = self.decimals();
        let quantities = column(&self.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), 0);
        let units = column(&self.lines.iter().map(|line| line.unit_amount).collect::<Vec<_>>(), decimals);
        let item = |((line, quantity), unit_amount): ((&'_ Line, _), _)| Item {
            description: "",
            period: line.period.map(|(from, to)| period(from, to)),
            credits: line.credits.as_ref().map(|(amount, currency)| format!("{}\u{a0}{currency}", number(*amount, 0))),
            discount: Some(line.discount).filter(|discount| !discount.is_zero()).map(|off| number(off, decimals)),
            quantity,
            unit_amount,
            tax: tax_of(line),
            amount: number(line.amount, decimals),
        };
        let texts = self.lines.iter().map(|line| line.description.as_deref().unwrap_or("Item"));
        let items = self.lines.iter().zip(quantities).zip(units).map(item);
        items.zip(texts).map(|(item, description)| Item { description, ..item }).collect()
    }

    /// Tax by rate and behaviour, in the order of the lines.
    fn taxes(&self) -> Vec<Tax> {
        let mut taxes: Vec<Tax> = Vec::new();
        for line in self.lines.iter().filter(|line| line.tax_rate.is_some() || !line.tax.is_zero()) {
            match taxes.iter_mut().find(|tax| (tax.rate, tax.is_inclusive) == (line.tax_rate, line.is_inclusive)) {
                Some(tax) => {
                    tax.net = tax.net.saturating_add(line.net);
                    tax.tax = tax.tax.saturating_add(line.tax);
                }
                None => taxes.push(Tax {
                    rate: line.tax_rate,
                    is_inclusive: line.is_inclusive,
                    net: line.net,
                    tax: line.tax,
                }),
            }
        }
        taxes
    }

    /// What is taken off: by a coupon, and otherwise. A provider's checkout may have taken off less than was to be.
    fn discounts(&self) -> impl Iterator<Item = (Option<(&str, Option<&str>)>, Decimal)> {
        let all = self.totals.discount;
        let coupon = self.coupon.as_ref().map(|coupon| {
            let by = (coupon.name.as_str(), coupon.code.as_deref());
            (Some(by), coupon.amount.min(all))
        });
        let rest = all - coupon.map(|(_, amount)| amount).unwrap_or_default();
        coupon.into_iter().chain([(None, rest)]).filter(|(_, amount)| !amount.is_zero())
    }

    fn sums(&self) -> Vec<Sum<'_>> {
        let decimals = self.decimals();
        let totals = &self.totals;
        let row = |name: &str, amount: Decimal| Sum {
            name: name.to_string(),
            by: None,
            amount: number(amount, decimals),
            is_sum: false,
        };
        let sum = |name: &str, amount: Decimal| Sum { amount: self.money(amount), is_sum: true, ..row(name, amount) };
        let named = |tax: &Tax| {
            let rate = tax.rate.map(|rate| format!(" {}%", number(rate, 0))).unwrap_or_default();
            format!("Tax{rate} on {}", number(tax.net, decimals))
        };
        let taxes = self.taxes();
        let mut rows = vec![row("Subtotal", totals.subtotal)];
        rows.extend(self.discounts().map(|(by, amount)| Sum { by, ..row("Discount", -amount) }));
        rows.extend(taxes.iter().filter(|tax| !tax.is_inclusive).map(|tax| row(&named(tax), tax.tax)));
        if !totals.shipping.is_zero() {
            rows.push(row("Shipping", totals.shipping));
        }
        rows.push(sum("Total", totals.total));
        for tax in taxes.iter().filter(|tax| tax.is_inclusive) {
            rows.push(row(&format!("{}, included", named(tax)), tax.tax));
        }
        if taxes.iter().any(|tax| tax.is_inclusive) || taxes.len() > 1 {
            rows.push(row("Total without tax", totals.net));
        }
        if totals.total < Decimal::ZERO {
            rows.push(row("Left over for the next invoice", totals.total));
        }
        if !totals.paid.is_zero() {
            rows.push(row("Paid", -totals.paid));
        }
        if self.is_payable() || self.state == State::Paid {
            rows.push(sum("Still to pay", totals.remaining));
        }
        if !totals.refunded.is_zero() {
            rows.push(row("Refunded", totals.refunded));
        }
        rows
    }

    fn moved(&self) -> Vec<(&'static str, &'static str, Vec<Moved>)> {
        let decimals = self.decimals();
        let moved = |one: &Move| Moved {
            when: one.at.map(day),
            place: match &one.place {
                Place::Wallet => String::from("Wallet"),
                Place::Outside(reference) => reference.clone().unwrap_or_else(|| String::from("Otherwise")),
                Place::Provider(Some(provider), Some(method)) => format!("{method} ({provider})"),
                Place::Provider(one, other) => {
                    one.clone().or_else(|| other.clone()).unwrap_or_else(|| String::from("Payment provider"))
                }
            },
            amount: number(one.amount, decimals),
            undone: one.undone_at.map(day),
            is_under_way: one.is_under_way,
        };
        [("Payments", "From", &self.payments), ("Refunds", "To", &self.refunds)]
            .into_iter()
            .filter(|(_, _, moves)| !moves.is_empty())
            .map(|(title, column, moves)| (title, column, moves.iter().map(moved).collect()))
            .collect()
    }
}

/// What stands in the tax column.
fn tax_of(line: &Line) -> String {
    match (line.tax_rate, line.is_inclusive) {
        (Some(rate), true) => format!("{}% incl.", number(rate, 0)),
        (Some(rate), false) => format!("{}%", number(rate, 0)),
        (None, true) if !line.tax.is_zero() => String::from("incl."),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests;
