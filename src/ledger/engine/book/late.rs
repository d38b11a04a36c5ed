//! Late usage: what happened before a grant's end and is charged within a time of grace after it. It may still be paid by
//! what lapsed with the grant's time, in the grant's place in line: the credits come back and are spent at once.

use crate::amount::Decimal;
use crate::ledger::engine::book::{Book, Usage};
use crate::ledger::engine::drawdown::{Draw, Grant, Precedence, Status};
use crate::ledger::engine::line::{LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

impl Book {
    /// Loads what lapsed with the time of a loaded grant and did not come back. A grant that ended in this book is newer.
    pub fn take_lapsed(&mut self, id: Uuid, lapsed: Decimal) {
        self.lapsed.entry(id).or_insert(lapsed);
    }

    /// A grant ended by its time: what lapses now and later may pay late usage.
    pub(super) fn lapsed_by_time(&mut self, id: Uuid, amount: Decimal) {
        if self.grace > 0 {
            *self.lapsed.entry(id).or_default() += amount;
        }
    }

    /// Some of what lapsed stands for credits that went back: it pays no late usage. In the tables, reclaims say so.
    pub(super) fn went_back(&mut self, id: Uuid, amount: Decimal) {
        self.lapsed.entry(id).and_modify(|lapsed| *lapsed -= amount);
    }

    /// What may pay late usage at a moment, in line: grants that had begun and not ended when it happened.
    fn payers_of_late(&self, usage: &Usage<'_>, at: Time) -> Vec<(Precedence, Uuid, Decimal)> {
        let Some(occurred_at) = usage.occurred_at else { return Vec::new() };
        let may_pay = |grant: &Grant| {
            grant.status == Status::Expired
                && grant.effective_at <= occurred_at
                && occurred_at < grant.expires_at
                && at <= grant.expires_at.plus_seconds(self.grace)
                && grant.pays(Some(usage.event_name))
        };
        let lapsed = self.lapsed.iter().filter(|(_, amount)| **amount > Decimal::ZERO);
        let grants = lapsed.filter_map(|(id, amount)| self.grant(*id).map(|grant| (grant, *amount)));
        let mut payers: Vec<_> =
            grants.filter(|(grant, _)| may_pay(grant)).map(|(g, amount)| (g.precedence(), g.id, amount)).collect();
        payers.sort();
        payers
    }

    /// The total of it.
    pub(super) fn payable_late(&self, usage: &Usage<'_>, at: Time) -> Decimal {
        self.payers_of_late(usage, at).iter().map(|(_, _, amount)| *amount).sum()
    }

    /// Pays usage: from the grants in line, and if it is late from what lapsed, each in its place. Returns what was paid.
    pub(super) fn pay_usage(&mut self, usage: &Usage<'_>, cost: Decimal, source: &Source, at: Time) -> Decimal {
        let mut paid = Decimal::ZERO;
        for (precedence, id, lapsed) in self.payers_of_late(usage, at) {
            let before = self.grants.draw_before(Some(usage.event_name), cost - paid, Some(&precedence));
            paid += self.take(LineType::Consumption, &before, source, at);
            paid += self.pay_from_lapsed(id, lapsed.min(cost - paid), source, at);
        }
        let rest = self.grants.draw(Some(usage.event_name), cost - paid);
        paid + self.take(LineType::Consumption, &rest, source, at)
    }

    fn pay_from_lapsed(&mut self, id: Uuid, part: Decimal, source: &Source, at: Time) -> Decimal {
        if part <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        let Some(mut grant) = self.take_out(id) else {
            self.broken = true;
            return Decimal::ZERO;
        };
        grant.lapsed -= part;
        (grant.changed, grant.reclaimed) = (true, true);
        let draw = Draw { grant: grant.reference(), amount: part };
        self.bring_back(LineType::Reinstatement, &grant, part, at);
        self.insert(grant);
        self.lapsed.entry(id).and_modify(|lapsed| *lapsed -= part);
        self.take(LineType::Consumption, &[draw], source, at)
    }
}
