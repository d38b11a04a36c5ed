//! What needs a server and has no function in SQL: comparisons of the data layouts that we write ourselves with PostgreSQL's
//! own, and what a purchase does with stock and with coupons. They are only in the library that the tests load.

mod redemption;
mod stock;

use crate::amount::Decimal;
use crate::pg::value::array::{Put, array};
use crate::pg::value::numeric::decimal;
use crate::pg::value::{FromCell, RowLocation, ToCell, is_read_as};
use pgrx::{pg_extern, pg_sys};
use uuid::Uuid;

/// Runs all of them, and returns how many there are. A failed assertion is an error.
#[pg_extern(sql = false)]
fn run_tests() -> i32 {
    let tests = [
        a_decimal_and_its_numeric_are_one_number,
        arrays_are_laid_out_as_postgresql_does,
        stock::what_a_purchase_does_with_stock,
        redemption::what_a_purchase_does_with_a_coupon,
    ];
    tests.iter().for_each(|test| test());
    tests.len() as i32
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A decimal becomes the same numeric as its text does, by either way of writing it, and is read back unchanged.
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
    // Larger than anything that is ever read back.
    assert!(is_read_as(Decimal::MIN.cell(), &Decimal::MIN.to_string(), pg_sys::F_NUMERIC_IN, pg_sys::InvalidOid));
}

/// Writes an array in which every `every`-th element is NULL, and compares it with what PostgreSQL makes of its text.
fn check_array<T: Put + Clone>(count: usize, every: usize, item: impl Fn(usize) -> T, text: impl Fn(usize) -> String) {
    let is_null = |i: usize| every > 0 && i % every == every - 1;
    let items: Vec<Option<T>> = (0..count).map(|i| (!is_null(i)).then(|| item(i))).collect();
    let texts: Vec<String> = (0..count).map(|i| if is_null(i) { String::from("NULL") } else { text(i) }).collect();
    let text = format!("{{{}}}", texts.join(","));
    assert!(is_read_as(array(items), &text, pg_sys::F_ARRAY_IN, T::LAYOUT.0), "{text}");
}

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
            check_array(count, every, |i| RowLocation::last_of(block(i)), |i| format!("\"({},65535)\"", block(i)));
        }
    }
}
