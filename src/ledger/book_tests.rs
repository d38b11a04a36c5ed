//! Property tests of books: a whole life of an account, loaded and stored as posting.rs does it, beside a model that
//! keeps nothing but the grants' terms and looks at every second.

use super::*;
use crate::ledger::drawdown::Grant;
use proptest::prelude::*;
use std::collections::BTreeMap;

const METERS: [&str; 2] = ["tokens", "images"];
const DECIMALS: u32 = 6;

#[derive(Debug, Clone)]
enum Action {
    Grant { amount: i64, priority: i16, paid: bool, begins_in: i64, lasts: Option<i64>, meter: Option<usize> },
    Charge { amount: i64, meter: Option<usize>, reject: bool },
    Wait { seconds: i64 },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (1i64..500, 0i16..3, any::<bool>(), prop_oneof![Just(0i64), 1i64..20],
              prop_oneof![Just(None), (1i64..30).prop_map(Some)], proptest::option::weighted(0.3, 0usize..2))
            .prop_map(|(amount, priority, paid, begins_in, lasts, meter)| {
                Action::Grant { amount, priority, paid, begins_in, lasts, meter }
            }),
        5 => (1i64..300, proptest::option::weighted(0.7, 0usize..2), any::<bool>())
            .prop_map(|(amount, meter, reject)| Action::Charge { amount, meter, reject }),
        3 => (1i64..15).prop_map(|seconds| Action::Wait { seconds }),
    ]
}

fn make(id: u128, now: Time, action: &Action) -> Grant {
    let Action::Grant { amount, priority, paid, begins_in, lasts, meter } = action else { unreachable!() };
    let effective_at = now.plus_seconds(*begins_in);
    Grant {
        id: Uuid::from_u128(id),
        priority: *priority,
        expires_at: lasts.map_or(Time::NEVER, |l| effective_at.plus_seconds(l)),
        category: if *paid { Category::Paid } else { Category::Promotional },
        effective_at,
        meters: meter.map(|m| vec![METERS[m].to_string()]),
        amount: Decimal::new(*amount, 1),
        remaining: Decimal::new(*amount, 1),
        status: if *begins_in > 0 { Status::Pending } else { Status::Granted },
        changed: false,
    }
}

/// What the tables hold.
struct Tables {
    book: Book,
    grants: BTreeMap<Uuid, Grant>,
    debts: BTreeMap<i64, Debt>,
    lines: Vec<Line>,
}

impl Tables {
    fn new() -> Self {
        let key = (String::from("u"), String::from("CREDIT"));
        let book = Book::new(key, [Decimal::ZERO; 4], None, Time::NEVER, Time(0), 0, 0);
        Tables { book, grants: BTreeMap::new(), debts: BTreeMap::new(), lines: Vec::new() }
    }

    fn owed(&self) -> Vec<Debt> {
        self.debts.values().filter(|d| d.pending > Decimal::ZERO).cloned().collect()
    }

    /// As posting::bring_up_to_date.
    fn open(&self, now: Time) -> Book {
        let mut book = self.book.clone();
        book.posted_at = book.posted_at.max(now);
        if book.next_change_at > book.posted_at {
            return book;
        }
        let at = book.posted_at;
        let ends = |g: &&Grant| g.status == Status::Granted && g.expires_at <= at;
        let begins = |g: &&Grant| g.status == Status::Pending && g.effective_at <= at;
        let begins_any = self.grants.values().any(|g| begins(&g));
        let due = self.grants.values().filter(|g| ends(g) || begins(g)).cloned().collect();
        book.advance(at, due, if begins_any { self.owed() } else { Vec::new() });
        let later = self.grants.values().filter_map(|g| match g.status {
            Status::Granted if g.expires_at > at => Some(g.expires_at),
            Status::Pending if g.effective_at > at => Some(g.effective_at),
            _ => None,
        });
        let started = book.started().map(|g| g.expires_at).collect::<Vec<_>>();
        book.next_change_at = later.chain(started).min().unwrap_or(Time::NEVER);
        book
    }

    /// As posting::take_windows, with windows so small that their ends matter.
    fn window(&self, book: &mut Book, need: Decimal, mut limit: usize) {
        let open = Grants::new(
            self.grants
                .values()
                .filter(|g| g.status == Status::Granted && g.expires_at > book.posted_at)
                .cloned()
                .collect(),
        );
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
    fn post(&mut self, mut book: Book) {
        for grant in book.changed_grants() {
            let row = self.grants.get_mut(&grant.id).expect("a grant that was written");
            (row.remaining, row.status) = (grant.remaining, grant.status);
        }
        for debt in book.changed_debts() {
            self.debts.insert(debt.debt_no, Debt { changed: false, ..debt.clone() });
        }
        self.lines.append(&mut book.lines);
        let balances = [book.available, book.restricted, book.held, book.pending];
        let key = (book.customer_id.clone(), book.currency.clone());
        let head = book.next_head();
        self.book = Book::new(key, balances, head, book.next_change_at, book.posted_at, book.last_line, book.last_debt);
    }

    fn remaining(&self, id: Uuid) -> Decimal {
        match self.book.head {
            Some((head, remaining)) if head == id => remaining,
            _ => self.grants[&id].remaining,
        }
    }

    fn apply(&mut self, now: Time, id: u128, action: &Action, windows: usize) -> Option<Result<Charged, Refusal>> {
        let mut book = self.open(now);
        match action {
            Action::Wait { .. } => None,
            Action::Grant { .. } => {
                let grant = make(id, book.posted_at, action);
                self.window(&mut book, Decimal::ZERO, windows);
                self.grants.insert(grant.id, grant.clone());
                if grant.status == Status::Pending {
                    book.schedule_grant(grant);
                } else {
                    book.open_grant(grant, self.owed());
                }
                self.post(book);
                None
            }
            Action::Charge { amount, meter, reject } => {
                let cost = Decimal::new(*amount, 1);
                if book.head_suffices(cost) {
                    book.take_head();
                } else {
                    self.window(&mut book, cost, windows);
                }
                let overage = if *reject || meter.is_none() { Overage::Reject } else { Overage::Pending };
                let source = Source::Event(id.to_string());
                let outcome = book.charge(&source, meter.map(|m| METERS[m]), cost, overage, DECIMALS);
                if book.is_changed() {
                    self.post(book);
                }
                Some(outcome)
            }
        }
    }
}

/// Grants by their terms and nothing else, second by second.
#[derive(Default)]
struct Model {
    now: i64,
    grants: Vec<(Grant, bool)>,
    owed: Vec<(usize, Decimal)>,
}

impl Model {
    fn usable(&self, index: usize, meter: Option<usize>) -> bool {
        let (grant, started) = &self.grants[index];
        *started
            && grant.remaining > Decimal::ZERO
            && match (&grant.meters, meter) {
                (None, _) => true,
                (Some(list), Some(m)) => list[0] == METERS[m],
                _ => false,
            }
    }

    fn best(&self, meter: Option<usize>) -> Option<usize> {
        (0..self.grants.len()).filter(|i| self.usable(*i, meter)).min_by_key(|i| {
            let g = &self.grants[*i].0;
            (g.priority, g.expires_at.0, g.category == Category::Paid, g.effective_at.0, g.id)
        })
    }

    fn take(&mut self, meter: Option<usize>, mut amount: Decimal) -> Decimal {
        while amount > Decimal::ZERO {
            let Some(best) = self.best(meter) else { break };
            let part = amount.min(self.grants[best].0.remaining);
            self.grants[best].0.remaining -= part;
            amount -= part;
        }
        amount
    }

    fn pay(&mut self) {
        for i in 0..self.owed.len() {
            let (meter, amount) = self.owed[i];
            self.owed[i].1 = self.take(Some(meter), amount);
        }
    }

    fn tick(&mut self) {
        self.now += 1;
        let now = Time(0).plus_seconds(self.now);
        for (grant, started) in &mut self.grants {
            if grant.expires_at <= now && *started {
                grant.remaining = Decimal::ZERO;
            }
        }
        for (grant, started) in &mut self.grants {
            *started |= grant.effective_at <= now;
        }
        self.pay();
    }

    fn apply(&mut self, id: u128, action: &Action) -> Option<Option<(Decimal, Decimal)>> {
        match action {
            Action::Wait { seconds } => {
                (0..*seconds).for_each(|_| self.tick());
                None
            }
            Action::Grant { .. } => {
                let grant = make(id, Time(0).plus_seconds(self.now), action);
                let started = grant.status == Status::Granted;
                self.grants.push((grant, started));
                self.pay();
                None
            }
            Action::Charge { amount, meter, reject } => {
                let cost = Decimal::new(*amount, 1);
                let payable: Decimal = (0..self.grants.len())
                    .filter(|i| self.usable(*i, *meter))
                    .map(|i| self.grants[i].0.remaining)
                    .sum();
                match (meter, cost > payable) {
                    (Some(meter), true) if !reject => {
                        let owed = self.take(Some(*meter), cost);
                        self.owed.push((*meter, owed));
                        Some(Some((cost - owed, owed)))
                    }
                    (_, true) => Some(None),
                    (meter, false) => {
                        self.take(*meter, cost);
                        Some(Some((cost, Decimal::ZERO)))
                    }
                }
            }
        }
    }

    fn total(&self, restricted: bool) -> Decimal {
        self.grants
            .iter()
            .filter(|(g, started)| *started && g.is_restricted() == restricted)
            .map(|(g, _)| g.remaining)
            .sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn an_account_is_what_its_grants_terms_say(
        actions in proptest::collection::vec(action(), 1..40), windows in 1usize..5
    ) {
        let (mut tables, mut model) = (Tables::new(), Model::default());
        for (i, action) in actions.iter().enumerate() {
            let id = i as u128 + 1;
            let expected = model.apply(id, action);
            let now = Time(0).plus_seconds(model.now);
            let outcome = tables.apply(now, id, action, windows);
            match (outcome, expected) {
                (Some(Ok(charged)), Some(Some(parts))) => {
                    prop_assert_eq!((charged.consumed, charged.pending), parts)
                }
                (Some(Err(Refusal::Short { .. })), Some(None)) | (None, None) => {}
                (outcome, expected) => prop_assert!(false, "{:?} where {:?} was due", outcome, expected),
            }

            // What a reader sees, posted or not, is the model.
            let seen = tables.open(now);
            prop_assert_eq!(seen.available, model.total(false), "available");
            prop_assert_eq!(seen.restricted, model.total(true), "restricted");
            prop_assert_eq!(seen.pending, model.owed.iter().map(|(_, owed)| *owed).sum::<Decimal>(), "pending");

            // What is posted is the sum of the lines, and nothing is below zero.
            let total: Decimal = tables.lines.iter().map(|l| l.amount).sum();
            prop_assert_eq!(tables.book.balance(), total);
            prop_assert!(tables.book.available >= Decimal::ZERO && tables.book.restricted >= Decimal::ZERO);
            let mut running = Decimal::ZERO;
            for (place, line) in tables.lines.iter().enumerate() {
                running += line.amount;
                prop_assert_eq!(line.running_balance, running);
                prop_assert_eq!(line.line_no, place as i64 + 1);
            }
            for (id, grant) in &tables.grants {
                let of_grant: Decimal = tables.lines.iter().filter(|l| l.grant_id == *id).map(|l| l.amount).sum();
                if grant.status != Status::Pending {
                    prop_assert_eq!(tables.remaining(*id), of_grant);
                }
                prop_assert!(of_grant >= Decimal::ZERO && of_grant <= grant.amount);
            }
        }
    }

    /// Looking at an account in between changes nothing of what it comes to.
    #[test]
    fn posting_often_is_posting_once(
        actions in proptest::collection::vec(action(), 1..25), waits in proptest::collection::vec(1i64..6, 1..8)
    ) {
        let mut tables = Tables::new();
        let mut now = Time(0);
        for (i, action) in actions.iter().enumerate() {
            if let Action::Wait { seconds } = action {
                now = now.plus_seconds(*seconds);
            }
            tables.apply(now, i as u128 + 1, action, 2);
        }
        let end = now.plus_seconds(waits.iter().sum());
        let once = tables.open(end);
        for wait in waits {
            now = now.plus_seconds(wait);
            let mut book = tables.open(now);
            tables.window(&mut book, Decimal::ZERO, 2);
            tables.post(book);
        }
        let often = tables.open(end);
        prop_assert_eq!((once.available, once.restricted, once.pending), (often.available, often.restricted, often.pending));
        prop_assert_eq!(once.next_change_at, often.next_change_at);
    }
}
