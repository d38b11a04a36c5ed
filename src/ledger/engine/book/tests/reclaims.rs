//! Clawbacks and undoing them: in the tables, and in the model.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::model::{Event, Model};
use crate::ledger::engine::book::tests::tables::Tables;
use crate::ledger::engine::book::tests::{METERS, Outcome};
use crate::ledger::engine::book::{Book, Reclaim, Taken};
use crate::ledger::engine::line::{LineType, Source};
use uuid::Uuid;

/// As a row of credits_internal.reclaims.
pub(super) struct Reclaimed {
    pub(super) id: Uuid,
    pub(super) grant_id: Uuid,
    pub(super) credits: Decimal,
    pub(super) taken: Decimal,
    pub(super) undone: bool,
    /// Whether the grant was a mistake, and no purchase's.
    pub(super) mistake: bool,
}

impl Tables {
    /// Of a grant's purchase: what was clawed back in all, and how much of that is paid or owed.
    pub(super) fn reclaimed(&self, grant_id: Uuid) -> (Decimal, Decimal) {
        let of_grant = || self.reclaims.iter().filter(|r| r.grant_id == grant_id && !r.undone);
        let debts = |r: &Reclaimed| -> Decimal {
            let of_it = self.debts.values().filter(|d| d.source == Source::Operation(r.id));
            of_it.map(|d| d.consumed + d.pending).sum()
        };
        (of_grant().map(|r| r.credits).sum(), of_grant().map(debts).sum())
    }

    /// Clawed back credits were taken, are open, owed or gone: never more.
    pub fn reclaims_add_up(&self) {
        for reclaim in &self.reclaims {
            assert!(reclaim.taken <= reclaim.credits);
        }
        for grant in self.grants.values() {
            let (credits, owed) = self.reclaimed(grant.id);
            let clawed_back = grant.clawbacks.iter().map(|clawback| clawback.amount).sum::<Decimal>();
            let taken: Decimal =
                self.reclaims.iter().filter(|r| r.grant_id == grant.id && !r.undone).map(|r| r.taken).sum();
            assert!(clawed_back >= Decimal::ZERO && taken + clawed_back + owed <= credits);
            assert!(taken <= grant.lapsed && credits <= grant.amount);
            for clawback in &grant.clawbacks {
                let of_it = self.reclaims.iter().find(|r| r.id == clawback.operation_id).expect("a reclaim that waits");
                let debts = self.debts.values().filter(|d| d.source == Source::Operation(of_it.id));
                let debts: Decimal = debts.map(|d| d.consumed + d.pending).sum();
                assert!(!of_it.undone && clawback.amount > Decimal::ZERO);
                assert!(of_it.taken + clawback.amount + debts <= of_it.credits);
            }
            let gone = credits - taken - clawed_back - owed;
            assert!(gone <= grant.lapsed - taken, "what is gone expired or was voided");
        }
    }

    /// As payments::clawback.
    pub(super) fn reclaim(
        &mut self,
        book: Book,
        id: u128,
        which: usize,
        tenths: i64,
        owes: bool,
        windows: usize,
    ) -> Outcome {
        let Some(grant_id) = self.grants.keys().nth(which).copied() else { return Outcome::Nothing };
        let mut book = self.open_posted(book, windows);
        let grant = self.grants[&grant_id].clone();
        let (before, owed) = self.reclaimed(grant_id);
        let credits = (grant.amount - before) * Decimal::new(tenths, 1);
        let took_effect = self.lines.iter().any(|l| l.grant_id == Some(grant_id));
        let is_mistaken = self.reclaims.iter().any(|r| r.grant_id == grant_id && r.mistake);
        if credits.is_zero() || !took_effect || is_mistaken {
            return Outcome::Nothing;
        }
        let parts = self.open_holds().flat_map(|h| &h.parts);
        let held = parts.filter(|(id, _)| *id == grant_id).map(|(_, amount)| *amount).sum();
        let clawed_back = grant.clawbacks.iter().map(|clawback| clawback.amount).sum::<Decimal>();
        let meters: Vec<String> = grant.meters.iter().flatten().cloned().collect();
        let meters: Vec<&str> = meters.iter().map(String::as_str).collect();
        self.window(&mut book, credits, &meters, windows);
        let rolled = self.rolled.get(&grant_id).map_or(Decimal::ZERO, |(_, amount)| *amount);
        let lapsed = grant.lapsed - rolled - before + clawed_back + owed;
        book.take_grants(vec![grant]);
        let operation_id = Uuid::from_u128(id);
        let reclaim =
            Reclaim { operation_id, grant_id, credits, owes, event_name: meters.first().copied(), held, lapsed };
        let found = book.reclaim(&reclaim);
        let (taken, undone, mistake) = (Decimal::ZERO, false, false);
        self.reclaims.push(Reclaimed { id: operation_id, grant_id, credits, taken, undone, mistake });
        self.post(book);
        Outcome::Charged(found.taken, found.owed)
    }

    pub(super) fn undo(&mut self, book: Book, which: usize, windows: usize) -> Outcome {
        if self.reclaims.get(which).is_none_or(|r| r.undone || r.mistake) {
            return Outcome::Nothing;
        }
        let mut book = self.open_posted(book, windows);
        let Reclaimed { id, grant_id, taken, .. } = self.reclaims[which];
        let source = Source::Operation(id);
        let (consumed, owed) = self
            .debts
            .values()
            .filter(|d| d.source == source)
            .fold((Decimal::ZERO, Decimal::ZERO), |(c, p), d| (c + d.consumed, p + d.pending));
        let lines = self.lines.iter().filter(|l| l.source.as_ref() == Some(&source));
        let lines: Vec<Taken> = lines
            .filter(|l| l.effect.balance < Decimal::ZERO)
            .map(|l| Taken {
                grant_id: l.grant_id.expect("a grant that gave"),
                amount: -l.effect.balance,
                own: l.line_type == LineType::Refund,
            })
            .collect();
        assert_eq!(lines.iter().map(|l| l.amount).sum::<Decimal>(), taken + consumed);
        self.window(&mut book, Decimal::ZERO, &[], windows);
        let givers = lines.iter().map(|l| l.grant_id).chain([grant_id]).map(|id| self.grants[&id].clone()).collect();
        book.take_grants(givers);
        book.undo_reclaim((id, grant_id), owed, &lines, self.owed());
        (self.reclaims[which].undone, self.reclaims[which].taken) = (true, Decimal::ZERO);
        for debt in self.debts.values_mut().filter(|d| d.source == source) {
            (debt.consumed, debt.pending) = (Decimal::ZERO, Decimal::ZERO);
        }
        self.post(book);
        Outcome::Charged(taken + consumed, owed)
    }
}

/// What a clawback took, from which grants, and whether from the purchase's own.
pub(super) struct Returned {
    pub(super) grant: usize,
    pub(super) credits: Decimal,
    pub(super) parts: Vec<(usize, Decimal, bool)>,
    pub(super) event: Option<usize>,
    pub(super) undone: bool,
    pub(super) mistake: bool,
}

impl Model {
    /// What was spent of a grant whose price was refunded while it was held.
    pub(super) fn spent(&mut self, index: usize, amount: Decimal) {
        for (part, reclaim) in self.grants[index].take_off(amount, true) {
            self.owe(reclaim, index, part);
        }
    }

    pub(super) fn owe(&mut self, reclaim: usize, index: usize, owed: Decimal) {
        if owed.is_zero() {
            return;
        }
        if self.reclaims[reclaim].mistake {
            self.grants[index].mistaken += owed;
        }
        let meters = self.grants[index].grant.meters.clone();
        let meter = meters.and_then(|meters| METERS.iter().position(|meter| *meter == meters[0]));
        let events = &mut self.events;
        let event = *self.reclaims[reclaim].event.get_or_insert_with(|| {
            let (parts, owed) = (Vec::new(), Decimal::ZERO);
            events.push(Event { meter, parts, owed, canceled: false, gauge: false, reclaim: Some(reclaim) });
            events.len() - 1
        });
        self.events[event].owed += owed;
    }

    pub(super) fn reclaim(&mut self, which: usize, tenths: i64, owes: bool) -> Outcome {
        let index = self.which(which);
        let Some(granted) = self.grants.get(index) else { return Outcome::Nothing };
        let credits = (granted.grant.amount - granted.reclaimed) * Decimal::new(tenths, 1);
        let is_mistaken = self.reclaims.iter().any(|r| r.grant == index && r.mistake);
        if credits.is_zero() || !granted.started || granted.never_started || is_mistaken {
            return Outcome::Nothing;
        }
        let held = self.holds.iter().filter(|h| h.open).flat_map(|h| &h.parts);
        let held: Decimal = held.filter(|(grant, _)| *grant == index).map(|(_, part)| *part).sum();
        let reclaim = self.reclaims.len();
        let granted = &mut self.grants[index];
        let outstanding: Decimal = granted.clawbacks.iter().map(|(clawback, ..)| *clawback).sum();
        let mut open = credits;
        let mut part = |there: Decimal| {
            let part = open.min(there).max(Decimal::ZERO);
            open -= part;
            part
        };
        let taken = part(if granted.ended { Decimal::ZERO } else { granted.grant.remaining });
        let held = part(held - outstanding);
        let gone = part(granted.lapsed - granted.gone);
        granted.gone += gone;
        granted.reclaimed += credits;
        let (owed, forgiven) = if owes { (open, Decimal::ZERO) } else { (Decimal::ZERO, open) };
        granted.clawbacks.push((held + forgiven, reclaim, owes));
        let mut parts = Vec::new();
        if taken > Decimal::ZERO {
            granted.grant.remaining -= taken;
            parts.push((index, taken, true));
        }
        let (event, undone, mistake) = (None, false, false);
        self.reclaims.push(Returned { grant: index, credits, parts, event, undone, mistake });
        self.owe(reclaim, index, owed);
        self.pay();
        Outcome::Charged(taken, owed)
    }

    pub(super) fn undo(&mut self, which: usize) -> Outcome {
        if self.reclaims.get(which).is_none_or(|r| r.undone || r.mistake) {
            return Outcome::Nothing;
        }
        let reclaim = &mut self.reclaims[which];
        reclaim.undone = true;
        let (parts, index, credits) = (std::mem::take(&mut reclaim.parts), reclaim.grant, reclaim.credits);
        let owed = reclaim.event.map_or(Decimal::ZERO, |event| std::mem::take(&mut self.events[event].owed));
        let back: Decimal = parts.iter().map(|(_, part, _)| *part).sum();
        let granted = &mut self.grants[index];
        granted.reclaimed -= credits;
        let rest = credits - back - owed;
        let own = granted.clawbacks.iter_mut().filter(|(_, reclaim, _)| *reclaim == which);
        let waited: Decimal = own.map(|(clawback, ..)| std::mem::take(clawback)).sum();
        granted.gone -= rest - waited;
        for (index, part, _) in parts.iter().rev() {
            self.give_back(*index, *part);
        }
        self.pay();
        Outcome::Charged(back, owed)
    }
}
