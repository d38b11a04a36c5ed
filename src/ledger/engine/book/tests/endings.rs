//! Grants that are ended in part, taken back as a mistake, suspended, resumed and extended: in the tables, and in the model.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::model::Model;
use crate::ledger::engine::book::tests::reclaims::{Reclaimed, Returned};
use crate::ledger::engine::book::tests::tables::Tables;
use crate::ledger::engine::book::tests::{Outcome, model};
use crate::ledger::engine::book::{Book, Mistake};
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::{LineType, Source};
use uuid::Uuid;

impl Tables {
    /// As grant::change::open and account::post_due: a grant by its place, and the book, posted.
    fn opened(&mut self, book: Book, which: usize, windows: usize) -> Option<(Book, Grant)> {
        let id = self.grants.keys().nth(which).copied()?;
        let book = self.open_posted(book, windows);
        let mut copy = book.clone();
        copy.take_grants(vec![self.grants[&id].clone()]);
        let grant = copy.grant(id).cloned()?;
        Some((book, grant))
    }

    pub(super) fn end_part(
        &mut self,
        book: Book,
        id: u128,
        which: usize,
        tenths: i64,
        void: bool,
        windows: usize,
    ) -> Outcome {
        let Some((mut book, grant)) = self.opened(book, which, windows) else { return Outcome::Nothing };
        let amount = grant.remaining * Decimal::new(tenths, 1);
        if grant.status == Status::Scheduled || grant.has_ended(book.posted_at) || amount.is_zero() {
            return Outcome::Nothing;
        }
        self.window(&mut book, amount, &[], windows);
        book.take_grants(vec![self.grants[&grant.id].clone()]);
        let line_type = if void { LineType::Void } else { LineType::Expiration };
        book.end_part(line_type, grant.id, Uuid::from_u128(id), amount).expect("no more than remains");
        *self.parts.entry(grant.id).or_default() += amount;
        self.post(book);
        Outcome::Charged(amount, Decimal::ZERO)
    }

    pub(super) fn mistake(
        &mut self,
        book: Book,
        id: u128,
        which: usize,
        tenths: Option<i64>,
        windows: usize,
    ) -> Outcome {
        let Some((mut book, grant)) = self.opened(book, which, windows) else { return Outcome::Nothing };
        let bought = self.reclaims.iter().any(|r| r.grant_id == grant.id && !r.mistake);
        if bought || grant.status == Status::Scheduled {
            return Outcome::Nothing;
        }
        if tenths.is_none() && !grant.has_ended(book.posted_at) {
            self.window(&mut book, grant.remaining, &[], windows);
            book.take_grants(vec![self.grants[&grant.id].clone()]);
            book.end_grant(grant.id, Status::Voided);
            self.by_hand.insert(grant.id);
            self.post(book);
            book = self.open(self.book.posted_at, windows);
        }
        let parts = self.open_holds().flat_map(|h| &h.parts);
        let held = parts.filter(|(id, _)| *id == grant.id).map(|(_, amount)| *amount).sum();
        let (_, counted) = self.reclaimed(grant.id);
        let credits = tenths.map(|tenths| grant.amount * Decimal::new(tenths, 1));
        let meters: Vec<&str> = grant.meters.iter().flatten().map(String::as_str).collect();
        let mistake = Mistake {
            operation_id: Uuid::from_u128(id),
            grant_id: grant.id,
            credits,
            event_name: meters.first().copied(),
            held,
            counted,
        };
        self.window(&mut book, grant.amount + grant.remaining, &meters, windows);
        book.take_grants(vec![self.grants[&grant.id].clone()]);
        let Ok(owed) = book.judge_mistake(&mistake) else { return Outcome::Refused };
        if owed.credits().is_zero() {
            return Outcome::Charged(Decimal::ZERO, Decimal::ZERO);
        }
        book.take_mistake(&mistake, owed);
        self.reclaims.push(Reclaimed {
            id: mistake.operation_id,
            grant_id: grant.id,
            credits: owed.credits(),
            taken: Decimal::ZERO,
            undone: false,
            mistake: true,
        });
        self.post(book);
        Outcome::Charged(owed.taken, owed.owed)
    }

    pub(super) fn suspend(&mut self, book: Book, which: usize, windows: usize) -> Outcome {
        let Some((mut book, grant)) = self.opened(book, which, windows) else { return Outcome::Nothing };
        let is_open = matches!(grant.status, Status::Granted | Status::Depleted) && !grant.has_ended(book.posted_at);
        if is_open {
            self.window(&mut book, grant.remaining, &[], windows);
            book.take_grants(vec![self.grants[&grant.id].clone()]);
            book.suspend_grant(grant.id);
            self.suspended.insert(grant.id);
            self.post(book);
        }
        Outcome::Nothing
    }

    pub(super) fn resume(&mut self, book: Book, which: usize, windows: usize) -> Outcome {
        let Some((mut book, grant)) = self.opened(book, which, windows) else { return Outcome::Nothing };
        if grant.status == Status::Suspended {
            self.window(&mut book, grant.remaining, &[], windows);
            book.take_grants(vec![self.grants[&grant.id].clone()]);
            book.resume_grant(grant.id, self.owed());
            self.suspended.remove(&grant.id);
            self.post(book);
        }
        Outcome::Nothing
    }

    /// As grant::extension.
    pub(super) fn extend(&mut self, book: Book, which: usize, lasts: i64, windows: usize) -> Outcome {
        let Some((mut book, grant)) = self.opened(book, which, windows) else { return Outcome::Nothing };
        let expires_at = book.posted_at.plus_seconds(lasts);
        if self.by_hand.contains(&grant.id) || expires_at <= grant.expires_at {
            return Outcome::Refused;
        }
        self.grants.get_mut(&grant.id).expect("a grant that is there").expires_at = expires_at;
        book.next_change_at = book.next_change_at.min(expires_at);
        self.window(&mut book, Decimal::ZERO, &[], windows);
        book.take_grants(book.head.map(|(head, _)| self.grants[&head].clone()).into_iter().collect());
        let mut back = Decimal::ZERO;
        if grant.status != Status::Suspended {
            self.suspended.remove(&grant.id);
        }
        if grant.status == Status::Expired {
            back = (grant.lapsed - self.otherwise(&grant)).max(Decimal::ZERO);
            book.take_grants(vec![self.grants[&grant.id].clone()]);
            book.extend_grant(grant.id, back, self.owed());
        }
        self.post(book);
        Outcome::Charged(back, Decimal::ZERO)
    }

    /// What of a grant is gone for other reasons than its time.
    pub(super) fn otherwise(&self, grant: &Grant) -> Decimal {
        let debts = |id: Uuid| -> Decimal {
            let of_it = self.debts.values().filter(|d| d.source == Source::Operation(id));
            of_it.map(|d| d.consumed + d.pending).sum()
        };
        let reclaims = self.reclaims.iter().filter(|r| r.grant_id == grant.id && !r.undone);
        let gone: Decimal = reclaims.map(|r| r.credits - debts(r.id)).sum();
        let waiting: Decimal = grant.clawbacks.iter().map(|clawback| clawback.amount).sum();
        let rolled = self.rolled.get(&grant.id).map_or(Decimal::ZERO, |(_, amount)| *amount);
        self.parts.get(&grant.id).copied().unwrap_or_default() + rolled + gone - waiting
    }
}

impl Model {
    pub(super) fn end_part(&mut self, which: usize, tenths: i64) -> Outcome {
        let index = self.which(which);
        let Some(granted) = self.grants.get_mut(index) else { return Outcome::Nothing };
        let amount = granted.grant.remaining * Decimal::new(tenths, 1);
        if !granted.started || granted.ended || amount.is_zero() {
            return Outcome::Nothing;
        }
        granted.grant.remaining -= amount;
        granted.lapsed += amount;
        granted.parts += amount;
        Outcome::Charged(amount, Decimal::ZERO)
    }

    pub(super) fn mistake(&mut self, which: usize, tenths: Option<i64>) -> Outcome {
        let index = self.which(which);
        let bought = self.reclaims.iter().any(|r| r.grant == index && !r.mistake);
        let Some(granted) = self.grants.get_mut(index) else { return Outcome::Nothing };
        if bought || (!granted.started && !granted.ended) {
            return Outcome::Nothing;
        }
        if tenths.is_none() {
            granted.by_hand |= !granted.ended;
            granted.end();
        }
        let own = self.reclaims.iter().filter(|r| r.grant == index).flat_map(|r| &r.parts);
        let own: Decimal = own.filter(|(_, _, own)| *own).map(|(_, part, _)| *part).sum();
        let held = self.holds.iter().filter(|h| h.open).flat_map(|h| &h.parts);
        let held: Decimal = held.filter(|(grant, _)| *grant == index).map(|(_, part)| *part).sum();
        let granted = &self.grants[index];
        let remaining = if granted.ended { Decimal::ZERO } else { granted.grant.remaining };
        // Some may have come back by now.
        let gone = granted.lapsed + granted.rolled_over();
        let spent = granted.grant.amount - remaining - held - gone - own - granted.mistaken;
        let spent = spent.max(Decimal::ZERO);
        let held = held - granted.clawbacks.iter().map(|(clawback, ..)| *clawback).sum::<Decimal>();
        let (taken, held, owed) = match tenths {
            None => (Decimal::ZERO, held, spent),
            Some(tenths) => {
                let credits = granted.grant.amount * Decimal::new(tenths, 1);
                let taken = credits.min(remaining);
                let held = held.min(credits - taken);
                (taken, held, credits - taken - held)
            }
        };
        if owed > spent {
            return Outcome::Refused;
        }
        if (taken + held + owed).is_zero() {
            return Outcome::Charged(taken, owed);
        }
        let reclaim = self.reclaims.len();
        let granted = &mut self.grants[index];
        granted.grant.remaining -= taken;
        granted.clawbacks.push((held, reclaim, true));
        let parts = vec![(index, taken, true)];
        let credits = taken + held + owed;
        self.reclaims.push(Returned { grant: index, credits, parts, event: None, undone: false, mistake: true });
        self.owe(reclaim, index, owed);
        self.pay();
        Outcome::Charged(taken, owed)
    }

    pub(super) fn suspend(&mut self, which: usize) -> Outcome {
        let index = self.which(which);
        if let Some(granted) = self.grants.get_mut(index) {
            granted.suspended |= granted.started && !granted.ended;
        }
        Outcome::Nothing
    }

    pub(super) fn resume(&mut self, which: usize) -> Outcome {
        let index = self.which(which);
        if let Some(granted) = self.grants.get_mut(index) {
            granted.suspended = false;
        }
        self.pay();
        Outcome::Nothing
    }

    pub(super) fn extend(&mut self, which: usize, lasts: i64) -> Outcome {
        let index = self.which(which);
        let expires_at = self.time().plus_seconds(lasts);
        let Some(granted) = self.grants.get_mut(index) else {
            return Outcome::Nothing;
        };
        let model::Granted { grant, ended, by_hand, lapsed, parts, gone, suspended_at_end, .. } = granted;
        if *by_hand || expires_at <= grant.expires_at {
            return Outcome::Refused;
        }
        grant.expires_at = expires_at;
        let mut back = Decimal::ZERO;
        *suspended_at_end = false;
        if std::mem::take(ended) {
            back = (*lapsed - *parts - *gone).max(Decimal::ZERO);
            *lapsed -= back;
            grant.remaining = back;
        }
        self.pay();
        Outcome::Charged(back, Decimal::ZERO)
    }
}
