//! Late usage: in the tables, and in the model, which asks again for each part who is the first to pay.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::model::{Event, Model};
use crate::ledger::engine::book::tests::tables::{Tables, label};
use crate::ledger::engine::book::tests::{DECIMALS, GRACE, METERS, Outcome};
use crate::ledger::engine::book::{Book, Overage, Usage};
use crate::ledger::engine::drawdown::{Category, Status};
use crate::ledger::engine::line::Unsettled;
use crate::moment::Time;

impl Tables {
    /// As posting::take_lapsed.
    pub(super) fn take_lapsed(&self, book: &mut Book, occurred_at: Time, from: Time) {
        let may_pay = self.grants.values().filter(|g| {
            g.status == Status::Expired
                && g.expires_at > occurred_at
                && g.expires_at >= from.plus_seconds(-GRACE)
                && !self.by_hand.contains(&g.id)
                && !self.suspended.contains(&g.id)
        });
        let may_pay: Vec<_> = may_pay.cloned().collect();
        book.take_grants(may_pay.clone());
        for row in &may_pay {
            let grant = book.grant(row.id).expect("just loaded");
            let lapsed = (grant.lapsed - self.otherwise(row)).max(Decimal::ZERO);
            book.take_lapsed(row.id, lapsed);
        }
    }

    pub(super) fn record_late(&mut self, now: Time, id: u128, cost: Decimal, meter: usize, ago: i64) -> Outcome {
        self.unsettled.push(Unsettled {
            identifier: label(id),
            event_name: METERS[meter].to_string(),
            cost,
            decimals: 1,
            created_at: now,
            occurred_at: Some(now.plus_seconds(-ago)),
        });
        self.events.push((label(id), Some(false)));
        Outcome::Nothing
    }

    pub(super) fn late(
        &mut self,
        mut book: Book,
        id: u128,
        cost: Decimal,
        meter: usize,
        ago: i64,
        windows: usize,
    ) -> Outcome {
        self.window(&mut book, cost, &[METERS[meter]], windows);
        let occurred_at = book.posted_at.plus_seconds(-ago);
        let from = book.posted_at;
        self.take_lapsed(&mut book, occurred_at, from);
        let identifier = label(id);
        let usage = Usage { occurred_at: Some(occurred_at), ..Usage::new(&identifier, METERS[meter]) };
        let charged = book.charge(&usage, cost, Overage::Pending, DECIMALS).expect("nothing to refuse it");
        self.events.push((identifier, Some(false)));
        self.post(book);
        Outcome::Charged(charged.consumed, charged.pending)
    }
}

impl Model {
    /// Part by part, from the first grant in line that may pay, whether it can be drawn on or has lapsed.
    pub(super) fn late(&mut self, meter: usize, cost: Decimal, ago: i64) -> Outcome {
        let (now, occurred_at) = (self.time(), self.time().plus_seconds(-ago));
        let mut parts: Vec<(usize, Decimal)> = Vec::new();
        let mut open = cost;
        while open > Decimal::ZERO {
            let lapsed = |index: usize| {
                let g = &self.grants[index];
                let in_time = g.grant.effective_at <= occurred_at
                    && occurred_at < g.grant.expires_at
                    && now <= g.grant.expires_at.plus_seconds(GRACE);
                let is_for = g.grant.meters.as_ref().is_none_or(|meters| meters[0] == METERS[meter]);
                let may_pay = g.ended && !g.by_hand && !g.suspended_at_end && in_time && is_for;
                if may_pay { g.lapsed - g.parts - g.gone } else { Decimal::ZERO }
            };
            let has = |index: usize| self.usable(index, Some(meter)) || lapsed(index) > Decimal::ZERO;
            let first = (0..self.grants.len()).filter(|index| has(*index)).min_by_key(|index| {
                let g = &self.grants[*index].grant;
                (g.priority, g.expires_at.0, g.category == Category::Paid, g.effective_at.0, g.id)
            });
            let Some(index) = first else { break };
            let is_usable = self.usable(index, Some(meter));
            let there = if is_usable { self.grants[index].grant.remaining } else { lapsed(index) };
            let part = open.min(there);
            let granted = &mut self.grants[index];
            if is_usable {
                granted.grant.remaining -= part
            } else {
                granted.lapsed -= part
            }
            open -= part;
            parts.push((index, part));
        }
        let owed = open;
        let (canceled, gauge, reclaim) = (false, false, None);
        self.record(Event { meter: Some(meter), parts, owed, canceled, gauge, reclaim });
        Outcome::Charged(cost - owed, owed)
    }
}
