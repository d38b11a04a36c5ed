//! Property tests of drawdown: what must hold for any grants, any amount and any meter.

use super::*;
use proptest::prelude::*;

const METERS: [&str; 3] = ["tokens", "images", "seconds"];

/// Grants with many ties, so that every rule of the order decides somewhere.
fn grant() -> impl Strategy<Value = Grant> {
    (
        any::<u128>(),
        0i16..3,
        prop_oneof![Just(Time::NEVER), (100i64..103).prop_map(Time)],
        prop_oneof![Just(Category::Promotional), Just(Category::Paid)],
        0i64..3,
        prop_oneof![
            3 => Just(None),
            1 => proptest::sample::subsequence(METERS.to_vec(), 1..=3)
                .prop_map(|m| Some(m.into_iter().map(String::from).collect()))
        ],
        (0i64..1_000_000, 0u32..4),
        prop_oneof![8 => Just(Status::Granted), 1 => Just(Status::Scheduled), 1 => Just(Status::Expired)],
    )
        .prop_map(|(id, priority, expires_at, category, effective, meters, (mantissa, scale), status)| Grant {
            id: Uuid::from_u128(id),
            priority,
            expires_at,
            category,
            effective_at: Time(effective),
            meters,
            amount: Decimal::new(1_000_000, 0),
            remaining: Decimal::new(mantissa, scale),
            lapsed: Decimal::ZERO,
            status,
            was: None,
            clawbacks: Vec::new(),
            reclaimed: false,
            changed: false,
        })
}

fn meter() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), proptest::sample::select(METERS.to_vec()).prop_map(Some)]
}

/// The same rule, the slow way: take a thousandth from the best of all grants that can pay, again and again.
fn naive(grants: &[Grant], meter: Option<&str>, mut amount: Decimal) -> Vec<(Uuid, Decimal)> {
    let mut left: Vec<Grant> = grants.to_vec();
    let mut paid: Vec<(Uuid, Decimal)> = Vec::new();
    while amount > Decimal::ZERO {
        let mut best: Option<usize> = None;
        for (i, g) in left.iter().enumerate() {
            let applies = match (&g.meters, meter) {
                (None, _) => true,
                (Some(list), Some(m)) => list.contains(&m.to_string()),
                (Some(_), None) => false,
            };
            if g.status != Status::Granted || g.remaining <= Decimal::ZERO || !applies {
                continue;
            }
            let better = |a: &Grant, b: &Grant| -> bool {
                if a.priority != b.priority {
                    return a.priority < b.priority;
                }
                if a.expires_at.0 != b.expires_at.0 {
                    return a.expires_at.0 < b.expires_at.0;
                }
                if a.category != b.category {
                    return a.category == Category::Promotional;
                }
                if a.effective_at.0 != b.effective_at.0 {
                    return a.effective_at.0 < b.effective_at.0;
                }
                a.id.as_bytes() < b.id.as_bytes()
            };
            if best.is_none_or(|b| better(g, &left[b])) {
                best = Some(i);
            }
        }
        let Some(best) = best else { break };
        let part = amount.min(left[best].remaining);
        left[best].remaining -= part;
        amount -= part;
        paid.push((left[best].id, part));
    }
    paid
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn conserves_the_amount_and_never_overdraws(
        grants in proptest::collection::vec(grant(), 0..12), meter in meter(), amount in 1i64..4_000_000
    ) {
        let amount = Decimal::new(amount, 1);
        let before = Grants::new(grants);
        let mut after = before.clone();
        let draws = after.draw(meter, amount);
        let drawn: Decimal = draws.iter().map(|d| d.amount).sum();
        let total = |g: &Grants| -> Decimal { g.iter().map(|g| g.remaining).sum() };

        prop_assert_eq!(drawn, amount.min(before.payable(meter)), "all or what there is");
        prop_assert_eq!(total(&before) - total(&after), drawn, "what the grants lost is what was drawn");
        for (old, new) in before.iter().zip(after.iter()) {
            let taken: Decimal = draws.iter().filter(|d| d.grant.id == new.id).map(|d| d.amount).sum();
            prop_assert!(new.remaining >= Decimal::ZERO, "no grant below zero");
            prop_assert_eq!(old.remaining - new.remaining, taken);
            if !taken.is_zero() {
                prop_assert!(old.status == Status::Granted && old.pays(meter), "only a usable grant pays");
                prop_assert_eq!(new.status == Status::Depleted, new.remaining.is_zero());
                prop_assert!(new.changed);
            }
        }
        prop_assert!(draws.iter().all(|d| d.amount > Decimal::ZERO), "no empty draw");
    }

    #[test]
    fn follows_the_order(
        grants in proptest::collection::vec(grant(), 0..12), meter in meter(), amount in 1i64..4_000_000
    ) {
        let mut grants = Grants::new(grants);
        let draws = grants.draw(meter, Decimal::new(amount, 1));
        // A grant that could have paid and stands before a grant that did is used up.
        if let Some(last) = draws.last() {
            for grant in grants.iter().take_while(|g| g.id != last.grant.id) {
                prop_assert!(!(grant.status == Status::Granted && grant.pays(meter) && !grant.remaining.is_zero()));
            }
        }
    }

    #[test]
    fn does_not_depend_on_input_order(
        (grants, shuffled) in proptest::collection::vec(grant(), 0..12)
            .prop_flat_map(|g| (Just(g.clone()), Just(g).prop_shuffle())),
        meter in meter(), amount in 1i64..4_000_000
    ) {
        let amount = Decimal::new(amount, 1);
        let mut inserted = Grants::default();
        for grant in &shuffled {
            inserted.insert(grant.clone());
        }
        let draws = Grants::new(grants).draw(meter, amount);
        prop_assert_eq!(&draws, &Grants::new(shuffled).draw(meter, amount));
        prop_assert_eq!(&draws, &inserted.draw(meter, amount));
    }

    #[test]
    fn agrees_with_the_naive_reference(
        grants in proptest::collection::vec(grant(), 0..12), meter in meter(), amount in 1i64..4_000_000
    ) {
        let amount = Decimal::new(amount, 1);
        let expected = naive(&grants, meter, amount);
        let draws = Grants::new(grants).draw(meter, amount);
        let drawn: Vec<(Uuid, Decimal)> = draws.into_iter().map(|d| (d.grant.id, d.amount)).collect();
        prop_assert_eq!(drawn, expected);
    }

    #[test]
    fn two_draws_are_one(
        grants in proptest::collection::vec(grant(), 0..12), meter in meter(), a in 1i64..2_000_000, b in 1i64..2_000_000
    ) {
        let (a, b) = (Decimal::new(a, 1), Decimal::new(b, 1));
        let (mut twice, mut once) = (Grants::new(grants.clone()), Grants::new(grants));
        twice.draw(meter, a);
        twice.draw(meter, b);
        once.draw(meter, a + b);
        let left = |g: &Grants| g.iter().map(|g| (g.id, g.remaining)).collect::<Vec<_>>();
        prop_assert_eq!(left(&twice), left(&once));
    }
}

#[test]
fn each_rule_decides_when_those_before_it_tie() {
    let base = Grant {
        id: Uuid::from_u128(10),
        priority: 50,
        expires_at: Time(1_000),
        category: Category::Paid,
        effective_at: Time(10),
        meters: None,
        amount: Decimal::TEN,
        remaining: Decimal::TEN,
        lapsed: Decimal::ZERO,
        status: Status::Granted,
        was: None,
        clawbacks: Vec::new(),
        reclaimed: false,
        changed: false,
    };
    let first = |better: Grant| {
        let better_id = better.id;
        let mut grants = Grants::new(vec![base.clone(), better]);
        assert_eq!(grants.draw(None, Decimal::ONE)[0].grant.id, better_id);
    };
    let id = Uuid::from_u128(11);
    first(Grant { id, priority: 49, expires_at: Time::NEVER, ..base.clone() });
    first(Grant { id, expires_at: Time(999), effective_at: Time(11), ..base.clone() });
    first(Grant { id, category: Category::Promotional, effective_at: Time(11), ..base.clone() });
    first(Grant { id, effective_at: Time(9), ..base.clone() });
    first(Grant { id: Uuid::from_u128(9), ..base.clone() });
}
