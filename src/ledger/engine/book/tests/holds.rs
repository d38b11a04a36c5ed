//! Holds that are captured in whole or in parts, and resized: in the tables, and in the model.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::book::tests::model::Model;
use crate::ledger::engine::book::tests::tables::Tables;
use crate::ledger::engine::book::tests::{METERS, Outcome};
use crate::ledger::engine::line::{Debt, Hold, HoldStatus, Source};

impl Tables {
    /// As ledger::hold::capture.
    pub(super) fn capture(&mut self, mut book: Book, which: usize, tenths: i64, last: bool, windows: usize) -> Outcome {
        let Some(mut hold) = self.open_hold(&book, which) else { return self.no_hold(which) };
        let captured = hold.amount() * Decimal::new(tenths, 1);
        let back = if last { hold.amount() - captured } else { Decimal::ZERO };
        self.window(&mut book, captured, &[], windows);
        book.take_grants(self.givers(std::slice::from_ref(&hold)));
        let debts = self.debts_of(&hold, back);
        let source = Source::Operation(hold.id);
        let spent = book.capture(&mut hold, captured, &source);
        let status = if captured.is_zero() { HoldStatus::Released } else { HoldStatus::Captured };
        book.end_capture(&mut hold, &spent, last.then_some(status), debts);
        self.holds[which].0 = hold;
        book.touch();
        self.post(book);
        Outcome::Charged(captured, Decimal::ZERO)
    }

    /// As ledger::hold::change.
    pub(super) fn resize(
        &mut self,
        mut book: Book,
        which: usize,
        amount: Decimal,
        lasts: i64,
        windows: usize,
    ) -> Outcome {
        let Some(mut hold) = self.open_hold(&book, which) else { return self.no_hold(which) };
        let more = amount - hold.amount();
        let meter = self.meters_of_holds[which].map(|meter| METERS[meter]);
        book.hold_until(&mut hold, book.posted_at.plus_seconds(lasts));
        self.window(&mut book, more.max(Decimal::ZERO), meter.as_slice(), windows);
        book.take_grants(self.givers(std::slice::from_ref(&hold)));
        if more > Decimal::ZERO {
            if book.hold_more(&mut hold, meter, more).is_err() {
                return Outcome::Refused;
            }
        } else {
            let debts = self.debts_of(&hold, -more);
            book.hold_less(&mut hold, -more, debts);
        }
        self.holds[which].0 = hold;
        self.post(book);
        Outcome::Charged(more, Decimal::ZERO)
    }

    pub(super) fn open_hold(&self, book: &Book, which: usize) -> Option<Hold> {
        let (hold, status) = self.holds.get(which)?;
        (*status == HoldStatus::Open && !book.closed.iter().any(|c| c.id == hold.id)).then(|| hold.clone())
    }

    pub(super) fn no_hold(&self, which: usize) -> Outcome {
        if which < self.holds.len() { Outcome::Refused } else { Outcome::Nothing }
    }

    pub(super) fn debts_of(&self, hold: &Hold, back: Decimal) -> Vec<Debt> {
        let mut debts = if back > Decimal::ZERO { self.owed() } else { Vec::new() };
        let of_claim = |d: &&Debt| {
            hold.parts.iter().any(|(id, _)| {
                self.grants[id].clawbacks.iter().any(|clawback| d.source == Source::Operation(clawback.operation_id))
            })
        };
        debts.extend(self.debts.values().filter(of_claim).cloned());
        debts
    }
}

impl Model {
    /// Gives back all but the first `spent` credits of a hold.
    pub(super) fn close(&mut self, which: usize, mut spent: Decimal) {
        self.holds[which].open = false;
        let mut captured = Vec::new();
        let mut back = Vec::new();
        for (index, part) in self.holds[which].parts.clone() {
            let kept = spent.min(part);
            spent -= kept;
            captured.push((index, kept));
            back.push((index, part - kept));
        }
        // Newest draw first.
        for (index, part) in back.into_iter().rev().filter(|(_, part)| !part.is_zero()) {
            self.give_back(index, part);
        }
        for (index, part) in captured {
            self.spent(index, part);
        }
    }

    /// Spends the first credits of a hold that stays open.
    pub(super) fn part(&mut self, which: usize, tenths: i64) -> Outcome {
        let Some(hold) = self.holds.get_mut(which) else { return Outcome::Nothing };
        if !hold.open {
            return Outcome::Refused;
        }
        let total: Decimal = hold.parts.iter().map(|(_, part)| *part).sum();
        let amount = total * Decimal::new(tenths, 1);
        let (mut open, mut spent) = (amount, Vec::new());
        for (index, part) in &mut hold.parts {
            let of_part = open.min(*part);
            open -= of_part;
            *part -= of_part;
            spent.push((*index, of_part));
        }
        for (index, part) in spent {
            self.spent(index, part);
        }
        self.pay();
        Outcome::Charged(amount, Decimal::ZERO)
    }

    pub(super) fn resize(&mut self, which: usize, amount: Decimal, lasts: i64) -> Outcome {
        let Some(hold) = self.holds.get(which) else { return Outcome::Nothing };
        if !hold.open {
            return Outcome::Refused;
        }
        let (meter, more) = (hold.meter, amount - hold.parts.iter().map(|(_, part)| *part).sum::<Decimal>());
        if more > self.payable(meter) {
            return Outcome::Refused;
        }
        let taken = self.take(meter, more.max(Decimal::ZERO));
        let hold = &mut self.holds[which];
        hold.ends = self.now + lasts;
        hold.parts.extend(taken);
        let (mut less, mut back) = (-more, Vec::new());
        for (index, part) in hold.parts.iter_mut().rev().filter(|(_, part)| !part.is_zero()) {
            let of_part = less.min(*part);
            if of_part > Decimal::ZERO {
                *part -= of_part;
                less -= of_part;
                back.push((*index, of_part));
            }
        }
        for (index, part) in back {
            self.give_back(index, part);
        }
        self.pay();
        Outcome::Charged(more, Decimal::ZERO)
    }
}
