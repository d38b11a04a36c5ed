//! Whether a notification repeats, corrects or contradicts what was recorded before. Pure.

use crate::amount::Decimal;
use crate::payments::notification::Notification;
use crate::payments::notification::case::{ANOTHERS, Case, FOREIGN};
use crate::payments::notification::record::Recorded;
use crate::payments::reckoning::{Details, Fact, Kind};

/// What a notification is to what was recorded before.
pub enum Before<'c> {
    /// Nothing was recorded of it before.
    New,
    /// It is the same.
    Same(&'c Recorded),
    /// It says of which payment a refund or a dispute is, of which another was recorded that is none and so took nothing: the
    /// place of what was recorded then.
    Corrects(usize),
    /// It has the same reference and says something else: why nothing is done.
    Other(String),
}

/// Something else was recorded before under the same reference.
fn another(what: &str, before: &str, now: &str) -> String {
    format!("another {what} was recorded before under the same reference, {before} and not {now}: nothing is done")
}

/// What does not fit where a payment is paid back, or disputed, that nobody has reported yet.
pub fn before_paid(what: &str, payment: Option<&str>) -> String {
    match payment {
        Some(payment) => format!("it is {what}, and the payment {payment} was not reported yet"),
        None => format!("it is {what} and was not paid yet"),
    }
}

impl Case {
    /// What was recorded when the same was reported before and counted: only what has a reference can be known again.
    pub fn known(&self, kind: Kind, notification: &Notification<'_>) -> Option<&Recorded> {
        self.named(kind, notification.provider, notification.reference).find(|recorded| recorded.counts)
    }

    fn named<'c, 'n>(
        &'c self,
        kind: Kind,
        provider: &'n str,
        reference: Option<&'n str>,
    ) -> impl Iterator<Item = &'c Recorded> + use<'c, 'n> {
        self.recorded.iter().filter(move |recorded| {
            let fact = &recorded.fact;
            fact.kind == kind
                && reference.is_some()
                && fact.reference.as_deref() == reference
                && fact.provider == provider
        })
    }

    /// What a notification is to what was recorded before.
    pub fn before(&self, fact: &Fact) -> Before<'_> {
        let named = || self.named(fact.kind, &fact.provider, fact.reference.as_deref());
        let counting = || named().filter(|recorded| recorded.counts);
        let refused = || named().find(|recorded| !recorded.counts && agree(&recorded.fact, fact));
        if self.refused.is_some() {
            return refused().map_or(Before::New, Before::Same);
        }
        match counting().next() {
            // What did not count then, does not now; but it may come in the right currency, or for the right top-up.
            None => named()
                .find(|recorded| {
                    let is_passing = |why: &String| why.starts_with(ANOTHERS) || why.starts_with(FOREIGN);
                    let passing = recorded.contradiction.as_ref().is_some_and(is_passing);
                    !recorded.counts && !passing && agree(&recorded.fact, fact)
                })
                .map_or(Before::New, Before::Same),
            Some(first) if counting().all(|recorded| agree(&recorded.fact, fact)) => Before::Same(first),
            Some(first) => match refused() {
                Some(recorded) => Before::Same(recorded),
                None => match counting().find_map(|recorded| other_amount(&recorded.fact, fact)) {
                    Some((part, before, now)) => {
                        let text = |amount: Decimal| amount.normalize().to_string();
                        Before::Other(another(part, &text(before), &text(now)))
                    }
                    None => {
                        let name = |fact: &Fact| fact.payment.clone().unwrap_or_default();
                        let other = another("payment", &name(&first.fact), &name(fact));
                        self.corrected(first).map_or(Before::Other(other), Before::Corrects)
                    }
                },
            },
        }
    }

    /// Where what was recorded is, if it is of a payment that nobody has reported, so that it took nothing, and has not failed
    /// either.
    fn corrected(&self, first: &Recorded) -> Option<usize> {
        let fact = &first.fact;
        let failed = self.named(Kind::RefundFailed, &fact.provider, fact.reference.as_deref());
        let took = first.operation_id.is_some()
            || failed.into_iter().any(|recorded| recorded.counts)
            || self.standing().payment_of(&fact.provider, fact.payment.as_deref()).is_some();
        self.recorded.iter().position(|recorded| std::ptr::eq(recorded, first)).filter(|_| !took)
    }
}

/// Whether two notifications under one reference say the same, as far as both say it. How a refund or a dispute ended
/// is of the payment that the beginning named.
fn agree(one: &Fact, other: &Fact) -> bool {
    let is_beginning = matches!(one.kind, Kind::Refunded | Kind::Disputed);
    let payments = (one.payment.as_ref(), other.payment.as_ref());
    let same_payment = !matches!(payments, (Some(one), Some(other)) if one != other);
    other_amount(one, other).is_none() && (same_payment || !is_beginning)
}

/// The first amount that both say and that is not the same: what it is of, and what each says.
fn other_amount(one: &Fact, other: &Fact) -> Option<(&'static str, Decimal, Decimal)> {
    let parts = |fact: &Fact| {
        let Details { tax, shipping, discount, subtotal } = fact.details;
        [
            ("amount", fact.amount),
            ("total", fact.total),
            ("tax", tax),
            ("shipping", shipping),
            ("discount", discount),
            ("subtotal", subtotal),
        ]
    };
    parts(one).into_iter().zip(parts(other)).find_map(|((name, one), (_, other))| match (one, other) {
        (Some(one), Some(other)) if one != other => Some((name, one, other)),
        _ => None,
    })
}
