//! Opening the accounts of a batch: which there must be, locking them, and reading what its events can need of them.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::{Book, Overage};
use crate::ledger::engine::posting::{self, Key};
use crate::metering::batch::accounts::{Account, Accounts, Locking, Map, Owned, Periodic, carried};
use crate::metering::batch::fallback;
use crate::metering::period::value::Values;
use crate::metering::period::{self, aggregate, place, unique};
use crate::metering::report::Priced;
use crate::moment::Time;
use crate::pg::statement::Session;
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

/// What a batch needs of one account.
#[derive(Default)]
struct Need {
    /// Credits, at most.
    credits: Decimal,
    /// Whether it must exist even if it has nothing to pay with.
    made: bool,
    /// Whether an event of it is charged now.
    charged: bool,
    /// Whether an event of it will be charged later.
    deferred: bool,
    /// Whether credits may come back.
    returns: bool,
    /// When its first late event happened.
    late: Option<Time>,
}

impl<'a> Accounts<'a> {
    /// Locks the accounts that events will charge; missing ones are created if something may be owed.
    pub fn open(session: &Session, events: Vec<&'a Priced<'a>>, now: Time, locking: Locking) -> Result<Self, Error> {
        let mut needs: Map<Account<'a>, Need> = Map::default();
        for p in &events {
            let need = needs.entry(p.account()).or_default();
            need.add(p.own_cost());
            // Only events that may end up owing, or that a period counts, need an account: without one there is nothing
            // to pay with.
            need.made |= p.meter.overage == Overage::Pending || p.is_together() || p.meter.fallback.is_some();
            need.charged |= !p.meter.deferred;
            need.deferred |= p.meter.deferred;
            need.returns |= p.is_together();
            if p.is_late {
                need.late = Some(need.late.map_or(p.event.occurred_at, |late| late.min(p.event.occurred_at)));
            }
            if let Some(key) = p.fallback_account() {
                let need = needs.entry(key).or_default();
                need.add(fallback::most(p));
                need.charged = true;
                // Its lines stay lines of their own.
                need.returns = true;
            }
        }
        let sorted = |of: &dyn Fn(&Account<'a>, &Need) -> bool| {
            let mut accounts: Vec<Account<'a>> =
                needs.iter().filter(|(key, n)| of(key, n)).map(|(key, _)| *key).collect();
            accounts.sort_unstable();
            accounts
        };
        let kept = |accounts: &[Account<'a>]| -> Vec<Key> { accounts.iter().map(Owned::owned).collect() };
        posting::make(session, &kept(&sorted(&|_, n| n.made)))?;
        // Deferred events lock nothing, except the first of an account.
        let deferred = sorted(&|_, n| n.deferred);
        let there = among(&deferred, &posting::which_expect(session, &kept(&deferred))?);
        let locked = sorted(&|key, n| n.charged || !there.contains(key));
        let mut books = open_books(session, &kept(&locked), now, locking)?;
        // What the inbox has in it cannot be refused any more, except by its meter.
        if locking == Locking::Wait {
            let members = events.iter().filter_map(|p| p.event.extras.member_id.as_deref());
            posting::take_limits(session, &mut books, members)?;
        }
        let first = |b: &&mut Book| {
            !b.defers && needs.get(&(b.customer_id.as_str(), b.currency.as_str())).is_some_and(|need| need.deferred)
        };
        posting::expect_unsettled(session, &mut books.iter_mut().filter(first).collect::<Vec<_>>())?;
        let mut indexes = Map::with_capacity_and_hasher(books.len(), RandomState::default());
        // Both are in key order, and every book is of one of these accounts.
        let mut keys = locked.iter().copied();
        for (index, book) in books.iter().enumerate() {
            indexes.extend(keys.find(|key| *key == (&book.customer_id, &book.currency)).map(|key| (key, index)));
        }
        let mut busy = HashSet::new();
        if locking == Locking::Skip {
            let missing: Vec<Account<'a>> = locked.into_iter().filter(|key| !indexes.contains_key(key)).collect();
            busy = among(&missing, &posting::which_are_there(session, &kept(&missing))?);
        }
        let mut accounts = Accounts {
            books,
            indexes,
            busy,
            there,
            periods: HashMap::new(),
            ranks: Vec::new(),
            values: Values::default(),
            unsettled: Map::default(),
            settled: HashSet::new(),
            invoiced: Vec::new(),
            fallbacks: Vec::new(),
        };
        accounts.take_periods(session, &events, &mut needs)?;
        accounts.take_grants(session, &events, &needs)?;
        Ok(accounts)
    }

    /// Reads the standing of these events' periods, and how much more their usage can cost.
    fn take_periods(
        &mut self,
        session: &Session,
        events: &[&'a Priced<'a>],
        needs: &mut Map<Account<'a>, Need>,
    ) -> Result<(), Error> {
        let mut of_period: HashMap<period::Key, Vec<&Priced<'_>>> = HashMap::new();
        let opened = || events.iter().copied().filter(|p| self.indexes.contains_key(&p.account()));
        place::of_customers(session, opened())?;
        self.values = unique::read(session, opened().filter_map(|p| p.value()))?;
        for p in opened() {
            // A value that counts already costs nothing.
            if let Some(period) = p.period().filter(|_| self.values.find(p.value()).is_none()) {
                of_period.entry((p.event.customer_id.clone(), period.clone())).or_default().push(p);
            }
        }
        let counting = self.values.iter().map(|(key, known)| (key.0.to_string(), known.period.clone()));
        let keys: HashSet<period::Key> = of_period.keys().cloned().chain(counting).collect();
        self.read_periods(session, keys.into_iter().collect())?;
        // What a period that has no usage yet goes on from.
        let is_unused = |key: &&period::Key| self.periods.get(*key).is_some_and(|p| p.standing.last_no == 0);
        let before = |events: &[&Priced<'_>]| events.first().map(|first| first.continues()).unwrap_or_default();
        let unused: Vec<&period::Key> = of_period.keys().filter(is_unused).collect();
        let continued: HashSet<period::Key> = unused.iter().flat_map(|key| before(&of_period[*key])).collect();
        self.read_periods(session, continued.into_iter().filter(|key| !of_period.contains_key(key)).collect())?;
        for (key, known) in self.values.iter() {
            if let Some(periodic) = self.periods.get_mut(&(key.0.to_string(), known.period.clone())) {
                periodic.price.clone_from(&known.price);
            }
        }
        for (key, events) in &of_period {
            let (Some(first), Some(periodic)) = (events.first(), self.periods.get(key)) else { continue };
            let mut standing = periodic.standing.clone();
            let before = before(events);
            standing.carried = carried(&self.periods, &standing, &before);
            // Of one value the first.
            let mut values = HashSet::new();
            let new = events.iter().filter(|p| p.value.as_ref().is_none_or(|value| values.insert(value)));
            let reports = new.map(|p| p.in_period());
            let rise = aggregate::rise(&standing, first.meter.aggregation, reports);
            // If this batch also has usage of before, the tiers may begin higher: whatever that comes to.
            let unknown = standing.last_no == 0 && before.iter().any(|before| of_period.contains_key(before));
            let need = needs.entry((&first.event.customer_id, &first.meter.currency)).or_default();
            need.add(if unknown { Decimal::MAX } else { rise });
        }
        Ok(())
    }

    fn read_periods(&mut self, session: &Session, keys: Vec<period::Key>) -> Result<(), Error> {
        for (key, standing) in period::read(session, keys)? {
            self.periods.insert(key, Periodic { standing, changed: None, price: None });
        }
        Ok(())
    }

    /// Loads the grants that can be needed.
    fn take_grants(
        &mut self,
        session: &Session,
        events: &[&Priced<'_>],
        needs: &Map<Account<'a>, Need>,
    ) -> Result<(), Error> {
        let meters: HashSet<&str> = events.iter().map(|p| p.event.event_name.as_str()).collect();
        let meters: Vec<&str> = meters.into_iter().collect();
        let mut wide: Vec<(&mut Book, Decimal)> = Vec::new();
        for book in &mut self.books {
            let need = needs.get(&(book.customer_id.as_str(), book.currency.as_str()));
            let (credits, returns) =
                need.map_or((Decimal::ZERO, false), |n| (n.credits, n.returns || n.late.is_some()));
            // With only the head loaded, credits that come back could not be put in order.
            if !returns && book.head_suffices(credits) {
                book.take_head();
            } else {
                wide.push((book, credits));
            }
        }
        posting::take_windows(session, &mut wide, &meters)?;
        for book in &mut self.books {
            let need = needs.get(&(book.customer_id.as_str(), book.currency.as_str()));
            if let Some(occurred_at) = need.and_then(|need| need.late) {
                let from = book.posted_at;
                posting::take_lapsed(session, book, occurred_at, from)?;
            }
        }
        Ok(())
    }
}

/// Those of these accounts that are in a set.
fn among<'a>(accounts: &[Account<'a>], set: &HashSet<Key>) -> HashSet<Account<'a>> {
    if set.is_empty() {
        return HashSet::new();
    }
    accounts.iter().filter(|account| set.contains(&account.owned())).copied().collect()
}

impl Need {
    fn add(&mut self, credits: Decimal) {
        self.credits = self.credits.checked_add(credits).unwrap_or(Decimal::MAX);
    }
}

fn open_books(session: &Session, keys: &[Key], now: Time, locking: Locking) -> Result<Vec<Book>, Error> {
    match locking {
        _ if keys.is_empty() => Ok(Vec::new()),
        Locking::Wait => posting::open(session, keys, now),
        // The free ones are locked now, so nothing below waits.
        Locking::Skip => match posting::lock_free(session, keys)? {
            free if free.is_empty() => Ok(Vec::new()),
            free => posting::open_as_of(session, &free, now),
        },
    }
}
