//! Which payment a refund or a dispute is of, and what disputes take from those that they name, and from none in particular.
//! Pure.

use crate::amount::Decimal;
use crate::payments::reckoning::{Details, Fact, Kind, Payment, place};
use std::collections::BTreeMap;

/// Where the payment is that a refund or a dispute names; it is made where it was not reported yet. `None` where it names none,
/// or may mean one that was reported without a name.
pub fn slot(payments: &mut Vec<Payment>, fact: &Fact) -> Option<usize> {
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
pub fn whole(amount: Decimal, payments: &[Payment], slot: Option<usize>) -> Decimal {
    match slot {
        Some(place) => payments.get(place).and_then(|payment| payment.paid),
        None => payments.iter().find_map(|payment| payment.paid),
    }
    .unwrap_or(amount)
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
/// latest that only an open dispute takes, then from those of which not all was paid back, or else from the latest. So whether
/// all was paid back does not depend on which payment is the latest.
pub fn spread(payments: &mut [Payment], mut open: Decimal, take: impl Fn(&mut Payment, Decimal)) {
    for room in [Payment::left, Payment::room, Payment::kept] {
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
