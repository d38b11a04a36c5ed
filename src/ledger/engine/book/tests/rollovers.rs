//! Grants that roll over: in the tables, and in the model; and what of a grant goes on, by itself.

use crate::amount::Decimal;
use crate::ledger::engine::book::rollover::next_id;
use crate::ledger::engine::book::tests::model::{Granted, Model};
use crate::ledger::engine::book::tests::tables::Tables;
use crate::ledger::engine::book::tests::{Action, make};
use crate::ledger::engine::book::{Book, Rolling};
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::LineType;
use crate::moment::Time;
use crate::moment::length::Length;
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

/// So many decimals what goes on has.
const DECIMALS: u32 = 1;

/// How a grant rolls over: percent, at most so many tenths of a credit, how often, and for how many seconds.
#[derive(Debug, Clone)]
pub(super) struct Rolls {
    percent: i64,
    max: Option<i64>,
    times: Option<i32>,
    lives: i64,
    /// Until when the first lives: so many seconds after zero.
    until: Option<i64>,
}

pub(super) fn rolls() -> impl Strategy<Value = Rolls> {
    let percent = prop_oneof![Just(100i64), Just(50), Just(33), 1i64..=100];
    let rest = (
        proptest::option::weighted(0.4, 1i64..300),
        proptest::option::weighted(0.6, 1i32..4),
        1i64..12,
        proptest::option::weighted(0.3, 1i64..60),
    );
    (percent, rest).prop_map(|(percent, (max, times, lives, until))| Rolls { percent, max, times, lives, until })
}

impl Rolls {
    fn length(&self) -> Length {
        Length { microseconds: self.lives * 1_000_000, ..Length::default() }
    }

    fn rolling(&self, id: Uuid) -> Rolling {
        Rolling {
            root_id: id,
            generation: 0,
            stored_id: id,
            percent: Decimal::from(self.percent),
            max: self.max.map(|max| Decimal::new(max, 1)),
            times_left: self.times,
            lives: self.length(),
            until: self.until.map(|until| Time(0).plus_seconds(until)),
            decimals: DECIMALS,
            cost: None,
            held: Vec::new(),
        }
    }
}

impl Action {
    /// Whether it is about a grant that already is.
    pub(super) fn names_a_grant(&self) -> bool {
        matches!(
            self,
            Action::End { .. }
                | Action::Change { .. }
                | Action::Reclaim { .. }
                | Action::EndPart { .. }
                | Action::Mistake { .. }
                | Action::Suspend { .. }
                | Action::Resume { .. }
                | Action::Extend { .. }
        )
    }
}

impl Tables {
    /// As grant::rollover::insert.
    pub(super) fn roll(&mut self, grant: &Grant, action: &Action) {
        let Action::Grant { rolls: Some(rolls), .. } = action else { return };
        self.rolling.insert(grant.id, rolls.rolling(grant.id));
    }

    /// As posting::rollover::rolling.
    pub(super) fn rolling_of<'g>(&self, grants: impl Iterator<Item = &'g Grant>) -> Vec<(Uuid, Rolling)> {
        let rolls = |id: &Uuid| !self.rolled.contains_key(id) && self.rolling[id].times_left != Some(0);
        let ids = grants.map(|grant| grant.id).filter(|id| self.rolling.contains_key(id) && rolls(id));
        ids.map(|id| (id, self.rolling[&id].clone())).collect()
    }

    /// As posting::rollover::write.
    pub(super) fn post_rollovers(&mut self, book: &Book) {
        for rolled_over in &book.rolled_over {
            let (id, from) = (rolled_over.grant_id, rolled_over.rolled_from);
            let grant = book.grant(id).expect("a grant that another rolled over into");
            let stored = Grant { changed: false, was: Some(grant.status), ..grant.clone() };
            assert!(self.grants.insert(id, stored).is_none(), "an id that is taken");
            assert!(self.grants.contains_key(&rolled_over.rolling.root_id));
            self.rolling.insert(id, Rolling { stored_id: id, ..rolled_over.rolling.clone() });
            assert!(self.rolled.insert(from, (id, rolled_over.amount)).is_none(), "it rolled over twice");
            if rolled_over.suspended {
                self.suspended.insert(id);
            }
        }
    }

    pub(super) fn is_rolled(&self, id: Uuid) -> bool {
        self.rolling.get(&id).is_some_and(|rolling| rolling.generation > 0)
    }

    /// What went on, posted or not: from which grant, to which, how much, and until when.
    pub(super) fn all_rolled_over(&self, book: &Book) -> BTreeMap<Uuid, (Uuid, Decimal, Time)> {
        let posted = self.rolled.iter().map(|(from, (id, amount))| (*from, (*id, *amount, self.grants[id].expires_at)));
        let new = book.rolled_over.iter().map(|new| (new.rolled_from, (new.grant_id, new.amount, new.expires_at)));
        posted.chain(new).collect()
    }

    /// What went on is what the terms say of what remained, in two lines, of which the one takes what the other brings.
    pub(super) fn rollovers_add_up(&self) {
        let mut lines = self.lines.iter().filter(|l| l.line_type == LineType::Rollover).peekable();
        let mut count = 0;
        while let (Some(out), Some(into)) = (lines.next(), lines.next()) {
            let (from, id) = (out.grant_id.expect("a grant"), into.grant_id.expect("a grant"));
            let amount = into.effect.balance;
            assert_eq!(out.effect.balance, -amount);
            assert_eq!((out.line_no + 1, out.effective_at), (into.line_no, into.effective_at));
            assert_eq!(self.rolled[&from], (id, amount));
            let before = self.lines.iter().filter(|l| l.grant_id == Some(from) && l.line_no < out.line_no);
            let remained: Decimal = before.map(|l| l.effect.balance).sum();
            assert_eq!(self.rolling[&from].credits(remained), amount);
            assert!(amount <= remained);
            let grant = &self.grants[&id];
            assert_eq!((grant.amount, grant.effective_at), (amount, out.effective_at));
            assert_eq!((&grant.meters, grant.category), (&self.grants[&from].meters, self.grants[&from].category));
            count += 1;
        }
        assert_eq!(count, self.rolled.len());
    }
}

impl Granted {
    pub(super) fn rolls_at(&self, now: Time) -> bool {
        let may = self.rolled.is_none() && self.rolls.as_ref().is_some_and(|rolls| rolls.times != Some(0));
        may && !self.ended && self.grant.expires_at == now
    }

    pub(super) fn rolled_over(&self) -> Decimal {
        self.rolled.unwrap_or_default()
    }
}

impl Model {
    /// The grant of that place, in the order of their ids.
    pub(super) fn which(&self, which: usize) -> usize {
        let mut indexes: Vec<usize> = (0..self.grants.len()).collect();
        indexes.sort_by_key(|index| self.grants[*index].grant.id);
        indexes.get(which).copied().unwrap_or(usize::MAX)
    }

    /// What remains of a grant whose time runs out goes on, credit by credit as many tenths as its terms let.
    pub(super) fn roll_over(&mut self, index: usize) {
        let now = self.time();
        let granted = &mut self.grants[index];
        // One that has not begun begins after this, and cannot end with it.
        if !granted.started || !granted.rolls_at(now) {
            return;
        }
        let Some(rolls) = granted.rolls.clone() else { return };
        let (tenth, most) = (Decimal::new(1, 1), granted.grant.remaining * Decimal::new(rolls.percent, 2));
        let mut credits = Decimal::ZERO;
        while credits + tenth <= most && rolls.max.is_none_or(|max| credits + tenth <= Decimal::new(max, 1)) {
            credits += tenth;
        }
        if credits.is_zero() {
            return;
        }
        granted.grant.remaining -= credits;
        granted.rolled = Some(credits);
        let until = rolls.until.map(|until| Time(0).plus_seconds(until)).filter(|until| *until > now);
        let grant = Grant {
            id: next_id(granted.grant.id),
            effective_at: now,
            expires_at: until.unwrap_or(now.plus_seconds(rolls.lives)),
            amount: credits,
            remaining: credits,
            status: Status::Granted,
            ..granted.grant.clone()
        };
        let times = rolls.times.map(|times| times - 1);
        let mut next = Granted::new(grant, true, Some(Rolls { times, until: None, ..rolls }));
        next.suspended = granted.suspended;
        self.grants.push(next);
    }
}

fn grant(amount: i64) -> Grant {
    let (priority, paid, begins_in, lasts) = (50, true, 0, Some(10));
    make(1, Time(0), &Action::Grant { amount: amount * 10, priority, paid, begins_in, lasts, meter: None, rolls: None })
}

fn rolling(percent: i64, max: Option<i64>) -> Rolling {
    Rolls { percent, max, times: None, lives: 5, until: None }.rolling(Uuid::from_u128(1))
}

#[test]
fn what_goes_on_is_rounded_down() {
    let credits = |percent, max, remaining| rolling(percent, max).credits(Decimal::new(remaining, 2)).to_string();
    assert_eq!(credits(100, None, 12_34), "12.3");
    assert_eq!(credits(50, None, 12_34), "6.1");
    assert_eq!(credits(33, None, 10), "0");
    assert_eq!(credits(33, None, 1_00), "0.3");
    assert_eq!(credits(50, Some(25), 12_34), "2.5");
    assert_eq!(credits(50, Some(70), 12_34), "6.1");
    assert_eq!(Rolling { times_left: Some(0), ..rolling(100, None) }.credits(Decimal::ONE), Decimal::ZERO);
}

/// Of 10.00 for 3 credits, one of which is spent and one held: what goes on of the third has its cent.
#[test]
fn cost_goes_on_in_differences_of_rounded_shares() {
    let end = grant(3).expires_at;
    let of = |held: &[(Time, i64)], remaining: i64| {
        let held = held.iter().map(|(until, amount)| (*until, Decimal::from(*amount))).collect();
        let rolling = Rolling { cost: Some((Decimal::new(10, 0), 2)), held, ..rolling(100, None) };
        let (_, next) = rolling.next(&grant(3), Decimal::from(remaining), end).expect("some goes on");
        next.rolling.cost.expect("a cost").0.to_string()
    };
    assert_eq!(of(&[], 3), "10");
    assert_eq!(of(&[], 2), "6.67");
    assert_eq!(of(&[], 1), "3.33");
    // The second credit is held beyond the end: the third costs what comes between.
    assert_eq!(of(&[(end.plus_seconds(1), 1)], 1), "3.34");
    // It came back as the grant ended, and is in what remains.
    assert_eq!(of(&[(end, 1)], 2), "6.67");
}

#[test]
fn its_id_and_its_end_follow_from_the_grant() {
    let (first, end) = (grant(5), grant(5).expires_at);
    let (next, _) = rolling(100, None).next(&first, Decimal::ONE, end).expect("some goes on");
    assert_eq!(next.id, next_id(first.id));
    let version_7 = |rest: &str| format!("018f3a00-0000-7000-{rest}").parse::<Uuid>().unwrap();
    assert_eq!(next_id(version_7("8000-0000000000ff")), version_7("8000-000000000100"));
    assert_eq!(next_id(version_7("bfff-ffffffffffff")), version_7("8000-000000000000"));
    assert_eq!(next.expires_at, end.plus_seconds(5));
    let until = |at: i64| Rolling { until: Some(end.plus_seconds(at)), ..rolling(100, None) };
    let ends = |at: i64| until(at).next(&first, Decimal::ONE, end).expect("some goes on").0.expires_at;
    assert_eq!([ends(3), ends(0), ends(-1)], [end.plus_seconds(3), end.plus_seconds(5), end.plus_seconds(5)]);
}

proptest! {
    /// However often a grant rolls over, no credit is made: what went on, expired and was spent is what was granted.
    #[test]
    fn rollover_never_makes_credits(
        amount in 1i64..1_000_000, percent in 1i64..=100, max in proptest::option::of(1i64..1_000_000),
        spent in prop::collection::vec(0i64..1_000_000, 1..20), cost in 0i64..1_000_000,
    ) {
        let mut grant = Grant { amount: Decimal::new(amount, 1), remaining: Decimal::new(amount, 1), ..grant(1) };
        let paid = (Decimal::new(cost, 2), 2);
        let mut rolling = Rolling { cost: Some(paid), ..rolling(percent, max) };
        let mut recognised = Decimal::ZERO;
        for spent in spent {
            let spent = Decimal::new(spent, 1).min(grant.remaining);
            let remaining = grant.remaining - spent;
            let at = grant.expires_at;
            let Some((next, rolled_over)) = rolling.next(&grant, remaining, at) else { break };
            prop_assert!(next.amount > Decimal::ZERO && next.amount <= remaining);
            prop_assert!(next.amount * Decimal::ONE_HUNDRED <= remaining * Decimal::from(percent));
            prop_assert!(max.is_none_or(|max| next.amount <= Decimal::new(max, 1)));
            // One tenth more would be too many.
            let more = next.amount + Decimal::new(1, 1);
            let over = more * Decimal::ONE_HUNDRED > remaining * Decimal::from(percent);
            prop_assert!(over || max.is_some_and(|max| more > Decimal::new(max, 1)));
            prop_assert_eq!((next.effective_at, next.status, next.meters.clone()), (at, Status::Granted, grant.meters));
            let (cost, passed_on) = (rolling.cost.unwrap().0, rolled_over.rolling.cost.unwrap().0);
            prop_assert!(passed_on >= Decimal::ZERO && passed_on <= cost);
            recognised += cost - passed_on;
            (grant, rolling) = (next, rolled_over.rolling);
        }
        prop_assert_eq!(recognised + rolling.cost.unwrap().0, paid.0, "no cent is lost");
    }
}
