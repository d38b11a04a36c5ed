//! The tables of one account, loaded into a book and stored from it as posting.rs does, with windows so small that
//! their ends matter.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::reclaims::Reclaimed;
use crate::ledger::engine::book::tests::{Action, DECIMALS, GRACE, METERS, Outcome, make};
use crate::ledger::engine::book::{Book, Due, Overage, Refusal, Rolling, Usage};
use crate::ledger::engine::drawdown::{Grant, Grants, Status};
use crate::ledger::engine::line::{Debt, Hold, HoldStatus, Line, LineType, Period, PeriodDraw, Source, Unsettled};
use crate::moment::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use uuid::Uuid;

pub struct Tables {
    pub book: Book,
    pub grants: BTreeMap<Uuid, Grant>,
    pub debts: BTreeMap<i64, Debt>,
    pub holds: Vec<(Hold, HoldStatus)>,
    /// The meters whose usage they are for.
    pub(super) meters_of_holds: Vec<Option<usize>>,
    pub lines: Vec<Line>,
    pub unsettled: Vec<Unsettled>,
    /// By line: what grants paid for usage that is priced together.
    draws: BTreeMap<i64, PeriodDraw>,
    /// What that usage costs, a meter each.
    gauges: [Decimal; 2],
    /// Clawbacks.
    pub(super) reclaims: Vec<Reclaimed>,
    /// Events that were charged or recorded, and whether they were canceled; `None` for those of a gauge.
    pub(super) events: Vec<(String, Option<bool>)>,
    /// Debits, and what went back of each.
    pub(super) debits: Vec<(Uuid, Decimal)>,
    /// Of grants, the parts that were ended by hand; and those that were ended by hand.
    pub(super) parts: BTreeMap<Uuid, Decimal>,
    pub(super) by_hand: BTreeSet<Uuid>,
    /// Those that are suspended, or were when they ended.
    pub(super) suspended: BTreeSet<Uuid>,
    /// Of grants, how they roll over; and what did, by the grant that it came from.
    pub(super) rolling: BTreeMap<Uuid, Rolling>,
    pub(super) rolled: BTreeMap<Uuid, (Uuid, Decimal)>,
}

impl Tables {
    pub fn new() -> Self {
        let book = Book { grace: GRACE, ..Book::unused("u", "CREDIT") };
        Tables {
            book,
            grants: BTreeMap::new(),
            debts: BTreeMap::new(),
            holds: Vec::new(),
            meters_of_holds: Vec::new(),
            lines: Vec::new(),
            unsettled: Vec::new(),
            draws: BTreeMap::new(),
            gauges: [Decimal::ZERO; 2],
            reclaims: Vec::new(),
            events: Vec::new(),
            debits: Vec::new(),
            parts: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            suspended: BTreeSet::new(),
            rolling: BTreeMap::new(),
            rolled: BTreeMap::new(),
        }
    }

    pub(super) fn owed(&self) -> Vec<Debt> {
        self.debts.values().filter(|d| d.pending > Decimal::ZERO).cloned().collect()
    }

    /// For each meter's gauge: what grants paid and did not get back, what is owed, what it costs.
    pub fn gauges(&self) -> [(Decimal, Decimal, Decimal); 2] {
        [0, 1].map(|meter| {
            let drawn = self.draws.values().filter(|d| d.period.event_name == METERS[meter]).map(|d| d.amount).sum();
            let of_gauge = |d: &&Debt| d.source.period().is_some_and(|p| p.event_name == METERS[meter]);
            (drawn, self.debts.values().filter(of_gauge).map(|d| d.pending).sum(), self.gauges[meter])
        })
    }

    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(|(_, status)| *status == HoldStatus::Open).map(|(hold, _)| hold)
    }

    pub(super) fn givers(&self, holds: &[Hold]) -> Vec<Grant> {
        holds.iter().flat_map(|h| &h.parts).map(|(id, _)| self.grants[id].clone()).collect()
    }

    /// As posting::bring_up_to_date.
    pub fn open(&self, now: Time, windows: usize) -> Book {
        let mut book = self.book.clone();
        let since = book.posted_at;
        book.posted_at = self.unsettled.iter().map(|u| u.created_at).fold(since.max(now), Time::max);
        let late = book.next_change_at <= book.posted_at;
        if !late && self.unsettled.is_empty() {
            return book;
        }
        let (at, mut next) = (book.posted_at, book.next_change_at);
        let mut due = Due { usage: self.unsettled.clone(), ..Due::default() };
        if !due.usage.is_empty() {
            let meters: Vec<&str> = due.usage.iter().map(|u| u.event_name.as_str()).collect();
            self.window(&mut book, due.usage.iter().map(|u| u.cost).sum(), &meters, windows);
            let from = due.usage.iter().map(|u| u.created_at).min();
            if let Some((occurred_at, from)) = due.usage.iter().filter_map(|u| u.occurred_at).min().zip(from) {
                self.take_lapsed(&mut book, occurred_at, from);
            }
        }
        if late {
            let is_due = |g: &&Grant| match g.status {
                Status::Granted | Status::Suspended => g.expires_at <= at,
                Status::Scheduled => g.effective_at <= at,
                _ => false,
            };
            due.holds = self.open_holds().filter(|h| h.expires_at <= at).cloned().collect();
            due.givers = self.givers(&due.holds);
            due.grants = self.grants.values().filter(is_due).cloned().collect();
            due.rolling = self.rolling_of(due.grants.iter().chain(&due.givers));
            if due.incoming() > Decimal::ZERO {
                due.debts = self.owed();
            }
            let later = self.grants.values().filter_map(|g| match g.status {
                Status::Granted | Status::Suspended if g.expires_at > at => Some(g.expires_at),
                Status::Scheduled if g.effective_at > at => Some(g.effective_at),
                _ => None,
            });
            let holds = self.open_holds().map(|h| h.expires_at).filter(|e| *e > at);
            next = later.chain(holds).min().unwrap_or(Time::NEVER);
        }
        book.advance(since, due);
        book.next_change_at = next.min(book.first_to_end());
        book
    }

    /// As posting::take_windows.
    pub fn window(&self, book: &mut Book, need: Decimal, meters: &[&str], mut limit: usize) {
        let is_open = |g: &&Grant| {
            let pays = g.pays(None) || meters.iter().any(|meter| g.pays(Some(meter)));
            g.status == Status::Granted && g.expires_at > book.posted_at && pays
        };
        let open = Grants::new(self.grants.values().filter(is_open).cloned().collect());
        loop {
            let window: Vec<Grant> = open.iter().take(limit).cloned().collect();
            let complete = window.len() < limit;
            if complete || book.open_in(&window) > need {
                return book.take_window(window, complete);
            }
            limit *= 2;
        }
    }

    /// As posting::post.
    pub fn post(&mut self, mut book: Book) {
        assert!(book.is_sound(), "a posting that PostgreSQL would be spared");
        self.post_rollovers(&book);
        for grant in book.changed_grants() {
            let row = self.grants.get_mut(&grant.id).expect("a grant that was written");
            (row.remaining, row.lapsed, row.status) = (grant.remaining, grant.lapsed, grant.status);
        }
        for grant in book.changed_clawbacks() {
            self.grants.get_mut(&grant.id).expect("a grant that was written").clawbacks = grant.clawbacks.clone();
        }
        for (id, taken) in &book.taken {
            self.reclaims.iter_mut().find(|r| r.id == *id).expect("a reclaim that was written").taken += taken;
        }
        for debt in book.changed_debts() {
            self.debts.insert(debt.debt_no, Debt { changed: false, ..debt.clone() });
        }
        for closed in &book.closed {
            let hold = self.holds.iter_mut().find(|(h, _)| h.id == closed.id).expect("a hold that was written");
            hold.1 = closed.status;
        }
        for (line_no, draw) in book.changed_draws() {
            if draw.amount.is_zero() {
                self.draws.remove(&line_no);
            } else {
                self.draws.insert(line_no, PeriodDraw { stored: draw.amount, ..draw.clone() });
            }
        }
        self.unsettled.retain(|u| !book.settled.iter().any(|(_, identifier)| *identifier == u.identifier));
        self.lines.append(&mut book.lines);
        let balances = [book.available, book.restricted, book.held, book.pending];
        let key = (book.customer_id.clone(), book.currency.clone());
        let head = book.next_head();
        let times = (book.next_change_at, book.posted_at);
        self.book = Book::new(key, balances, book.overdraft_limit, head, times, (book.last_line, book.last_debt));
        (self.book.issued, self.book.grace) = (book.issued, GRACE);
    }

    /// What really remains of a grant: the account's row has that of the head.
    pub fn remaining(&self, id: Uuid) -> Decimal {
        match self.book.head {
            Some((head, remaining)) if head == id => remaining,
            _ => self.grants[&id].remaining,
        }
    }

    /// What the code around the book does for each call.
    pub fn apply(&mut self, now: Time, id: u128, action: &Action, windows: usize) -> Outcome {
        if let Action::Record { amount, meter } = action {
            self.unsettled.push(Unsettled {
                identifier: label(id),
                event_name: METERS[*meter].to_string(),
                cost: Decimal::new(*amount, 1),
                decimals: 1,
                created_at: now,
                occurred_at: None,
            });
            self.events.push((label(id), Some(false)));
            return Outcome::Nothing;
        }
        if let Action::Late { amount, meter, ago, record: true } = action {
            return self.record_late(now, id, Decimal::new(*amount, 1), *meter, *ago);
        }
        let mut book = self.open(now, windows);
        if action.names_a_grant() && !book.rolled_over.is_empty() {
            book = self.open_posted(book, windows);
        }
        match action {
            Action::Record { .. } => Outcome::Nothing,
            Action::Late { amount, meter, ago, .. } => {
                self.late(book, id, Decimal::new(*amount, 1), *meter, *ago, windows)
            }
            Action::Gauge { amount, meter } => self.gauge(book, id, Decimal::new(*amount, 1), *meter, windows),
            Action::Wait { .. } => Outcome::Nothing,
            Action::Grant { .. } => {
                let grant = make(id, book.posted_at, action);
                self.window(&mut book, Decimal::ZERO, &[], windows);
                self.grants.insert(grant.id, grant.clone());
                self.roll(&grant, action);
                if grant.status == Status::Scheduled {
                    book.schedule_grant(grant);
                } else {
                    book.open_grant(LineType::Grant, grant, None, self.owed());
                }
                self.post(book);
                Outcome::Nothing
            }
            Action::Charge { amount, meter: Some(meter), reject } => {
                let cost = Decimal::new(*amount, 1);
                if book.head_suffices(cost) {
                    book.take_head();
                } else {
                    self.window(&mut book, cost, &[METERS[*meter]], windows);
                }
                let overage = if *reject { Overage::Reject } else { Overage::Pending };
                let identifier = label(id);
                let outcome = book.charge(&Usage::new(&identifier, METERS[*meter]), cost, overage, DECIMALS);
                if book.is_changed() {
                    self.post(book);
                }
                match outcome {
                    Ok(charged) => {
                        self.events.push((identifier, Some(false)));
                        Outcome::Charged(charged.consumed, charged.pending)
                    }
                    Err(Refusal::Short(_)) => Outcome::Refused,
                    Err(Refusal::Limit(reason)) => panic!("{reason}"),
                    Err(Refusal::Exceeded(exceeded)) => panic!("{exceeded:?}"),
                }
            }
            Action::Charge { amount, meter: None, .. } => {
                let amount = Decimal::new(*amount, 1);
                self.window(&mut book, amount, &[], windows);
                let outcome = book.withdraw(LineType::Debit, Uuid::from_u128(id), amount);
                self.debits.extend(outcome.is_ok().then_some((Uuid::from_u128(id), Decimal::ZERO)));
                self.post(book);
                outcome.map_or(Outcome::Refused, |_| Outcome::Charged(amount, Decimal::ZERO))
            }
            Action::Hold { amount, lasts, meter } => {
                let amount = Decimal::new(*amount, 1);
                let name = meter.map(|meter| METERS[meter]);
                self.window(&mut book, amount, name.as_slice(), windows);
                let expires_at = book.posted_at.plus_seconds(*lasts);
                let outcome = book.hold(Uuid::from_u128(id), name, amount, expires_at);
                if let Ok(hold) = &outcome {
                    self.meters_of_holds.push(*meter);
                    self.holds.push((hold.clone(), HoldStatus::Open));
                }
                self.post(book);
                outcome.map_or(Outcome::Refused, |_| Outcome::Charged(amount, Decimal::ZERO))
            }
            Action::Close { which, tenths } => self.capture(book, *which, *tenths, true, windows),
            Action::Part { which, tenths } => self.capture(book, *which, *tenths, false, windows),
            Action::Resize { which, amount, lasts } => {
                self.resize(book, *which, Decimal::new(*amount, 1), *lasts, windows)
            }
            Action::End { which, void } => {
                let Some(id) = self.grants.keys().nth(*which).copied() else { return Outcome::Nothing };
                let mut copy = book.clone();
                copy.take_grants(vec![self.grants[&id].clone()]);
                // One that has ended stays as it is, also if nothing was left that could expire.
                let open = copy.grant(id).filter(|grant| !grant.has_ended(book.posted_at));
                let Some(remaining) = open.map(|grant| grant.remaining) else { return Outcome::Nothing };
                self.by_hand.insert(id);
                self.window(&mut book, remaining, &[], windows);
                book.take_grants(vec![self.grants[&id].clone()]);
                book.end_grant(id, if *void { Status::Voided } else { Status::Expired });
                self.post(book);
                Outcome::Nothing
            }
            Action::Cancel { which } => self.cancel(book, *which, windows),
            Action::Change { which, priority, lasts } => self.change(book, *which, *priority, *lasts, windows),
            Action::Reverse { which, tenths } => self.reverse(book, id, *which, *tenths, windows),
            Action::Reclaim { which, tenths, owes } => self.reclaim(book, id, *which, *tenths, *owes, windows),
            Action::Undo { which } => self.undo(book, *which, windows),
            Action::EndPart { which, tenths, void } => self.end_part(book, id, *which, *tenths, *void, windows),
            Action::Mistake { which, tenths } => self.mistake(book, id, *which, *tenths, windows),
            Action::Suspend { which } => self.suspend(book, *which, windows),
            Action::Resume { which } => self.resume(book, *which, windows),
            Action::Extend { which, lasts } => self.extend(book, *which, *lasts, windows),
        }
    }

    /// As metering::accounts and metering::period.
    fn gauge(&mut self, mut book: Book, id: u128, cost: Decimal, meter: usize, windows: usize) -> Outcome {
        let period = Rc::new(Period { event_name: METERS[meter].to_string(), key: String::new() });
        let more = cost - std::mem::replace(&mut self.gauges[meter], cost);
        let identifier = label(id);
        let usage = Usage { period: Some(period.clone()), ..Usage::new(&identifier, METERS[meter]) };
        self.window(&mut book, more.max(Decimal::ZERO), &[METERS[meter]], windows);
        self.events.push((identifier.clone(), None));
        let came = if more < Decimal::ZERO {
            book.take_debts(self.owed());
            let back = -more - book.owed_in(&period);
            let mut rows = self.draws.iter().rev().filter(|(_, d)| d.period == period);
            while book.drawn_for(&period) < back {
                let (line_no, draw) = rows.next().expect("what was charged was drawn");
                book.take_draw(*line_no, draw.clone());
                book.take_grants(vec![self.grants[&draw.grant_id].clone()]);
            }
            Outcome::Charged(-book.lower(&usage, -more), Decimal::ZERO)
        } else {
            let charged = book.charge(&usage, more, Overage::Pending, DECIMALS).expect("nothing to refuse it");
            Outcome::Charged(charged.consumed, charged.pending)
        };
        book.touch();
        self.post(book);
        came
    }

    /// As account::post_due.
    pub(super) fn open_posted(&mut self, mut book: Book, windows: usize) -> Book {
        if !book.is_changed() {
            return book;
        }
        let at = book.posted_at;
        self.window(&mut book, Decimal::ZERO, &[], windows);
        self.post(book);
        self.open(at, windows)
    }

    fn cancel(&mut self, book: Book, which: usize, windows: usize) -> Outcome {
        let Some((id, Some(canceled))) = self.events.get(which).cloned() else { return Outcome::Nothing };
        if canceled {
            return Outcome::Refused;
        }
        let mut book = self.open_posted(book, windows);
        let of_event =
            |l: &&Line| l.source == Some(Source::Event(id.clone(), None)) && l.effect.balance < Decimal::ZERO;
        let draws: Vec<(Uuid, Decimal)> = self
            .lines
            .iter()
            .filter(of_event)
            .map(|l| (l.grant_id.expect("a grant that paid"), -l.effect.balance))
            .collect();
        let of_event = |d: &Debt| d.source.identifier() == Some(&id);
        let owed = self.debts.values().find(|d| of_event(d)).map_or(Decimal::ZERO, |d| d.pending);
        self.window(&mut book, Decimal::ZERO, &[], windows);
        book.take_grants(draws.iter().map(|(grant_id, _)| self.grants[grant_id].clone()).collect());
        book.cancel(&Usage::new(&id, ""), owed, &draws, self.owed());
        self.events[which].1 = Some(true);
        for debt in self.debts.values_mut().filter(|d| of_event(d)) {
            (debt.consumed, debt.pending) = (Decimal::ZERO, Decimal::ZERO);
        }
        self.post(book);
        Outcome::Charged(draws.iter().map(|(_, amount)| *amount).sum(), owed)
    }

    fn change(&mut self, mut book: Book, which: usize, priority: i16, lasts: i64, windows: usize) -> Outcome {
        let Some(id) = self.grants.keys().nth(which).copied() else { return Outcome::Nothing };
        book = self.open_posted(book, windows);
        let expires_at = book.posted_at.plus_seconds(lasts);
        let mut copy = book.clone();
        copy.take_grants(vec![self.grants[&id].clone()]);
        let grant = copy.grant(id).expect("just taken in");
        if grant.has_ended(book.posted_at) || expires_at <= grant.effective_at {
            return Outcome::Refused;
        }
        let row = self.grants.get_mut(&id).expect("a grant that is there");
        (row.priority, row.expires_at) = (priority, expires_at);
        book.next_change_at = book.next_change_at.min(expires_at);
        self.window(&mut book, Decimal::ZERO, &[], windows);
        book.take_grants(book.head.map(|(head, _)| self.grants[&head].clone()).into_iter().collect());
        self.post(book);
        Outcome::Nothing
    }
}

/// The identifier of an event: in order of their text in the order in which they came.
pub(super) fn label(id: u128) -> String {
    format!("{id:06}")
}
