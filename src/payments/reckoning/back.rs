//! What refunds and disputes take from the payments that they name, and from none in particular. Pure.

use crate::amount::Decimal;
use crate::payments::reckoning::{Details, Fact, Kind, Payment, place};
use std::collections::BTreeMap;

/// Where the payment is that a refund or a dispute names; it is made where it was not told yet. `None` where it names none, or
/// may mean one that was told without a name.
fn slot(payments: &mut Vec<Payment>, fact: &Fact) -> Option<usize> {
    let name = fact.payment.as_deref()?;
    if let Some(place) = place(payments, &fact.provider, name) {
        return Some(place);
    }
    if payments.iter().any(|payment| payment.reference.is_none()) {
        return None;
    }
    payments.push(Payment::new(&fact.provider, Some(name), None, Details::default()));
    Some(payments.len() - 1)
}

/// What the whole of a payment is; before it is paid, what is due.
fn whole(amount: Decimal, payments: &[Payment], slot: Option<usize>) -> Decimal {
    match slot {
        Some(place) => payments.get(place).and_then(|payment| payment.paid),
        None => payments.iter().find_map(|payment| payment.paid),
    }
    .unwrap_or(amount)
}

/// Of one payment, what one provider said.
#[derive(Default, Clone, Copy)]
struct Tally {
    /// What the refunds that it told one by one add up to.
    sum: Decimal,
    /// The most that it told of all together.
    total: Decimal,
}

/// A refund that has a reference, and may fail.
struct Refund {
    slot: Option<usize>,
    amount: Option<Decimal>,
    total: Option<Decimal>,
}

/// Puts refunds down to the payments that they name. Returns what each provider told in all, and what is of no payment in
/// particular.
pub fn refunds<'f>(
    amount: Decimal,
    payments: &mut Vec<Payment>,
    facts: impl Iterator<Item = &'f Fact>,
) -> (BTreeMap<String, Decimal>, Decimal) {
    let mut tallies: BTreeMap<&str, BTreeMap<Option<usize>, Tally>> = BTreeMap::new();
    let mut told: BTreeMap<(&str, &str), Refund> = BTreeMap::new();
    for fact in facts {
        let key = fact.reference.as_deref().map(|reference| (fact.provider.as_str(), reference));
        match fact.kind {
            Kind::Refunded => {
                let slot = slot(payments, fact);
                let total = match (fact.amount, fact.total) {
                    (None, None) => Some(whole(amount, payments, slot)),
                    _ => fact.total,
                };
                let tally = tallies.entry(&fact.provider).or_default().entry(slot).or_default();
                tally.sum = tally.sum.saturating_add(fact.amount.unwrap_or_default());
                tally.total = tally.total.max(total.unwrap_or_default());
                key.map(|key| told.insert(key, Refund { slot, amount: fact.amount, total }));
            }
            Kind::RefundFailed => {
                let (slot, one, total) = match key.and_then(|key| told.remove(&key)) {
                    Some(refund) => (refund.slot, refund.amount, refund.amount.or(refund.total)),
                    // It may be in the total that was told.
                    None => (slot(payments, fact), None, fact.amount),
                };
                let tally = tallies.entry(&fact.provider).or_default().entry(slot).or_default();
                tally.sum = (tally.sum - one.unwrap_or_default()).max(Decimal::ZERO);
                tally.total = (tally.total - total.unwrap_or_default()).max(Decimal::ZERO);
            }
            _ => {}
        }
    }
    let (mut by_provider, mut floating) = (BTreeMap::new(), Decimal::ZERO);
    for (provider, tallies) in tallies {
        // What was told one by one of no payment in particular may be in what was told of one in all.
        let (mut named, mut gap) = (Decimal::ZERO, Decimal::ZERO);
        for (slot, tally) in &tallies {
            let Some(payment) = slot.and_then(|place| payments.get_mut(place)) else { continue };
            let most = tally.sum.max(tally.total);
            payment.refunded = payment.refunded.saturating_add(most);
            // Nothing that is told of the others is of one that nobody has paid.
            if payment.paid.is_some() {
                named = named.saturating_add(most);
                gap = gap.saturating_add(most - tally.sum);
            }
        }
        let loose = tallies.get(&None).copied().unwrap_or_default();
        let more = (loose.sum - gap).max(loose.total - named).max(Decimal::ZERO);
        floating = floating.saturating_add(more);
        by_provider.insert(provider.to_string(), named.saturating_add(more));
    }
    (by_provider, floating)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decided {
    Open,
    Won,
    Lost,
}

/// Puts disputes down to the payments that they name. Returns what the last one is by now, and what those take that are of no
/// payment in particular: lost, and open.
pub fn disputes<'f>(
    amount: Decimal,
    payments: &mut Vec<Payment>,
    facts: impl Iterator<Item = &'f Fact>,
) -> (Option<&'static str>, Decimal, Decimal) {
    let mut disputes: Vec<(&Fact, Decided)> = Vec::new();
    let mut decisions: BTreeMap<(&str, &str), Decided> = BTreeMap::new();
    let mut status = None;
    for fact in facts {
        let key = fact.reference.as_deref().map(|reference| (fact.provider.as_str(), reference));
        match fact.kind {
            Kind::Disputed => {
                let known = key.and_then(|key| decisions.get(&key)).copied().unwrap_or(Decided::Open);
                match known {
                    Decided::Open => status = Some("open"),
                    Decided::Lost => status = Some("lost"),
                    Decided::Won => {}
                }
                disputes.push((fact, known));
            }
            Kind::DisputeWon | Kind::DisputeLost => {
                let (decided, name) = match fact.kind {
                    Kind::DisputeWon => (Decided::Won, "won"),
                    _ => (Decided::Lost, "lost"),
                };
                // One without a reference is of the newest that has none either and is open.
                let meant = disputes.iter_mut().rev().find(|(dispute, state)| {
                    dispute.provider == fact.provider
                        && dispute.reference == fact.reference
                        && (key.is_some() || *state == Decided::Open)
                });
                if let Some((_, state)) = meant {
                    (*state, status) = (decided, Some(name));
                }
                key.map(|key| decisions.insert(key, decided));
            }
            _ => {}
        }
    }
    let (mut lost, mut open) = (Decimal::ZERO, Decimal::ZERO);
    for (dispute, decided) in disputes.into_iter().filter(|(_, decided)| *decided != Decided::Won) {
        let slot = slot(payments, dispute);
        let taken = dispute.amount.unwrap_or_else(|| whole(amount, payments, slot));
        let is_lost = decided == Decided::Lost;
        match slot.and_then(|place| payments.get_mut(place)) {
            Some(payment) => {
                payment.disputed = payment.disputed.saturating_add(taken);
                payment.lost = payment.lost.saturating_add(if is_lost { taken } else { Decimal::ZERO });
            }
            None if is_lost => lost = lost.saturating_add(taken),
            None => open = open.saturating_add(taken),
        }
    }
    (status, lost, open)
}

/// Takes what is of no payment in particular from the latest payments with money left; what is beyond all of them, from the
/// latest that only an open dispute takes, or else from the latest.
pub fn spread(payments: &mut [Payment], mut open: Decimal, take: impl Fn(&mut Payment, Decimal)) {
    for room in [Payment::left, Payment::room] {
        for payment in payments.iter_mut().rev().filter(|payment| payment.paid.is_some()) {
            let part = room(payment).min(open);
            take(payment, part);
            open -= part;
        }
    }
    if let Some(latest) = payments.iter_mut().rfind(|payment| payment.paid.is_some()) {
        take(latest, open);
    }
}
