//! Property tests of limits, beside a model that keeps every spending and adds up from the beginning each time.

use super::*;
use proptest::prelude::*;

const MEMBERS: [&str; 3] = ["ann", "bob", "eve"];
const METERS: [&str; 2] = ["tokens", "images"];
/// Half an hour: steps that cross days often, and months now and then.
const STEP: i64 = 1_800 * SECOND;

fn per() -> impl Strategy<Value = Per> {
    prop_oneof![Just(Per::Day), Just(Per::Month), (1i64..200).prop_map(|halves| Per::Rolling(halves * 1_800))]
}

fn limit() -> impl Strategy<Value = Limit> {
    let member = prop_oneof![Just(None), proptest::sample::select(MEMBERS.to_vec()).prop_map(Some)];
    let meter = prop_oneof![Just(None), proptest::sample::select(METERS.to_vec()).prop_map(Some)];
    (member, meter, per(), 0i64..60, any::<bool>()).prop_map(|(member, meter, per, most, rejects)| Limit {
        member_id: member.map(String::from),
        event_name: meter.map(String::from),
        per,
        most: Decimal::from(most),
        rejects,
        // As it is set: reached already.
        reported: most == 0,
        since: Time::BEGINNING,
        used: Decimal::ZERO,
        held: Decimal::ZERO,
        admitted: Decimal::ZERO,
    })
}

/// What a caller does, after so many steps of time.
#[derive(Debug, Clone)]
enum Act {
    Spend {
        member: Option<&'static str>,
        meter: Option<&'static str>,
        amount: i64,
    },
    /// Takes back what was spent so many spendings ago.
    TakeBack(usize),
}

fn act() -> impl Strategy<Value = (i64, Act)> {
    let member = prop_oneof![Just(None), proptest::sample::select(MEMBERS.to_vec()).prop_map(Some)];
    let meter = prop_oneof![Just(None), proptest::sample::select(METERS.to_vec()).prop_map(Some)];
    let spend = (member, meter, 0i64..30).prop_map(|(member, meter, amount)| Act::Spend { member, meter, amount });
    let step = prop_oneof![6 => 0i64..4, 1 => 40i64..60, 1 => 1_400i64..1_600];
    (step, prop_oneof![5 => spend, 1 => (0usize..5).prop_map(Act::TakeBack)])
}

/// Spending that the model keeps.
struct Spent {
    at: Time,
    member: Option<&'static str>,
    meter: Option<&'static str>,
    amount: Decimal,
}

/// What counts at a moment, the slow way: by the calendar's own words, or by the length of the interval.
fn naive(limit: &Limit, all: &[Spent], now: Time) -> Decimal {
    let same = |at: Time| match limit.per {
        Per::Day => at.date() == now.date(),
        Per::Month => {
            let month = |at: Time| at.date().map(|date| (date.year(), date.month()));
            month(at) == month(now)
        }
        Per::Rolling(seconds) => now.0 - at.0 < seconds * SECOND,
    };
    let ours = |spent: &&Spent| {
        limit.member_id.as_ref().is_none_or(|member| spent.member == Some(member))
            && limit.event_name.as_ref().is_none_or(|meter| spent.meter == Some(meter))
    };
    all.iter().filter(ours).filter(|spent| same(spent.at)).map(|spent| spent.amount).sum()
}

proptest! {
    /// Spending is admitted exactly where every limit that refuses has room for it, and what is used is what the model
    /// adds up: whatever time passes, and whatever is taken back. One row is published each time a limit is reached.
    #[test]
    fn agrees_with_adding_up(limits in proptest::collection::vec(limit(), 1..5),
                             acts in proptest::collection::vec(act(), 1..60)) {
        let mut limits = Limits { all: limits, members: Vec::new() };
        // What counted in rolling windows, as the table has it.
        let mut uses: Vec<Vec<(Time, Decimal)>> = vec![Vec::new(); limits.all.len()];
        let mut all: Vec<Spent> = Vec::new();
        let mut now = Time(9_000 * DAY + 7);
        for (steps, act) in acts {
            now = Time(now.0 + steps * STEP);
            for (limit, uses) in limits.all.iter_mut().zip(&mut uses) {
                let start = limit.per.start(now);
                let gone = uses.extract_if(.., |(at, _)| *at < start).map(|(_, amount)| amount).sum();
                limit.advance(now, gone);
            }
            let (spent, admitted) = match act {
                Act::Spend { member, meter, amount } => {
                    let amount = Decimal::from(amount);
                    let spending = Use { member_id: member, event_name: meter, amount };
                    let fits = limits.all.iter().filter(|limit| limit.applies(&spending) && limit.rejects)
                        .all(|limit| amount.is_zero() || naive(limit, &all, now) + amount <= limit.most);
                    let admitted = limits.admit(&spending);
                    prop_assert_eq!(admitted.is_ok(), fits);
                    if let Err(exceeded) = &admitted {
                        prop_assert!(exceeded.limit.left() < amount);
                    }
                    (Spent { at: now, member, meter, amount }, fits)
                }
                Act::TakeBack(back) => {
                    let Some(first) = all.iter().rev().filter(|s| s.amount > Decimal::ZERO).nth(back) else { continue };
                    let taken: Decimal = all.iter().filter(|s| s.at == first.at && s.member == first.member
                        && s.meter == first.meter)
                        .map(|s| s.amount).sum();
                    (Spent { amount: -taken.min(first.amount), ..*first }, true)
                }
            };
            if !admitted {
                continue;
            }
            let spending = Use { member_id: spent.member, event_name: spent.meter, amount: spent.amount };
            for (limit, uses) in limits.all.iter_mut().zip(&mut uses) {
                // What was admitted is counted from the ledger afterwards.
                limit.admitted = Decimal::ZERO;
                limit.renew();
                let before = limit.is_reached();
                if limit.applies(&spending) && limit.count(spent.at, spent.amount) && limit.per.seconds().is_some() {
                    uses.push((spent.at, spent.amount));
                }
                prop_assert_eq!(limit.report(), !before && limit.is_reached());
                prop_assert!(!limit.report());
            }
            all.push(spent);
            for limit in &limits.all {
                prop_assert_eq!(limit.used, naive(limit, &all, now));
            }
        }
    }

    /// Usage that a hold pays in part fits exactly where every limit that refuses has room for all of it, of those that the
    /// hold was not counted in, and for the rest of it, of the others; afterwards each has room for so much less.
    #[test]
    fn captured_usage_fits_into_every_limit(
        limits in proptest::collection::vec((limit(), 0i64..40), 1..5),
        member in prop_oneof![Just(None), proptest::sample::select(MEMBERS.to_vec()).prop_map(Some)],
        meter in proptest::sample::select(METERS.to_vec()), for_meter in any::<bool>(),
        held in 0i64..20, rest in 0i64..20,
    ) {
        let all = limits.into_iter().map(|(limit, used)| Limit { used: Decimal::from(used), ..limit }).collect();
        let mut limits = Limits { all, members: Vec::new() };
        let before = limits.all.clone();
        let (held, rest, of_hold) = (Decimal::from(held), Decimal::from(rest), for_meter.then_some(meter));
        let usage = |amount| Use { member_id: member, event_name: Some(meter), amount };
        let takes = |limit: &Limit| match limit.applies(&usage(rest)) {
            false => Decimal::ZERO,
            true if limit.applies(&Use { event_name: of_hold, ..usage(rest) }) => rest,
            true => held + rest,
        };
        let fits = before.iter().all(|limit| {
            !limit.rejects || takes(limit).is_zero() || limit.taken() + takes(limit) <= limit.most
        });
        let admitted = limits.admit_captured(&usage(held + rest), of_hold, held)
            .and_then(|()| limits.admit(&usage(rest)));
        prop_assert_eq!(admitted.is_ok(), fits);
        for (limit, before) in limits.all.iter().zip(&before).filter(|_| fits) {
            prop_assert_eq!(limit.admitted, takes(before));
        }
    }

    /// A name for each length, which says the length.
    #[test]
    fn lengths_have_one_name(seconds in 1i64..400_000_000) {
        let name = Per::Rolling(seconds).name();
        let (count, unit) = name.split_once(' ').unwrap_or_default();
        let length = UNITS.iter().find(|(_, name)| unit.trim_end_matches('s') == *name).map_or(0, |(length, _)| *length);
        prop_assert_eq!(count.parse::<i64>().unwrap_or_default() * length, seconds);
        prop_assert_eq!(Per::parse(&name, Some(seconds)), Some(Per::Rolling(seconds)));
    }

    /// A window ends where the next begins.
    #[test]
    fn windows_follow_each_other(per in per(), at in -4_000_000_000_000_000i64..4_000_000_000_000_000) {
        let start = per.start(Time(at));
        prop_assert!(start <= Time(at));
        if let Some(end) = per.end(start) {
            prop_assert!(end > Time(at));
            prop_assert_eq!(per.start(end), end);
            prop_assert_eq!(per.start(Time(end.0 - 1)), start);
        }
    }
}
