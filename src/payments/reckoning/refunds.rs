//! What refunds take from the payments that they name, and from none in particular. Pure.
//!
//! Of one payment, what one provider says comes to the most of two things: the refunds that it reported one by one and that
//! have not failed, and what it said of all together. A total that was reported before a refund failed counted that refund. One
//! that is reported after it may have been under way since before: where the refunds that were reported one by one, the failed
//! ones included, come to it, it says nothing of any other, and counts without those that failed; what is more than that is
//! news, and counts as it is. So once every refund is reported one by one the order does not matter, and until then a later
//! total puts right what an earlier one left open. Two totals count whatever failed before them, since they say what went back
//! by a refund that did not: one that has a name and of which nothing else is said, and the whole of a payment. And a refund of
//! which nothing was said but that it failed is in the total that was reported before it, if there is one, and in none after.

use crate::amount::Decimal;
use crate::payments::reckoning::back::{slot, whole};
use crate::payments::reckoning::{Fact, Kind, Payment};
use std::collections::{BTreeMap, BTreeSet};

/// Where a payment is; `None` for none in particular.
type Slot = Option<usize>;

/// A refund that has a reference, and may fail.
struct Refund {
    slot: Slot,
    amount: Option<Decimal>,
    total: Option<Decimal>,
}

/// What was said of all refunds together.
struct Total {
    slot: Slot,
    amount: Decimal,
    /// Its place in all that was reported.
    at: usize,
    /// Whether it counts whatever failed before it.
    stands: bool,
}

/// A refund that did not go through.
struct Failure {
    slot: Slot,
    amount: Decimal,
    /// Its place in all that was reported.
    at: usize,
    /// Whether a total that was reported later may count it.
    may_be_late: bool,
}

/// What one provider said of refunds.
#[derive(Default)]
struct Word<'f> {
    refunds: BTreeMap<&'f str, Refund>,
    /// What the refunds add up to that were reported one by one and have not failed.
    sums: BTreeMap<Slot, Decimal>,
    totals: Vec<Total>,
    failures: Vec<Failure>,
}

impl<'f> Word<'f> {
    fn refunded(&mut self, fact: &'f Fact, slot: Slot, all: Decimal, at: usize) {
        if fact.asked {
            // As if each total of before had been reported after it.
            let more = fact.amount.unwrap_or_default();
            let before = self.totals.iter_mut().filter(|total| total.slot == slot);
            before.for_each(|total| total.amount = total.amount.saturating_add(more));
        }
        let total = if fact.amount.is_none() { fact.total.or(Some(all)) } else { fact.total };
        let sum = self.sums.entry(slot).or_default();
        *sum = sum.saturating_add(fact.amount.unwrap_or_default());
        if let Some(amount) = total {
            let stands = fact.amount.is_none() && (fact.total.is_none() || fact.reference.is_some());
            self.totals.push(Total { slot, amount, at, stands });
        }
        if let Some(reference) = &fact.reference {
            self.refunds.insert(reference, Refund { slot, amount: fact.amount, total });
        }
    }

    fn failed(&mut self, payments: &mut Vec<Payment>, fact: &Fact, at: usize) {
        let refund = fact.reference.as_deref().and_then(|reference| self.refunds.remove(reference));
        let slot = refund.as_ref().and_then(|refund| refund.slot).or_else(|| slot(payments, fact));
        let Some(refund) = refund else {
            let amount = fact.amount.unwrap_or_default();
            let of_one = |total: &Total| slot.is_none() || total.slot.is_none() || total.slot == slot;
            let may_be_late = !self.totals.iter().any(|total| of_one(total) && total.amount >= amount);
            self.failures.push(Failure { slot, amount, at, may_be_late });
            return;
        };
        if let (Some(amount), Some(sum)) = (refund.amount, self.sums.get_mut(&refund.slot)) {
            *sum = (*sum - amount).max(Decimal::ZERO);
        }
        let amount = refund.amount.or(fact.amount).or(refund.total).unwrap_or_default();
        self.failures.push(Failure { slot, amount, at, may_be_late: true });
    }

    /// A failure of no payment in particular is of the one of which the most was reported in all.
    fn place_failures(&mut self, payments: &[Payment]) {
        let name = |total: &Total| total.slot.and_then(|place| payments.get(place)).map(|payment| &payment.reference);
        for failure in self.failures.iter_mut().filter(|failure| failure.slot.is_none()) {
            let may_count = |total: &&Total| total.slot.is_some() && total.amount >= failure.amount;
            let most = self.totals.iter().filter(may_count).max_by_key(|total| (total.amount, name(total)));
            failure.slot = most.and_then(|total| total.slot);
        }
    }

    fn sum(&self, slot: Slot) -> Decimal {
        self.sums.get(&slot).copied().unwrap_or_default()
    }

    /// The most that was said of all refunds of a payment together, without those that failed.
    fn total(&self, slot: Slot) -> Decimal {
        let totals = self.totals.iter().filter(|total| total.slot == slot);
        totals.map(|total| self.counts(total)).fold(Decimal::ZERO, Decimal::max)
    }

    /// What of a total counts.
    fn counts(&self, total: &Total) -> Decimal {
        // One that is more than the total was not in it.
        let failures = self
            .failures
            .iter()
            .filter(|failure| (total.slot.is_none() || failure.slot == total.slot) && failure.amount <= total.amount);
        let (mut after, mut before) = (Decimal::ZERO, Decimal::ZERO);
        for failure in failures {
            if failure.at > total.at {
                after = after.saturating_add(failure.amount);
            } else if failure.may_be_late && !total.stands {
                before = before.saturating_add(failure.amount);
            }
        }
        // What is of no payment in particular may be of this one.
        let sums = self.sums.iter().filter(|(slot, _)| total.slot.is_none() || slot.is_none() || **slot == total.slot);
        let known = sums.fold(after.saturating_add(before), |known, (_, sum)| known.saturating_add(*sum));
        let late = if total.amount <= known { before } else { Decimal::ZERO };
        (total.amount - after - late).max(Decimal::ZERO)
    }
}

/// Puts refunds down to the payments that they name. Returns what each provider reported in all, and what is of no payment in
/// particular.
pub fn refunds<'f>(
    amount: Decimal,
    payments: &mut Vec<Payment>,
    facts: impl Iterator<Item = &'f Fact>,
) -> (BTreeMap<String, Decimal>, Decimal) {
    let mut words: BTreeMap<&str, Word<'_>> = BTreeMap::new();
    for (at, fact) in facts.enumerate() {
        match fact.kind {
            Kind::Refunded => {
                let slot = slot(payments, fact);
                let all = whole(amount, payments, slot);
                words.entry(&fact.provider).or_default().refunded(fact, slot, all, at);
            }
            Kind::RefundFailed => words.entry(&fact.provider).or_default().failed(payments, fact, at),
            _ => {}
        }
    }
    let (mut by_provider, mut floating) = (BTreeMap::new(), Decimal::ZERO);
    for (provider, mut word) in words {
        word.place_failures(payments);
        // What was reported one by one of no payment in particular may be in what was reported of one in all.
        let (mut named, mut gap) = (Decimal::ZERO, Decimal::ZERO);
        for place in word.sums.keys().copied().flatten().collect::<BTreeSet<usize>>() {
            let Some(payment) = payments.get_mut(place) else { continue };
            let sum = word.sum(Some(place));
            let most = sum.max(word.total(Some(place)));
            payment.refunded = payment.refunded.saturating_add(most);
            // Nothing that is reported of the others is of one that nobody has paid.
            if payment.paid.is_some() {
                named = named.saturating_add(most);
                gap = gap.saturating_add(most - sum);
            }
        }
        let more = (word.sum(None) - gap).max(word.total(None) - named).max(Decimal::ZERO);
        floating = floating.saturating_add(more);
        by_provider.insert(provider.to_string(), named.saturating_add(more));
    }
    (by_provider, floating)
}
