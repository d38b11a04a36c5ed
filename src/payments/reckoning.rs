//! What the payments, refunds and disputes of one purchase come to, each payment by itself, whatever the order in which they
//! were reported. Pure.
//!
//! A payment is known by its provider and reference. What names no payment is of the purchase as a whole: it is taken from the
//! latest payments with money left, and moves as others are reported: nobody said which, and the order must not matter. Of one
//! payment each provider's word counts once: refunds reported one by one add up, the most that was reported of all together
//! includes them, and different providers add up. Where refunds fail: reckoning/refunds.rs.

mod back;
mod refunds;

use self::back::{disputes, spread};
use self::refunds::refunds;
use crate::amount::Decimal;
use std::collections::BTreeMap;

/// What can be reported of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Money came.
    Succeeded,
    /// It did not.
    Failed,
    /// Nobody will pay.
    Expired,
    /// Money went back.
    Refunded,
    /// It did not after all.
    RefundFailed,
    /// Money may go back.
    Disputed,
    /// It does not.
    DisputeWon,
    /// It does.
    DisputeLost,
    /// A payment is under way.
    Processing,
    /// The customer has to confirm it.
    RequiresAction,
}

impl Kind {
    const ALL: [Kind; 10] = [
        Kind::Succeeded,
        Kind::Failed,
        Kind::Expired,
        Kind::Refunded,
        Kind::RefundFailed,
        Kind::Disputed,
        Kind::DisputeWon,
        Kind::DisputeLost,
        Kind::Processing,
        Kind::RequiresAction,
    ];

    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Succeeded => "succeeded",
            Kind::Failed => "failed",
            Kind::Expired => "expired",
            Kind::Refunded => "refunded",
            Kind::RefundFailed => "refund_failed",
            Kind::Disputed => "disputed",
            Kind::DisputeWon => "dispute_won",
            Kind::DisputeLost => "dispute_lost",
            Kind::Processing => "processing",
            Kind::RequiresAction => "requires_action",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a payment is made of, in major units, as far as the provider said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Details {
    /// Tax in it.
    pub tax: Option<Decimal>,
    /// Shipping in it.
    pub shipping: Option<Decimal>,
    /// What the provider took off the price.
    pub discount: Option<Decimal>,
    /// The price of what was bought, before that.
    pub subtotal: Option<Decimal>,
}

impl Details {
    /// Whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        *self == Details::default()
    }

    /// Without what goes without saying: parts of nothing, and a price that there is one way to come to.
    pub fn essential(self) -> Self {
        let there = |part: Option<Decimal>| part.filter(|part| !part.is_zero());
        let (tax, shipping, discount) = (there(self.tax), there(self.shipping), there(self.discount));
        Details { tax, shipping, discount, subtotal: self.subtotal.filter(|_| tax.is_some()) }
    }

    /// What of a payment is no tax and no shipping.
    fn net(&self, paid: Decimal) -> Decimal {
        paid - self.tax.unwrap_or_default() - self.shipping.unwrap_or_default()
    }

    /// What of the price a payment covers, any tax that is in the price counted.
    fn covers(&self, paid: Decimal) -> Decimal {
        paid.saturating_add(self.discount.unwrap_or_default()) - self.shipping.unwrap_or_default()
    }
}

/// One thing that was reported of a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub kind: Kind,
    /// Who says so.
    pub provider: String,
    /// What the provider calls the payment, the refund or the dispute.
    pub reference: Option<String>,
    /// What the payment is called that a refund or a dispute is of.
    pub payment: Option<String>,
    /// Of how much, in major units; `None` for the whole payment, or where nobody said.
    pub amount: Option<Decimal>,
    /// Of a refund: how much by all so far, this one included.
    pub total: Option<Decimal>,
    /// Of a payment: what it is made of.
    pub details: Details,
    /// Of a refund: whether it was asked for here, and so is in no total that was reported before.
    pub asked: bool,
}

/// A payment, and what went back of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who took it.
    pub provider: String,
    /// What the provider calls it.
    pub reference: Option<String>,
    /// How much; `None` while it is only named by a refund or a dispute.
    pub paid: Option<Decimal>,
    /// What it is made of.
    pub details: Details,
    /// What went back by refunds.
    pub refunded: Decimal,
    /// What disputes that are open or lost take.
    pub disputed: Decimal,
    /// The part of it that is lost.
    lost: Decimal,
}

impl Payment {
    fn new(provider: &str, reference: Option<&str>, paid: Option<Decimal>, details: Details) -> Self {
        let (provider, reference) = (provider.to_string(), reference.map(String::from));
        let none = Decimal::ZERO;
        Payment { provider, reference, paid, details, refunded: none, disputed: none, lost: none }
    }

    /// Who took it, and what it is called.
    pub fn name(&self) -> (&str, Option<&str>) {
        (&self.provider, self.reference.as_deref())
    }

    /// What of it is there.
    pub fn left(&self) -> Decimal {
        let back = self.refunded.saturating_add(self.disputed);
        (self.paid.unwrap_or_default() - back).max(Decimal::ZERO)
    }

    /// What of it has not gone back for good.
    fn room(&self) -> Decimal {
        (self.paid.unwrap_or_default() - self.back()).max(Decimal::ZERO)
    }

    /// What of it was not paid back, whatever is disputed.
    pub fn kept(&self) -> Decimal {
        (self.paid.unwrap_or_default() - self.refunded).max(Decimal::ZERO)
    }

    /// What went back of it for good.
    fn back(&self) -> Decimal {
        self.refunded.saturating_add(self.lost)
    }

    /// What went back of it beyond what was paid.
    fn excess(&self) -> Decimal {
        self.paid.map_or(Decimal::ZERO, |paid| (self.back() - paid).max(Decimal::ZERO))
    }
}

/// Payments that cover what was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cover {
    /// What they come to.
    pub paid: Decimal,
    /// The same without tax and shipping.
    pub net: Decimal,
    /// So much more than was due.
    pub surplus: Decimal,
    /// What was due, without tax and shipping and what the provider took off.
    pub due: Decimal,
    /// What the provider took off.
    pub discount: Decimal,
    /// Tax in them.
    pub tax: Decimal,
    /// The part of it that is in the price.
    pub included: Decimal,
    /// Shipping in them.
    pub shipping: Decimal,
    /// The first of them, by its place.
    pub first: usize,
}

/// What all that was reported comes to, in major units of the purchase's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its payments in the order in which they were reported, then those that are only named.
    pub payments: Vec<Payment>,
    /// What was paid in all; `None` before any payment.
    pub paid: Option<Decimal>,
    /// What went back by refunds.
    pub refunded: Decimal,
    /// What disputes that are open or lost take.
    pub disputed: Decimal,
    /// Of the last dispute: 'open', 'won' or 'lost'.
    pub dispute_status: Option<&'static str>,
    /// The payments that cover what was due; `None` while none do.
    pub cover: Option<Cover>,
    /// What was due, without tax and shipping and what the provider took off.
    pub due: Decimal,
    /// What of all payments is there.
    pub remaining: Decimal,
    /// What went back beyond what was paid.
    pub excess: Decimal,
    /// By provider, what it said of refunds.
    reported: BTreeMap<String, Decimal>,
}

impl Standing {
    /// Whether a payment says nothing that is not known of it.
    pub fn says(&self, payment: &Fact) -> bool {
        let is = |known: &&Payment| {
            known.paid.is_some() && known.reference == payment.reference && known.provider == payment.provider
        };
        payment.details.is_empty() || self.payments.iter().find(is).is_some_and(|known| !known.details.is_empty())
    }

    /// Where more went back beyond what was paid than did before: what went back, and of how much.
    pub fn beyond(&self, before: &Standing) -> Option<(Decimal, Decimal)> {
        if self.excess <= before.excess {
            return None;
        }
        let excess_before = |place| before.payments.get(place).map_or(Decimal::ZERO, Payment::excess);
        let (_, payment) =
            self.payments.iter().enumerate().find(|(place, payment)| payment.excess() > excess_before(*place))?;
        Some((payment.back().normalize(), payment.paid.unwrap_or_default().normalize()))
    }

    /// Whether all that was paid was paid back.
    pub fn is_refunded(&self) -> bool {
        let kept = self.payments.iter().fold(Decimal::ZERO, |sum, payment| sum.saturating_add(payment.kept()));
        self.refunded > Decimal::ZERO && self.paid.is_some_and(|paid| paid > Decimal::ZERO) && kept.is_zero()
    }

    /// The payment that a refund or a dispute is of: the one that it names, else the latest with money left, else the latest.
    /// None before it is paid.
    pub fn payment_of(&self, provider: &str, named: Option<&str>) -> Option<&Payment> {
        let paid = || self.payments.iter().filter(|payment| payment.paid.is_some());
        match named {
            Some(name) => place(&self.payments, provider, name)
                .and_then(|place| self.payments.get(place).filter(|payment| payment.paid.is_some())),
            None => paid().rfind(|payment| payment.left() > Decimal::ZERO).or_else(|| paid().next_back()),
        }
        .or_else(|| paid().find(|payment| payment.reference.is_none()))
    }

    /// What a provider has reported in all once it says that all of a payment was paid back: of that payment, or of all where
    /// it has no name.
    pub fn whole(&self, provider: &str, payment: &Payment) -> Decimal {
        match payment.reference {
            Some(_) => payment.paid.unwrap_or_default(),
            None => self.reported.get(provider).copied().unwrap_or_default().saturating_add(payment.kept()),
        }
    }
}

/// What facts come to. `amount` is what is due for the purchase.
pub fn reckon<'f>(amount: Decimal, facts: impl Iterator<Item = &'f Fact> + Clone) -> Standing {
    let mut payments = payments(facts.clone());
    let cover = cover(amount, &payments);
    let (reported, floating) = refunds(amount, &mut payments, facts.clone());
    let (status, lost, open) = disputes(amount, &mut payments, facts);
    let sum = |payments: &[Payment], of: fn(&Payment) -> Decimal| {
        payments.iter().map(of).fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let refunded = sum(&payments, |payment| payment.refunded).saturating_add(floating);
    let disputed = sum(&payments, |payment| payment.disputed).saturating_add(lost).saturating_add(open);
    spread(&mut payments, floating, |payment, part| payment.refunded = payment.refunded.saturating_add(part));
    spread(&mut payments, lost, |payment, part| {
        payment.disputed = payment.disputed.saturating_add(part);
        payment.lost = payment.lost.saturating_add(part);
    });
    spread(&mut payments, open, |payment, part| payment.disputed = payment.disputed.saturating_add(part));
    let nothing = (Decimal::ZERO, Decimal::ZERO);
    payments.retain(|payment| payment.paid.is_some() || (payment.refunded, payment.disputed) != nothing);
    let paid = sum(&payments, |payment| payment.paid.unwrap_or_default());
    Standing {
        paid: payments.iter().any(|payment| payment.paid.is_some()).then_some(paid),
        refunded,
        disputed,
        dispute_status: status,
        due: cover.map_or(amount, |cover| cover.due),
        cover,
        remaining: sum(&payments, Payment::left),
        excess: sum(&payments, Payment::excess),
        reported,
        payments,
    }
}

/// The payments that were reported. Whoever reports one first says how much it is; what it is made of may be reported later.
fn payments<'f>(facts: impl Iterator<Item = &'f Fact>) -> Vec<Payment> {
    let mut payments: Vec<Payment> = Vec::new();
    for fact in facts.filter(|fact| fact.kind == Kind::Succeeded) {
        let known = payments.iter_mut().find(|payment| {
            fact.reference.is_some() && payment.reference == fact.reference && payment.provider == fact.provider
        });
        match known {
            Some(payment) if payment.details.is_empty() => payment.details = fact.details,
            Some(_) => {}
            None => {
                let (reference, paid) = (fact.reference.as_deref(), fact.amount.or(Some(Decimal::ZERO)));
                payments.push(Payment::new(&fact.provider, reference, paid, fact.details));
            }
        }
    }
    payments
}

/// The payments that a purchase is granted for: the first that covers what is due, by itself or with all before it.
fn cover(amount: Decimal, payments: &[Payment]) -> Option<Cover> {
    (0..payments.len()).find_map(|last| {
        let alone = covered_by(amount, &payments[last..=last]).map(|cover| Cover { first: last, ..cover });
        alone.or_else(|| covered_by(amount, &payments[..=last]))
    })
}

/// What payments come to that cover what is due.
///
/// Tax may be in the price or on top of it. Where the price is not given by itself, so much of the tax is on top as was paid
/// beyond what is due.
fn covered_by(amount: Decimal, payments: &[Payment]) -> Option<Cover> {
    let [mut most, mut least, mut loose, mut included] = [Decimal::ZERO; 4];
    let mut cover = Cover::default();
    for payment in payments {
        let (paid, details) = (payment.paid.unwrap_or_default(), &payment.details);
        let (covers, tax) = (details.covers(paid), details.tax.unwrap_or_default());
        match details.subtotal {
            Some(price) => {
                (most, least) = (most.saturating_add(price), least.saturating_add(price));
                included = included.saturating_add((tax - (covers - price).max(Decimal::ZERO)).max(Decimal::ZERO));
            }
            None => {
                (most, least) = (most.saturating_add(covers), least.saturating_add(covers - tax));
                loose = loose.saturating_add(tax);
            }
        }
        cover.discount = cover.discount.saturating_add(details.discount.unwrap_or_default());
        cover.tax = cover.tax.saturating_add(tax);
        cover.shipping = cover.shipping.saturating_add(details.shipping.unwrap_or_default());
        (cover.paid, cover.net) = (cover.paid.saturating_add(paid), cover.net.saturating_add(details.net(paid)));
    }
    if most < amount {
        return None;
    }
    included = included.saturating_add(loose - loose.min(most - amount));
    cover.due = (amount - cover.discount - included).max(Decimal::ZERO);
    (cover.included, cover.surplus) = (included, (least - amount).max(Decimal::ZERO));
    Some(cover)
}

/// Where the payment is that a name means: that provider's, or else whoever's it is.
fn place(payments: &[Payment], provider: &str, name: &str) -> Option<usize> {
    let is = |payment: &&Payment| payment.reference.as_deref() == Some(name);
    let own = payments.iter().position(|payment| is(&payment) && payment.provider == provider);
    own.or_else(|| payments.iter().position(|payment| is(&payment)))
}

#[cfg(test)]
mod tests;
