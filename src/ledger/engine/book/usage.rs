//! What meter events do to a book: they are charged, now or as of when they were reported; they lower what earlier
//! events of their period cost; they are canceled.

use crate::amount::{self, AmountError, Decimal};
use crate::ledger::engine::book::{Book, Refusal, Short};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::limit::{Exceeded, Use};
use crate::ledger::engine::line::{Debt, Effect, LineType, Period, PeriodDraw, Source, Unsettled};
use crate::moment::Time;
use std::rc::Rc;
use uuid::Uuid;

/// What to do with the part of a charge that no credit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overage {
    /// Record it as owed.
    Pending,
    /// Refuse the whole charge.
    Reject,
}

/// How a charge was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// Credits that grants paid.
    pub consumed: Decimal,
    /// Credits owed.
    pub pending: Decimal,
}

/// One event's usage.
#[derive(Debug, Clone)]
pub struct Usage<'a> {
    /// The event.
    pub identifier: &'a str,
    /// Its meter: which grants may pay.
    pub event_name: &'a str,
    /// The member whose usage it is.
    pub member_id: Option<&'a str>,
    /// The period whose usage is priced together, if the event belongs to one.
    pub period: Option<Rc<Period>>,
    /// What was paid for it before, less what came back.
    pub consumed: Decimal,
    /// Its number in payment order, if it owed something before.
    pub debt_no: Option<i64>,
    /// When it happened, if what lapsed meanwhile may pay it.
    pub occurred_at: Option<Time>,
}

impl<'a> Usage<'a> {
    /// The usage of a new event that is priced by itself.
    pub fn new(identifier: &'a str, event_name: &'a str) -> Self {
        Usage {
            identifier,
            event_name,
            member_id: None,
            period: None,
            consumed: Decimal::ZERO,
            debt_no: None,
            occurred_at: None,
        }
    }

    fn spending(&self, cost: Decimal) -> Use<'a> {
        Use { member_id: self.member_id, event_name: Some(self.event_name), amount: cost }
    }

    pub(super) fn source(&self) -> Source {
        Source::Event(self.identifier.to_string(), self.period.clone())
    }
}

impl Book {
    /// Charges usage of a meter.
    pub fn charge(
        &mut self,
        usage: &Usage<'_>,
        cost: Decimal,
        overage: Overage,
        decimals: u32,
    ) -> Result<Charged, Refusal> {
        let late = self.payable_late(usage, self.posted_at);
        let rest = (cost - late).max(Decimal::ZERO);
        self.would_owe(Some(usage.event_name), rest, overage, decimals).map_err(|refusal| match refusal {
            Refusal::Short(short) => Refusal::Short(Short { available: short.available + late, ..short }),
            limit => limit,
        })?;
        self.limits.admit(&usage.spending(cost)).map_err(Refusal::Exceeded)?;
        Ok(self.draw(usage, cost, self.posted_at))
    }

    /// Charges the rest of usage for which a hold has paid `usage.consumed` now.
    pub fn charge_rest(
        &mut self,
        usage: &Usage<'_>,
        rest: Decimal,
        overage: Overage,
        decimals: u32,
    ) -> Result<Charged, Refusal> {
        if rest > Decimal::ZERO {
            return self.charge(usage, rest, overage, decimals);
        }
        if usage.period.is_some() && usage.consumed > Decimal::ZERO {
            self.record(usage, usage.consumed);
        }
        Ok(Charged { consumed: Decimal::ZERO, pending: Decimal::ZERO })
    }

    /// What a charge of that meter, or with `None` a plain debit, would leave owed, or why it would be refused.
    pub(super) fn would_owe(
        &self,
        event_name: Option<&str>,
        cost: Decimal,
        overage: Overage,
        decimals: u32,
    ) -> Result<Decimal, Refusal> {
        let payable = self.grants.payable(event_name);
        let owed = (cost - payable).max(Decimal::ZERO);
        if owed > Decimal::ZERO {
            let would_owe = self.pending + self.invoiced + owed;
            let limit = self.overdraft_limit.filter(|limit| would_owe > *limit).map(|limit| [limit, would_owe]);
            if overage == Overage::Reject || limit.is_some() {
                let limit = limit.filter(|_| overage != Overage::Reject);
                return Err(Refusal::Short(Short { available: payable, limit }));
            }
            if !amount::is_countable(self.pending + owed, decimals) {
                return Err(Refusal::Limit(AmountError::TooMuchOwed));
            }
        }
        Ok(owed)
    }

    /// Charges usage that can no longer be refused, as of a moment: what no credit covers is owed.
    pub fn charge_anyway(&mut self, usage: &Usage<'_>, cost: Decimal, at: Time) -> Charged {
        self.limits.take(&usage.spending(cost));
        self.draw(usage, cost, at)
    }

    fn draw(&mut self, usage: &Usage<'_>, cost: Decimal, at: Time) -> Charged {
        let source = usage.source();
        let consumed = self.pay_usage(usage, cost, &source, at);
        if cost > Decimal::ZERO {
            self.spent();
        }
        let owed = cost - consumed;
        if owed > Decimal::ZERO {
            self.post(LineType::Debt, None, Effect { pending: owed, ..Effect::default() }, Some(&source), at);
            let identity = (usage.source(), Some(usage.event_name), usage.debt_no);
            self.owe(identity, usage.consumed, consumed, owed);
        } else if usage.period.is_some() && consumed > Decimal::ZERO {
            self.record(usage, usage.consumed + consumed);
        }
        Charged { consumed, pending: owed }
    }

    /// Adds to a debt, which keeps its position in payment order, or creates it at the end.
    pub(super) fn owe(
        &mut self,
        (source, event_name, debt_no): (Source, Option<&str>, Option<i64>),
        before: Decimal,
        consumed: Decimal,
        owed: Decimal,
    ) {
        let debt_no = debt_no.unwrap_or_else(|| {
            self.last_debt += 1;
            self.last_debt
        });
        let debt = self.debts.entry(debt_no).or_insert_with(|| Debt {
            source,
            event_name: event_name.map(String::from),
            consumed: before,
            pending: Decimal::ZERO,
            debt_no,
            changed: true,
        });
        debt.consumed += consumed;
        debt.pending += owed;
        debt.changed = true;
    }

    /// What events of a meter can take, of the grants that are loaded.
    pub fn payable(&self, event_name: &str) -> Decimal {
        self.grants.payable(Some(event_name))
    }

    /// Sets what is paid for an event that was charged less than its row says.
    pub fn set_consumed(&mut self, usage: &Usage<'_>, consumed: Decimal) {
        self.record(usage, consumed);
        self.touch();
    }

    /// Takes room for an event in the limits of what may be spent, if they have it.
    pub fn admit(&mut self, usage: &Usage<'_>, amount: Decimal) -> Result<(), Box<Exceeded>> {
        self.limits.admit(&usage.spending(amount))
    }

    /// Pays for an event of a meter in another currency, which this account covers and whose limits have room.
    pub fn pay(&mut self, usage: &Usage<'_>, amount: Decimal) {
        let draws = self.grants.draw(Some(usage.event_name), amount);
        let paid = self.take(LineType::Consumption, &draws, &usage.source(), self.posted_at);
        self.broken |= paid != amount;
        if amount > Decimal::ZERO {
            self.spent();
        }
    }

    /// What is paid for an event, to be written into its row.
    pub(super) fn record(&mut self, usage: &Usage<'_>, consumed: Decimal) {
        match self.debts.values_mut().find(|debt| debt.source.identifier() == Some(usage.identifier)) {
            Some(debt) => (debt.consumed, debt.changed) = (consumed, true),
            None => drop(self.charged.insert(usage.identifier.to_string(), consumed)),
        }
    }

    /// Charges usage that was recorded earlier. It was not judged then, since the account was not read. If more would
    /// be owed than can be counted, it is canceled.
    pub(super) fn settle(&mut self, usage: &Unsettled, at: Time) {
        if self.can_owe_for(&usage.event_name, usage.cost, usage.decimals) {
            let late = Usage { occurred_at: usage.occurred_at, ..Usage::new(&usage.identifier, &usage.event_name) };
            self.charge_anyway(&late, usage.cost, at);
        } else {
            self.charged.insert(usage.identifier.clone(), Decimal::ZERO);
            self.uncountable.push(usage.identifier.clone());
        }
        self.settled.push((usage.created_at, usage.identifier.clone()));
    }

    /// Whether what a charge would leave owed can be counted.
    pub fn can_owe_for(&self, event_name: &str, cost: Decimal, decimals: u32) -> bool {
        let countable = |owed: Decimal| amount::is_countable(self.pending + owed, decimals);
        countable(cost) || countable((cost - self.grants.payable(Some(event_name))).max(Decimal::ZERO))
    }

    /// Lowers what a period's usage costs, because of one event: first what is owed for the period, the newest debt
    /// first, then what grants paid for it comes back to them, newest draw first. That pays other debts. Returns what
    /// came back. Everything that may be lowered must be loaded.
    pub fn lower(&mut self, usage: &Usage<'_>, amount: Decimal) -> Decimal {
        let at = self.posted_at;
        let mut open = amount;
        let mut forgiven: Vec<(Source, Decimal)> = Vec::new();
        let of_period = |d: &Debt| d.source.period() == usage.period.as_ref() && d.pending > Decimal::ZERO;
        for debt in self.debts.values_mut().rev().filter(|d| of_period(d)) {
            let part = open.min(debt.pending);
            if part > Decimal::ZERO {
                debt.pending -= part;
                debt.changed = true;
                open -= part;
                forgiven.push((debt.source.clone(), part));
            }
        }
        for (source, part) in forgiven {
            self.post(LineType::Reversal, None, Effect { pending: -part, ..Effect::default() }, Some(&source), at);
        }
        let mut back: Vec<(Uuid, Decimal)> = Vec::new();
        for draw in self.draws.values_mut().rev().filter(|d| Some(&d.period) == usage.period.as_ref()) {
            let part = open.min(draw.amount);
            if part > Decimal::ZERO {
                draw.amount -= part;
                open -= part;
                // Adjacent draws from one grant share a line.
                match back.last_mut() {
                    Some((grant_id, amount)) if *grant_id == draw.grant_id => *amount += part,
                    _ => back.push((draw.grant_id, part)),
                }
            }
        }
        self.broken |= !open.is_zero();
        let source = usage.source();
        for (grant_id, part) in &back {
            self.give_back(LineType::Reversal, &source, *grant_id, *part, at);
        }
        let returned: Decimal = back.iter().map(|(_, part)| *part).sum();
        if !returned.is_zero() {
            self.record(usage, usage.consumed - returned);
        }
        self.pay_debts(at);
        returned
    }

    /// What is owed for a period's usage, as far as it is loaded.
    pub fn owed_in(&self, period: &Period) -> Decimal {
        let of_period = |d: &&Debt| d.source.period().is_some_and(|p| **p == *period);
        self.debts.values().filter(of_period).map(|d| d.pending).sum()
    }

    /// Whether one of the grants that paid for a period's usage is for certain meters only, as far as it is loaded.
    pub fn any_restricted_draw(&self, period: &Period) -> bool {
        let mut paid = self.draws.values().filter(|d| *d.period == *period);
        paid.any(|d| self.grant(d.grant_id).is_none_or(Grant::is_restricted))
    }

    /// What grants paid for a period's usage, as far as it is loaded.
    pub fn drawn_for(&self, period: &Period) -> Decimal {
        self.draws.values().filter(|d| *d.period == *period).map(|d| d.amount).sum()
    }

    /// The line of the oldest loaded draw for a period.
    pub fn oldest_draw(&self, period: &Period) -> Option<i64> {
        self.draws.iter().find(|(_, d)| *d.period == *period).map(|(line_no, _)| *line_no)
    }

    /// Loads what a grant paid for a period's usage by one line.
    pub fn take_draw(&mut self, line_no: i64, draw: PeriodDraw) {
        self.draws.entry(line_no).or_insert(draw);
    }

    /// Cancels one event that is priced by itself: its debt is dropped, and what grants paid for it (`draws`, oldest
    /// first) returns to them, newest draw first; that pays other debts. The grants must be loaded.
    pub fn cancel(&mut self, usage: &Usage<'_>, owed: Decimal, draws: &[(Uuid, Decimal)], debts: Vec<Debt>) {
        let at = self.posted_at;
        let source = usage.source();
        self.take_debts(debts);
        self.debts.retain(|_, debt| debt.source.identifier() != Some(usage.identifier));
        if owed > Decimal::ZERO {
            let effect = Effect { pending: -owed, ..Effect::default() };
            self.post(LineType::Reversal, None, effect, Some(&source), at);
        }
        for (grant_id, amount) in draws.iter().rev() {
            self.give_back(LineType::Reversal, &source, *grant_id, *amount, at);
        }
        self.pay_debts(at);
    }
}
