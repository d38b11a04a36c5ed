//! Property tests of books: the whole life of an account, loaded and stored as posting.rs does (tests/tables.rs),
//! compared with a model that keeps only the grants' terms and looks at every second (tests/model.rs). Clawbacks are in
//! tests/reclaims.rs, and what is ended in part, suspended and extended in tests/endings.rs, late usage in
//! tests/late.rs, reversals of debits in tests/reversals.rs, and rollover in tests/rollovers.rs, for both.

mod endings;
mod holds;
mod late;
mod model;
mod reclaims;
mod reversals;
mod rollovers;
mod tables;

use crate::amount::Decimal;
use crate::ledger::engine::drawdown::{Category, Grant, Grants, Status};
use crate::ledger::engine::line::{Line, LineType};
use crate::moment::Time;
use model::Model;
use proptest::prelude::*;
use rollovers::Rolls;
use tables::Tables;
use uuid::Uuid;

const METERS: [&str; 2] = ["tokens", "images"];
const DECIMALS: u32 = 6;
/// For how many seconds after its end what lapsed of a grant may pay late usage.
const GRACE: i64 = 10;

/// What is done to an account; amounts in tenths of a credit.
#[derive(Debug, Clone)]
enum Action {
    Grant {
        amount: i64,
        priority: i16,
        paid: bool,
        begins_in: i64,
        lasts: Option<i64>,
        meter: Option<usize>,
        rolls: Option<Rolls>,
    },
    Charge {
        amount: i64,
        meter: Option<usize>,
        reject: bool,
    },
    Hold {
        amount: i64,
        lasts: i64,
        meter: Option<usize>,
    },
    Close {
        which: usize,
        tenths: i64,
    },
    /// A part of a hold is spent, and the rest stays held.
    Part {
        which: usize,
        tenths: i64,
    },
    /// A hold is to have another amount, for so much longer from now on.
    Resize {
        which: usize,
        amount: i64,
        lasts: i64,
    },
    End {
        which: usize,
        void: bool,
    },
    Change {
        which: usize,
        priority: i16,
        lasts: i64,
    },
    Cancel {
        which: usize,
    },
    /// So many tenths of what is left of a debit go back.
    Reverse {
        which: usize,
        tenths: i64,
    },
    /// Usage that is recorded and charged later.
    Record {
        amount: i64,
        meter: usize,
    },
    /// Usage of one period that is priced together: what it costs from now on.
    Gauge {
        amount: i64,
        meter: usize,
    },
    /// The price of a grant is refunded: so many tenths of what is not refunded yet.
    Reclaim {
        which: usize,
        tenths: i64,
        owes: bool,
    },
    /// The refund is undone.
    Undo {
        which: usize,
    },
    /// So many tenths of what remains of a grant are ended by hand.
    EndPart {
        which: usize,
        tenths: i64,
        void: bool,
    },
    /// A grant was a mistake: all of it, or so many tenths.
    Mistake {
        which: usize,
        tenths: Option<i64>,
    },
    /// Usage that happened so many seconds ago, reported now or recorded to be charged later.
    Late {
        amount: i64,
        meter: usize,
        ago: i64,
        record: bool,
    },
    Suspend {
        which: usize,
    },
    Resume {
        which: usize,
    },
    /// A grant gets a later end, also after its end.
    Extend {
        which: usize,
        lasts: i64,
    },
    Wait {
        seconds: i64,
    },
}

/// The outcome: for a charge, a hold, its end or a cancellation, what was taken or returned (below zero if usage of a
/// period costs less now), and what is owed or no longer owed.
#[derive(Debug, PartialEq)]
enum Outcome {
    Nothing,
    Charged(Decimal, Decimal),
    Refused,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (1i64..500, 0i16..3, any::<bool>(), prop_oneof![Just(0i64), 1i64..20],
              prop_oneof![Just(None), (1i64..30).prop_map(Some)], proptest::option::weighted(0.3, 0usize..2),
              proptest::option::weighted(0.4, rollovers::rolls()))
            .prop_map(|(amount, priority, paid, begins_in, lasts, meter, rolls)| {
                Action::Grant { amount, priority, paid, begins_in, lasts, meter, rolls }
            }),
        5 => (1i64..300, proptest::option::weighted(0.7, 0usize..2), any::<bool>())
            .prop_map(|(amount, meter, reject)| Action::Charge { amount, meter, reject }),
        3 => (1i64..400, 1i64..20, proptest::option::weighted(0.3, 0usize..2))
            .prop_map(|(amount, lasts, meter)| Action::Hold { amount, lasts, meter }),
        2 => (0usize..6, 0i64..=10).prop_map(|(which, tenths)| Action::Close { which, tenths }),
        2 => (0usize..6, 0i64..=10).prop_map(|(which, tenths)| Action::Part { which, tenths }),
        2 => (0usize..6, 0i64..400, 1i64..20)
            .prop_map(|(which, amount, lasts)| Action::Resize { which, amount, lasts }),
        1 => (0usize..8, any::<bool>()).prop_map(|(which, void)| Action::End { which, void }),
        1 => (0usize..8, 0i16..3, 1i64..30)
            .prop_map(|(which, priority, lasts)| Action::Change { which, priority, lasts }),
        1 => (0usize..8).prop_map(|which| Action::Cancel { which }),
        2 => (0usize..5, 0i64..=10).prop_map(|(which, tenths)| Action::Reverse { which, tenths }),
        3 => (1i64..200, 0usize..2).prop_map(|(amount, meter)| Action::Record { amount, meter }),
        3 => (0i64..200, 0usize..2).prop_map(|(amount, meter)| Action::Gauge { amount, meter }),
        2 => (0usize..8, 1i64..=10, any::<bool>())
            .prop_map(|(which, tenths, owes)| Action::Reclaim { which, tenths, owes }),
        1 => (0usize..5).prop_map(|which| Action::Undo { which }),
        1 => (0usize..8, 1i64..=10, any::<bool>())
            .prop_map(|(which, tenths, void)| Action::EndPart { which, tenths, void }),
        1 => (0usize..8, proptest::option::weighted(0.6, 1i64..=10))
            .prop_map(|(which, tenths)| Action::Mistake { which, tenths }),
        4 => (1i64..200, 0usize..2, 1i64..20, any::<bool>())
            .prop_map(|(amount, meter, ago, record)| Action::Late { amount, meter, ago, record }),
        2 => (0usize..8).prop_map(|which| Action::Suspend { which }),
        2 => (0usize..8).prop_map(|which| Action::Resume { which }),
        2 => (0usize..8, 1i64..30).prop_map(|(which, lasts)| Action::Extend { which, lasts }),
        3 => (1i64..15).prop_map(|seconds| Action::Wait { seconds }),
    ]
}

fn make(id: u128, now: Time, action: &Action) -> Grant {
    let Action::Grant { amount, priority, paid, begins_in, lasts, meter, .. } = action else { unreachable!() };
    let effective_at = now.plus_seconds(*begins_in);
    Grant {
        // Each with room for what it rolls over into.
        id: Uuid::from_u128(id << 16),
        priority: *priority,
        expires_at: lasts.map_or(Time::NEVER, |l| effective_at.plus_seconds(l)),
        category: if *paid { Category::Paid } else { Category::Promotional },
        effective_at,
        meters: meter.map(|m| vec![METERS[m].to_string()]),
        amount: Decimal::new(*amount, 1),
        remaining: Decimal::new(*amount, 1),
        lapsed: Decimal::ZERO,
        status: if *begins_in > 0 { Status::Scheduled } else { Status::Granted },
        was: None,
        clawbacks: Vec::new(),
        reclaimed: false,
        changed: false,
    }
}

/// What is posted adds up: the account's balances equal the sum of its lines, and each grant that of its own lines.
fn adds_up(tables: &Tables) -> Result<(), TestCaseError> {
    let book = &tables.book;
    let total = |of: fn(&crate::ledger::engine::line::Effect) -> Decimal| -> Decimal {
        tables.lines.iter().map(|l| of(&l.effect)).sum()
    };
    prop_assert_eq!(book.balance(), total(|e| e.balance));
    prop_assert_eq!(book.held, total(|e| e.held));
    prop_assert_eq!(book.pending, total(|e| e.pending));
    prop_assert!([book.available, book.restricted, book.held, book.pending].iter().all(|b| *b >= Decimal::ZERO));
    let open = Grants::new(tables.grants.values().filter(|g| g.status == Status::Granted).cloned().collect());
    let first = open.iter().find(|g| !g.is_restricted()).map(|g| (g.id, tables.remaining(g.id)));
    prop_assert_eq!(book.head, first, "the head is the first in order");
    let is_first = |g: &&Grant| !tables.is_rolled(g.id);
    let issued: Decimal = tables.grants.values().filter(is_first).map(|g| g.amount).sum();
    prop_assert_eq!(book.issued, issued, "all that was granted");
    prop_assert!(tables.lines.iter().all(|l| l.running_balance <= issued), "no balance comes to more");
    prop_assert!(book.next_change_at > book.posted_at, "something is due that was posted");
    let changes = tables.grants.values().filter_map(|g| match g.status {
        Status::Granted | Status::Suspended => Some(g.expires_at),
        Status::Scheduled => Some(g.effective_at),
        _ => None,
    });
    let ends = tables.open_holds().map(|hold| hold.expires_at);
    prop_assert!(changes.chain(ends).all(|at| at >= book.next_change_at), "something changes before next_change_at");
    let mut running = Decimal::ZERO;
    for (index, line) in tables.lines.iter().enumerate() {
        running += line.effect.balance;
        prop_assert_eq!(line.running_balance, running);
        prop_assert_eq!(line.line_no, index as i64 + 1);
    }
    prop_assert!(tables.lines.is_sorted_by_key(|l| l.effective_at), "a line's time goes back");
    for (id, grant) in &tables.grants {
        let lines = || tables.lines.iter().filter(|l| l.grant_id == Some(*id));
        let is_aside = |l: &&Line| matches!(l.line_type, LineType::Suspension | LineType::Resumption);
        let of_grant: Decimal = lines().filter(|l| !is_aside(l)).map(|l| l.effect.balance).sum();
        let aside: Decimal = lines().filter(is_aside).map(|l| -l.effect.balance).sum();
        let is_suspended = grant.status == Status::Suspended;
        prop_assert_eq!(aside, if is_suspended { grant.remaining } else { Decimal::ZERO });
        let lapsed: Decimal = lines()
            .filter(|l| {
                matches!(
                    l.line_type,
                    LineType::Expiration | LineType::Void | LineType::Refund | LineType::Reinstatement
                ) || l.line_type == LineType::Rollover && l.effect.balance < Decimal::ZERO
            })
            .map(|l| -l.effect.balance)
            .sum();
        if lines().next().is_some() {
            prop_assert_eq!(tables.remaining(*id), of_grant);
            prop_assert_eq!(grant.lapsed, lapsed);
        } else {
            prop_assert!(grant.status == Status::Scheduled || grant.lapsed == grant.amount);
        }
        prop_assert!(of_grant >= Decimal::ZERO && of_grant <= grant.amount);
    }
    tables.reclaims_add_up();
    tables.rollovers_add_up();
    for (meter, (drawn, owed, cost)) in tables.gauges().into_iter().enumerate() {
        prop_assert_eq!(drawn + owed, cost, "the gauge of {} is paid or owed", METERS[meter]);
    }
    Ok(())
}

/// What is done to an account does to the model what it does to the tables, step by step.
fn lives_as_its_grants_terms_say(actions: &[Action], windows: usize) -> Result<(), TestCaseError> {
    let (mut tables, mut model) = (Tables::new(), Model::default());
    for (i, action) in actions.iter().enumerate() {
        let id = i as u128 + 1;
        let expected = model.apply(id, action);
        let now = Time(0).plus_seconds(model.now);
        prop_assert_eq!(tables.apply(now, id, action, windows), expected, "{:?}", action);

        // What a reader sees, posted or not, is the model.
        let seen = tables.open(now, windows);
        prop_assert_eq!(seen.available, model.total(false), "available after {:?}", action);
        prop_assert_eq!(seen.restricted, model.total(true), "restricted after {:?}", action);
        prop_assert_eq!(seen.held, model.held(), "held after {:?}", action);
        prop_assert_eq!(seen.pending, model.pending(), "pending after {:?}", action);
        adds_up(&tables)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_account_is_what_its_grants_terms_say(
        actions in proptest::collection::vec(action(), 1..50), windows in 1usize..5
    ) {
        lives_as_its_grants_terms_say(&actions, windows)?;
    }

    /// Reading an account in between does not change the outcome.
    #[test]
    fn posting_often_is_posting_once(
        actions in proptest::collection::vec(action(), 1..30), waits in proptest::collection::vec(1i64..6, 1..8)
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
        let once = tables.open(end, 2);
        let at_once = tables.all_rolled_over(&once);
        for wait in waits {
            now = now.plus_seconds(wait);
            let mut book = tables.open(now, 2);
            tables.window(&mut book, Decimal::ZERO, &[], 2);
            tables.post(book);
        }
        let often = tables.open(end, 2);
        let balances = |b: &crate::ledger::engine::book::Book| (b.available, b.restricted, b.held, b.pending);
        prop_assert_eq!(balances(&once), balances(&often));
        prop_assert_eq!(at_once, tables.all_rolled_over(&often), "what grants rolled over into");
        adds_up(&tables)?;
    }
}

/// Part of what a hold has stands for a grant that was a mistake. When the hold ends after the grant, that part lapses, but
/// pays no late usage: neither in the posting in which the hold ends, nor in a later one.
#[test]
fn a_mistake_that_was_held_pays_no_late_usage() {
    let grant = |amount, lasts| Action::Grant {
        amount,
        priority: 1,
        paid: false,
        begins_in: 0,
        lasts: Some(lasts),
        meter: None,
        rolls: None,
    };
    let hold = |amount| Action::Hold { amount, lasts: 8, meter: None };
    let mistake = |tenths| Action::Mistake { which: 0, tenths: Some(tenths) };
    let late = |ago, record| Action::Late { amount: 50, meter: 0, ago, record };
    let wait = |seconds| Action::Wait { seconds };
    for record in [false, true] {
        for (held, mistaken) in [(50, 4), (50, 10), (40, 3), (40, 10)] {
            let once = [grant(50, 5), hold(held), mistake(mistaken), wait(9), late(5, record)];
            let posted = [grant(50, 5), hold(held), mistake(mistaken), wait(8), grant(1, 1), wait(1), late(5, record)];
            let twice = [grant(50, 5), hold(held), mistake(mistaken), wait(7), late(3, true), wait(2), late(5, record)];
            for actions in [&once[..], &posted[..], &twice[..]] {
                lives_as_its_grants_terms_say(actions, 2).expect("the model's");
            }
        }
    }
}
