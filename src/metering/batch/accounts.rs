//! The accounts that a batch of events charges: locked, brought up to date, charged event by event in the order of the
//! batch, and posted all at once. Opening them is in accounts/opening.rs.

mod opening;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::{Book, Overage, Usage};
use crate::ledger::engine::line::{OwnLine, Period};
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::{account, customer};
use crate::metering::batch::fallback;
use crate::metering::batch::fallback::cover::Covered;
use crate::metering::deferred;
use crate::metering::event::invoiced;
use crate::metering::period::aggregate::Standing;
use crate::metering::period::rank::{self, Rank};
use crate::metering::period::value::Values;
use crate::metering::period::{self, Written, place, unique};
use crate::metering::report::{self, Cost, EventRow, Outcome, Priced};
use crate::moment::Time;
use crate::pg::statement::Session;
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What to do about an account that another session has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// Wait for it.
    Wait,
    /// Skip its events: [`Error::AccountBusy`]. Such events are charged as of when they came, before usage that was
    /// recorded later.
    Skip,
}

/// A map for lookups per event, by keys in the events, with a fast hash.
pub type Map<K, V> = HashMap<K, V, RandomState>;

/// An account, by keys in the events: customer, currency.
type Account<'a> = (&'a str, &'a str);

/// A borrowed key that can be copied.
pub trait Owned {
    /// An owned copy.
    fn owned(&self) -> Key;
}

impl Owned for (&str, &str) {
    fn owned(&self) -> Key {
        (self.0.to_string(), self.1.to_string())
    }
}

/// A period's usage, and whether it changed.
struct Periodic<'a> {
    standing: Standing,
    changed: Option<&'a Priced<'a>>,
    /// Its price, where events of other prices may be of it.
    price: Option<(i32, String)>,
}

/// An event that was charged, or recorded to be charged later.
pub struct Charge {
    /// Its outcome.
    pub row: EventRow,
    /// The ledger line that its own row stands for, if any.
    pub line: Option<OwnLine>,
    /// The period that counts its value already, if one does.
    pub counting: Option<Rc<Period>>,
}

/// What was recorded earlier in the batch for an account, and charged before another event.
struct Settled<'a> {
    key: Account<'a>,
    index: usize,
    /// The account's book without it, if the event may be refused.
    before: Option<Book>,
    unsettled: Vec<&'a Priced<'a>>,
    /// What could not be counted any more.
    staying: Vec<&'a Priced<'a>>,
}

/// The accounts of a batch.
pub struct Accounts<'a> {
    books: Vec<Book>,
    indexes: Map<Account<'a>, usize>,
    /// Accounts that exist but are locked by other sessions.
    busy: HashSet<Account<'a>>,
    /// Existing accounts of deferred events, which lock nothing.
    there: HashSet<Account<'a>>,
    periods: HashMap<period::Key, Periodic<'a>>,
    ranks: Vec<Rank>,
    /// What meters count that count different values.
    values: Values<'a>,
    /// Deferred events of this batch that are still unsettled.
    unsettled: Map<Account<'a>, Vec<&'a Priced<'a>>>,
    /// Deferred events that were charged, before a later event of the batch.
    settled: HashSet<(&'a str, &'a str)>,
    /// Events that are recorded only, and invoiced.
    invoiced: Vec<&'a Priced<'a>>,
    /// What meters' second currencies paid.
    fallbacks: Vec<(&'a Priced<'a>, Covered)>,
}

impl<'a> Accounts<'a> {
    /// The outcome of an event of this batch, as it stands now.
    pub fn as_it_stands(&self, p: &Priced<'_>, row: &EventRow) -> EventRow {
        let key = p.account();
        let book = self.indexes.get(&key).and_then(|index| self.books.get(*index));
        match book {
            Some(book) if !p.meter.deferred || self.settled.contains(&p.event.key()) => {
                let paid = if p.meter.deferred { p.own_cost() } else { row.consumed };
                let debt = book.debt(&p.event.identifier);
                let (consumed, pending) = debt.map_or((paid, row.pending), |debt| (debt.consumed, debt.pending));
                // Unsettled usage counts as spent.
                let available = self.unsettled.get(&key).map_or(book.available, |unsettled| {
                    let mut book = book.clone();
                    charge_unsettled(&mut book, unsettled);
                    book.available
                });
                report::row(p.event, consumed, pending, available, true)
            }
            // Deferred and not charged yet, or of a meter that refuses, in an account that does not exist.
            _ => EventRow { replayed: true, ..row.clone() },
        }
    }

    /// Goes on to a later moment in the account that an event will charge, if nothing falls due in it until then.
    pub fn go_on(&mut self, p: &Priced<'_>, at: Time) -> bool {
        let index = self.indexes.get(&p.account()).copied();
        index.and_then(|index| self.books.get_mut(index)).is_some_and(|book| book.go_on(at))
    }

    /// Charges one event, or records it if its meter is deferred.
    pub fn charge(&mut self, session: &Session, p: &'a Priced<'a>) -> Result<Result<Charge, Error>, Error> {
        let key = p.account();
        if self.busy.contains(&key) {
            return Ok(Err(Error::AccountBusy));
        }
        if p.meter.deferred {
            return if p.meter.invoiced { self.record(session, p) } else { self.defer(session, key, p) };
        }
        let Some(index) = self.indexes.get(&key).copied() else {
            // Only for a meter that refuses: for others the account was created.
            let nothing = &mut Book::unused(&p.event.customer_id, &p.meter.currency);
            return Ok(customer::must_exist(session, &p.event.customer_id)
                .and_then(|()| charge_book(session, nothing, p, p.own_cost()))
                .map(|row| Charge { row, line: None, counting: None }));
        };
        if p.is_together() && p.place().is_none() {
            return Ok(Err(place::missing(&p.event.customer_id)));
        }
        let first = self.settle(key, index, p);
        let second = match self.second(p, index) {
            Err(error) => {
                self.keep(first, false);
                return Ok(Err(error));
            }
            Ok(second) => second.map(|(key, index)| self.settle(key, index, p)),
        };
        let outcome = match (&p.cost, &second) {
            (Cost::Own(cost), Some(second)) => self.charge_both(session, [index, second.index], p, *cost)?,
            (Cost::Own(cost), None) => {
                let book = &mut self.books[index];
                let lines = book.lines.len();
                charge_book(session, book, p, *cost).map(|row| Charge {
                    row,
                    line: book.hand_over(lines),
                    counting: None,
                })
            }
            (Cost::Together(place), _) => {
                let lost = || Error::internal("a period is not there");
                let own = &place.get().ok_or_else(lost)?.period;
                let counting = self.values.find(p.value()).map(|known| known.period.clone());
                let period = counting.as_ref().unwrap_or(own);
                let key = (p.event.customer_id.clone(), period.clone());
                let before = p.continues();
                let own = self.periods.get(&key).ok_or_else(lost)?;
                let carried = carried(&self.periods, &own.standing, &before);
                let periodic = self.periods.get_mut(&key).ok_or_else(lost)?;
                periodic.standing.carried = carried;
                let (book, is_known) = (&mut self.books[index], counting.is_some());
                let outcome = charge_together(session, book, p, (period, is_known), periodic, &mut self.ranks)?;
                if let (Ok(_), Some(value)) = (&outcome, p.value()) {
                    self.values.add(value, period);
                }
                outcome.map(|row| Charge { row, line: None, counting })
            }
        };
        self.keep(first, outcome.is_ok());
        if let Some(second) = second {
            self.keep(second, outcome.is_ok());
        }
        Ok(outcome)
    }

    /// Charges what was recorded earlier in this batch for an account, as if each event had come alone, before `p` is.
    fn settle(&mut self, key: Account<'a>, index: usize, p: &Priced<'_>) -> Settled<'a> {
        let unsettled = self.unsettled.remove(&key).unwrap_or_default();
        let book = &mut self.books[index];
        let may_refuse =
            p.meter.overage == Overage::Reject || book.overdraft_limit.is_some() || p.meter.fallback.is_some();
        let before = (may_refuse && !unsettled.is_empty()).then(|| book.clone());
        let staying = charge_unsettled(book, &unsettled);
        Settled { key, index, before, unsettled, staying }
    }

    /// Keeps what was settled, or if the event was refused takes it back: then it stays unsettled.
    fn keep(&mut self, settled: Settled<'a>, charged: bool) {
        let Settled { key, index, before, unsettled, staying } = settled;
        match before {
            Some(before) if !charged => {
                self.books[index] = before;
                self.unsettled.insert(key, unsettled);
            }
            _ => {
                let stays = |key: &(&str, &str)| staying.iter().any(|p| p.event.key() == *key);
                self.settled.extend(unsettled.iter().map(|earlier| earlier.event.key()).filter(|key| !stays(key)));
                if !staying.is_empty() {
                    self.unsettled.insert(key, staying);
                }
            }
        }
    }

    /// The account in the meter's second currency, where its own account has too little for an event.
    fn second(&self, p: &'a Priced<'a>, index: usize) -> Result<Option<(Account<'a>, usize)>, Error> {
        let key = p.fallback_account().filter(|_| self.books[index].payable(&p.event.event_name) < p.own_cost());
        match key {
            Some(key) if self.busy.contains(&key) => Err(Error::AccountBusy),
            Some(key) => Ok(self.indexes.get(&key).map(|index| (key, *index))),
            None => Ok(None),
        }
    }

    /// Charges an event to its own account and, what that does not cover, to the account in the meter's second currency.
    fn charge_both(
        &mut self,
        session: &Session,
        indexes: [usize; 2],
        p: &'a Priced<'a>,
        cost: Decimal,
    ) -> Result<Result<Charge, Error>, Error> {
        let Ok([own, second]) = self.books.get_disjoint_mut(indexes) else {
            return Err(Error::internal("a meter falls back to its own currency"));
        };
        let outcome = fallback::charge(session, [own, second], p, &usage(p), cost).map(|(row, covered)| {
            self.fallbacks.push((p, covered));
            Charge { row, line: None, counting: None }
        });
        Ok(outcome)
    }

    fn record(&mut self, session: &Session, p: &'a Priced<'a>) -> Result<Result<Charge, Error>, Error> {
        Ok(customer::must_exist(session, &p.event.customer_id).map(|()| {
            self.invoiced.push(p);
            Charge { row: report::recorded(p.event, false), line: None, counting: None }
        }))
    }

    fn defer(
        &mut self,
        session: &Session,
        key: Account<'a>,
        p: &'a Priced<'a>,
    ) -> Result<Result<Charge, Error>, Error> {
        if !self.there.contains(&key) && !self.indexes.contains_key(&key) {
            return Ok(customer::must_exist(session, &p.event.customer_id)
                .and_then(|()| Err(Error::internal("an account was made and is not there"))));
        }
        self.unsettled.entry(key).or_default().push(p);
        Ok(Ok(Charge { row: report::unsettled(p.event, false), line: None, counting: None }))
    }

    /// Drops what was charged to these customers: their accounts stay locked, and nothing is written for them.
    pub fn leave(&mut self, customers: &HashSet<&str>) {
        let left = |customer_id: &str| customers.contains(customer_id);
        self.books.retain(|book| !left(&book.customer_id));
        self.periods.retain(|(customer_id, _), _| !left(customer_id));
        self.ranks.retain(|rank| !left(&rank.customer_id));
        self.values.leave(left);
        self.unsettled.retain(|(customer_id, _), _| !left(customer_id));
        self.fallbacks.retain(|(p, _)| !left(&p.event.customer_id));
        self.invoiced.retain(|p| !left(&p.event.customer_id));
    }

    /// Writes the outcome for all of them.
    pub fn post(mut self, session: &Session, now: Time) -> Result<(), Error> {
        self.books.retain(Book::is_changed);
        if !self.books.is_empty() {
            posting::post(session, &self.books)?;
        }
        let changed = self.periods.iter().filter_map(|((customer_id, period), periodic)| {
            let (p, place) = periodic.changed.and_then(|p| Some((p, p.place()?)))?;
            let own = (p.meter.price_version, p.price_class);
            let price = periodic.price.as_ref().map_or(own, |(version, class)| (*version, class));
            let (currency, standing) = (&p.meter.currency, &periodic.standing);
            Some(Written { customer_id, period, place, currency, standing, price })
        });
        period::write(session, &changed.collect::<Vec<_>>())?;
        fallback::write(session, &self.fallbacks)?;
        rank::write(session, &self.ranks)?;
        unique::write(session, &self.values)?;
        invoiced::add(session, &self.invoiced, now)?;
        let unsettled: Vec<&Priced<'_>> = self.unsettled.into_values().flatten().collect();
        deferred::enqueue(session, &unsettled, now)
    }
}

/// What a period's usage goes on from: decided when its first event comes.
fn carried(periods: &HashMap<period::Key, Periodic<'_>>, standing: &Standing, before: &[period::Key]) -> Decimal {
    standing.carried_after(before.iter().filter_map(|key| periods.get(key)).map(|before| &before.standing))
}

/// Charges unsettled events; those whose debt could not be counted any more stay.
fn charge_unsettled<'a>(book: &mut Book, unsettled: &[&'a Priced<'a>]) -> Vec<&'a Priced<'a>> {
    let mut staying = Vec::new();
    for p in unsettled {
        if book.can_owe_for(&p.event.event_name, p.own_cost(), p.meter.decimals) {
            book.charge_anyway(&usage(p), p.own_cost(), book.posted_at);
        } else {
            staying.push(*p);
        }
    }
    staying
}

fn usage<'p>(p: &Priced<'p>) -> Usage<'p> {
    let (period, member_id) = (p.period().cloned(), p.event.extras.member_id.as_deref());
    let occurred_at = p.is_late.then_some(p.event.occurred_at);
    Usage { period, member_id, occurred_at, ..Usage::new(&p.event.identifier, &p.event.event_name) }
}

fn charge_book(session: &Session, book: &mut Book, p: &Priced<'_>, cost: Decimal) -> Outcome {
    match book.charge(&usage(p), cost, p.meter.overage, p.meter.decimals) {
        Ok(charged) => Ok(report::row(p.event, charged.consumed, charged.pending, book.available, false)),
        Err(refusal) => Err(account::refused(session, book, cost, ("value", p.event.value), refusal)),
    }
}

/// Charges an event by how it changes the price of its period's usage, which may be below zero.
fn charge_together<'a>(
    session: &Session,
    book: &mut Book,
    p: &'a Priced<'a>,
    (period, is_known): (&Rc<Period>, bool),
    periodic: &mut Periodic<'a>,
    ranks: &mut Vec<Rank>,
) -> Result<Outcome, Error> {
    let aggregation = p.meter.aggregation;
    let next = match periodic.standing.with(aggregation, &p.in_period()) {
        _ if is_known => periodic.standing.with_known(),
        Ok(next) => next,
        Err(reason) => return Ok(Err(Error::amount("value", p.event.value, reason))),
    };
    let more = next.credits - periodic.standing.credits;
    let outcome = if more < Decimal::ZERO {
        period::take_what_may_come_back(session, book, period, -more)?;
        let returned = book.lower(&usage(p), -more);
        Ok(report::row(p.event, -returned, Decimal::ZERO, book.available, false))
    } else {
        charge_book(session, book, p, more)
    };
    if outcome.is_ok() {
        book.touch();
        if aggregation.is_ranked() {
            ranks.push(Rank {
                customer_id: p.event.customer_id.clone(),
                period: period.clone(),
                rank: rank::rank(aggregation, p.event.value, p.event.occurred_at),
                event_no: next.last_no,
                identifier: p.event.identifier.clone(),
            });
        }
        periodic.standing = next;
        // Of another price than the period's, it does not say which that is.
        periodic.changed = if is_known { periodic.changed.or(Some(p)) } else { Some(p) };
    }
    Ok(outcome)
}
