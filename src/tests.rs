//! Tests inside a database, where the ways through the code can be held against each other, and what we lay out ourselves
//! against PostgreSQL.

#[pgrx::pg_schema]
mod tests {
    use crate::amount::Decimal;
    use crate::pg::array::{Put, array};
    use crate::pg::numeric::decimal;
    use crate::pg::value::{FromCell, Place, ToCell, is_read_as};
    use pgrx::pg_sys;
    use pgrx::prelude::*;
    use uuid::Uuid;

    fn one<T: FromDatum + IntoDatum>(query: &str) -> Option<T> {
        Spi::get_one(query).unwrap()
    }

    fn run(statement: &str) {
        Spi::run(statement).unwrap()
    }

    fn clock(minute: u64) {
        run(&format!(
            "SET credits.test_clock = '2026-01-01 00:00+00'; \
                      SELECT set_config('credits.test_clock', \
                                        (timestamptz '2026-01-01 00:00+00' + interval '{minute} min')::text, false)"
        ));
    }

    /// Numbers that are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % sides
        }
    }

    /// The same life led by five wallets: one event a call (the head's way wherever it applies), batches in which an event
    /// costs nothing (locked, planned and posted), batches that the heads may pay (undone where they do not), single events
    /// beside credits for another meter (which rule out the head's way), and in a wallet in which usage could wait (which the
    /// head's way looks for). Their answers and ledgers must be the same.
    #[pg_test]
    fn every_way_of_charging_comes_to_the_same() {
        run("SELECT credits.meter_create('m', unit_price => 0.5), credits.meter_create('other')");
        run("SELECT credits.meter_create('later', settlement => 'deferred')");
        clock(0);
        for wallet in ["one", "batch", "heads", "beside", "later", "other"] {
            run(&format!("SELECT credits.customer_upsert('{wallet}')"));
        }
        run("SELECT credits.credit_grant('other', 1000000)");
        run("SELECT credits.report_meter_event('later', 'later', 0, 'nothing')");
        run("SELECT credits.credit_grant('beside', 1000, applicable_meters => '{other}')");
        let mut dice = Dice(42);
        for minute in 1..=300u64 {
            clock(minute);
            if dice.roll(4) == 0 {
                let (amount, priority, starts, lasts) =
                    (1 + dice.roll(60), dice.roll(3), dice.roll(3) * 7, 5 + dice.roll(60));
                let ends = if dice.roll(2) == 0 {
                    format!("'2026-01-01 00:00+00'::timestamptz + interval '{} min'", minute + starts + lasts)
                } else {
                    String::from("NULL")
                };
                for wallet in ["one", "batch", "heads", "beside", "later"] {
                    run(&format!(
                        "SELECT credits.credit_grant('{wallet}', {amount}, priority => {priority}, expires_at => {ends}, \
                         effective_at => '2026-01-01 00:00+00'::timestamptz + interval '{} min')",
                        minute + starts
                    ));
                }
            } else {
                let value = dice.roll(20);
                let answer = |call: String| {
                    one::<String>(&format!(
                        "SELECT concat_ws(' ', status, consumed, pending, available, replayed) FROM {call}"
                    ))
                };
                let single = answer(format!("credits.report_meter_event('one', 'm', {value}, 'e{minute}')"));
                // Beside an event of somebody else's, since a batch of one is charged as its event alone.
                let together = |wallet: &str, other: u64| {
                    answer(format!(
                        "credits.report_meter_events('{{{wallet},other}}', '{{m,m}}', '{{{value},{other}}}', \
                                                     '{{e{minute},{wallet}{minute}}}') LIMIT 1"
                    ))
                };
                let batch = together("batch", 0);
                assert_eq!(single, together("heads", 1), "minute {minute}");
                let beside = answer(format!("credits.report_meter_event('beside', 'm', {value}, 'e{minute}')"));
                assert!(single.is_some());
                assert_eq!(single, batch, "minute {minute}");
                assert_eq!(single, beside, "minute {minute}");
                let later = answer(format!("credits.report_meter_event('later', 'm', {value}, 'e{minute}')"));
                assert_eq!(single, later, "minute {minute}");
                let debit = |wallet: &str| {
                    one::<String>(&format!(
                        "SELECT concat_ws(' ', ok, shortfall, debited, available) \
                         FROM credits.wallet_try_debit('{wallet}', {value} + 1, idempotency_key => 'd{minute}')"
                    ))
                };
                if minute % 5 == 0 {
                    let single = debit("one");
                    for wallet in ["batch", "heads", "beside", "later"] {
                        assert_eq!(single, debit(wallet), "minute {minute}, {wallet}");
                    }
                }
            }
        }
        clock(100_000);
        run("SELECT credits.maintain_batch(10)");
        // The ledgers, told by amounts and times; the wallet with other credits beside has a line more, of 1000.
        let ledger = |wallet: &str, less: i32| -> Vec<String> {
            let lines = one::<String>(&format!(
                "SELECT string_agg(concat_ws(' ', type, trim_scale(amount), trim_scale(running_balance - {less}), \
                                             identifier, effective_at, created_at), ';' ORDER BY line_no) \
                 FROM credits.lines WHERE customer_id = '{wallet}' AND amount <> 1000"
            ));
            lines.unwrap_or_default().split(';').map(String::from).collect()
        };
        let single = ledger("one", 0);
        assert!(
            ["grant", "consumption", "debit", "debt", "expiration"]
                .iter()
                .all(|t| single.iter().any(|l| l.starts_with(t)))
        );
        // Which lines are events' and debits' own is the same as well.
        let own = |wallet: &str| {
            one::<i64>(&format!(
                "SELECT (SELECT count(*) FROM credits.meter_events WHERE customer_id = '{wallet}' AND line_no IS NOT NULL)"
            ))
        };
        assert!(own("one") > Some(20));
        // A batch that the heads paid was written in a subtransaction.
        let below = |wallet: &str| {
            one::<i64>(&format!(
                "SELECT count(*) FROM credits.meter_events WHERE customer_id = '{wallet}' AND NOT xmin::text = \
                 (pg_current_xact_id()::text::bigint % 4294967296)::text"
            ))
        };
        let paid = below("heads");
        assert!(paid > Some(20), "{paid:?} were paid by heads");
        assert_eq!(below("batch"), Some(0));
        for (wallet, less) in [("batch", 0), ("heads", 0), ("beside", 1000), ("later", 0)] {
            assert_eq!(own("one"), own(wallet), "{wallet}");
            let other = ledger(wallet, less);
            assert_eq!(single.len(), other.len(), "lines of {wallet}");
            if let Some((a, b)) = single.iter().zip(&other).find(|(a, b)| a != b) {
                panic!("{wallet} differs first at: {a} / {b}");
            }
        }
        assert_eq!(one::<i64>("SELECT count(*) FROM credits.verify()"), Some(0));
    }

    /// What a session remembers of a meter is given up with the transaction that made it, and with any change to it.
    #[pg_test]
    fn what_is_remembered_is_forgotten_in_time() {
        let code = |statement: &str| {
            run("CREATE OR REPLACE FUNCTION pg_temp.code(statement text) RETURNS text LANGUAGE plpgsql AS \
                 $$ BEGIN EXECUTE statement; RETURN 'ok'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$");
            one::<String>(&format!("SELECT pg_temp.code($x${statement}$x$)")).unwrap()
        };
        run("SELECT credits.wallet_credit('u', 100)");
        // Made, used and remembered in a block that is rolled back.
        assert_eq!(
            code(
                "DO $$ BEGIN PERFORM credits.meter_create('gone'); \
                  PERFORM credits.report_meter_event('u', 'gone', 1, 'x'); RAISE 'back' USING ERRCODE = 'AB000'; END $$"
            ),
            "AB000"
        );
        assert_eq!(code("SELECT credits.report_meter_event('u', 'gone', 1, 'x')"), "PC004");
        run("SELECT credits.meter_create('m')");
        assert_eq!(code("SELECT credits.report_meter_event('u', 'm', 1, 'a')"), "ok");
        assert_eq!(code("SELECT credits.meter_deactivate('m')"), "ok");
        assert_eq!(code("SELECT credits.report_meter_event('u', 'm', 1, 'b')"), "PC005");
        assert_eq!(code("SELECT credits.meter_activate('m')"), "ok");
        assert_eq!(code("SELECT credits.report_meter_event('u', 'm', 1, 'b')"), "ok");
        // … by whatever hand.
        run("UPDATE credits.meter_prices SET unit_price = 3 WHERE event_name = 'm'");
        assert_eq!(
            one::<String>("SELECT trim_scale(consumed)::text FROM credits.report_meter_event('u', 'm', 1, 'd')")
                .as_deref(),
            Some("3")
        );
        assert_eq!(code("SELECT credits.currency_update('CREDIT', active => false)"), "ok");
        assert_eq!(code("SELECT credits.report_meter_event('u', 'm', 1, 'c')"), "PC008");
        assert_eq!(code("SELECT credits.wallet_debit('u', 1)"), "PC008");
    }

    /// An account with ten thousand open grants is charged by its head alone.
    #[pg_test]
    fn many_grants_are_not_read_for_one_charge() {
        run("SELECT count(*) FROM generate_series(1, 2000) i, credits.credit_grant('u', 5, priority => i % 100)");
        run("SELECT credits.wallet_debit('u', 7)");
        assert_eq!(one::<i64>("SELECT count(*) FROM credits.credit_grants WHERE status = 'depleted'"), Some(1));
        run("SELECT credits.wallet_debit('u', 9000)");
        assert_eq!(
            one::<String>("SELECT trim_scale(available)::text FROM credits.wallet_balance('u', 'CREDIT')").as_deref(),
            Some("993")
        );
        assert_eq!(one::<i64>("SELECT count(*) FROM credits.verify()"), Some(0));
    }

    /// A decimal becomes the numeric that its text is, whichever way it takes, and is read back as itself.
    #[pg_test]
    fn a_decimal_and_its_numeric_are_one_number() {
        let edges = [0, 1, 9_999, 10_000, i64::MAX.into(), i128::from(i64::MAX) + 1, 10i128.pow(28) - 1];
        let mut dice = Dice(7);
        let rolled = (0..400).map(|_| i128::from(dice.roll(1 << 31)) * i128::from(dice.roll(1 << 31)));
        let mantissas: Vec<i128> = edges.into_iter().chain((1..28).map(|n| 10i128.pow(n))).chain(rolled).collect();
        for scale in 0..=28 {
            for mantissa in mantissas.iter().flat_map(|m| [*m, -m]) {
                let number = Decimal::from_i128_with_scale(mantissa, scale);
                let cell = number.cell();
                let text = number.normalize().to_string();
                assert!(is_read_as(cell, &text, pg_sys::F_NUMERIC_IN, pg_sys::InvalidOid), "{mantissa} at {scale}");
                assert_eq!(Decimal::from_cell(cell), Some(number), "{mantissa} at {scale}");
                let by_digits = decimal(cell.datum);
                assert!(by_digits.is_none_or(|read| read == number), "{mantissa} at {scale}: {by_digits:?}");
                assert!(by_digits.is_some() || mantissa.abs() >= 10i128.pow(12), "{mantissa} at {scale}");
            }
        }
        // More than is ever read back.
        assert!(is_read_as(Decimal::MIN.cell(), &Decimal::MIN.to_string(), pg_sys::F_NUMERIC_IN, pg_sys::InvalidOid));
        // Numerics that no decimal makes: with so many decimals that they are in the long form.
        run("SELECT credits.wallet_credit('long', ('2.5' || repeat('0', 90))::numeric)");
        run("SELECT credits.wallet_adjust('long', ('-0.25' || repeat('0', 70))::numeric, 'correction')");
        let left = "SELECT trim_scale(available)::text FROM credits.wallet_balance('long', 'CREDIT')";
        assert_eq!(one::<String>(left).as_deref(), Some("2.25"));
    }

    /// Arrays as no driver sends them.
    #[pg_test]
    fn odd_arrays_are_read_element_by_element() {
        run("SELECT credits.meter_create('m'), credits.wallet_credit('u', 10)");
        let rows = one::<String>(
            "SELECT string_agg(concat_ws(' ', identifier, consumed, error), ', ') FROM credits.report_meter_events( \
             ARRAY['u', 'u', 'u', NULL], '[5:8]={m,m,m,m}', ARRAY[1, 2, NULL, 4], ARRAY['a', 'b', 'c', 'd'])",
        );
        assert_eq!(rows.as_deref(), Some("a 1, b 2, c PC013, d PC013"));
    }

    /// No settings: the clock is the transaction's.
    #[pg_test]
    fn without_a_test_clock_time_is_now() {
        run("RESET credits.test_clock");
        run("SELECT credits.wallet_credit('u', 10)");
        assert_eq!(
            one::<bool>(
                "SELECT bool_and(created_at = now() AND effective_at = now()) FROM credits.credit_transactions"
            ),
            Some(true)
        );
    }

    /// Writes an array in which every so many-th element is NULL, and has PostgreSQL make one of its text.
    fn check_array<T: Put + Clone>(
        count: usize,
        every: usize,
        item: impl Fn(usize) -> T,
        text: impl Fn(usize) -> String,
    ) {
        let is_null = |i: usize| every > 0 && i % every == every - 1;
        let items: Vec<Option<T>> = (0..count).map(|i| (!is_null(i)).then(|| item(i))).collect();
        let texts: Vec<String> = (0..count).map(|i| if is_null(i) { String::from("NULL") } else { text(i) }).collect();
        let text = format!("{{{}}}", texts.join(","));
        assert!(is_read_as(array(items), &text, pg_sys::F_ARRAY_IN, T::LAYOUT.0), "{text}");
    }

    #[pg_test]
    fn arrays_are_laid_out_as_postgresql_does() {
        for count in [0, 1, 2, 7, 8, 9, 16, 65] {
            for every in [0, 1, 2, 3, 9] {
                let quoted = |i: usize| format!("\"{}é\"", "x".repeat(i % 11));
                check_array(count, every, |i| format!("{}é", "x".repeat(i % 11)), quoted);
                check_array(
                    count,
                    every,
                    |i| Decimal::new(i as i64 * 4_999, 3),
                    |i| Decimal::new(i as i64 * 4_999, 3).normalize().to_string(),
                );
                check_array(count, every, |i| Uuid::from_u128(i as u128), |i| Uuid::from_u128(i as u128).to_string());
                check_array(count, every, |i| i % 2 == 0, |i| (i % 2 == 0).to_string());
                check_array(count, every, |i| i as i32 - 3, |i| (i as i32 - 3).to_string());
                check_array(count, every, |i| i as i64 - 3, |i| (i as i64 - 3).to_string());
                let block = |i: usize| (i * 9_999) as u32;
                check_array(count, every, |i| Place::last_of(block(i)), |i| format!("\"({},65535)\"", block(i)));
            }
        }
    }
}
