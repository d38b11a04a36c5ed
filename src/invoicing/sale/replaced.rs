//! What the lines of a sale come to once the provider's checkout said what it took off and which tax it added: that replaces
//! ours. Pure.
//!
//! What a line costs stays, and what is taken off it is whatever is missing to what is left of it; where that cannot say it (a
//! tax of which only a part is in the price), the amounts are what is left and what was taken off.

use crate::amount::{AmountError, Decimal};
use crate::invoicing::engine::shares;
use crate::payments::reckoning::Cover;

/// A line as it was sold.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// What it costs.
    pub amount: Decimal,
    /// What we took off it.
    pub discount: Decimal,
    /// Our tax on it.
    pub tax: Decimal,
    /// Whether that is in the amount.
    pub inclusive: bool,
}

/// The same with what the provider said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// What it costs.
    pub amount: Decimal,
    /// All that is taken off it.
    pub discount: Decimal,
    /// The tax on it.
    pub tax: Decimal,
    /// What it comes to without tax.
    pub net: Decimal,
}

/// All of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Whether the tax is in the amounts.
    pub inclusive: bool,
    /// In their order.
    pub lines: Vec<After>,
}

/// What lines come to that were to cost `amount` in all, and are covered by that.
pub fn replaced(lines: &[Before], amount: Decimal, cover: &Cover, decimals: u32) -> Result<Replaced, AmountError> {
    let left: Vec<Decimal> = lines.iter().map(|line| (line.amount - line.discount).max(Decimal::ZERO)).collect();
    let all_left: Decimal = left.iter().sum();
    let own_tax: Decimal = lines.iter().map(|line| line.tax).sum();
    let (net, tax, inclusive) = if cover.tax.is_zero() {
        // It said of no tax, so ours stays, and goes down with what it took off.
        let tax = shares(cover.due, &[own_tax, amount - own_tax], decimals)?[0].min(own_tax);
        (cover.due - tax, tax, lines.iter().all(|line| line.inclusive))
    } else {
        (cover.due, cover.tax, !cover.included.is_zero() && cover.included == cover.tax)
    };
    let each = |amounts: &[Decimal], taxes: &[Decimal], nets: &[Decimal], inclusive: bool| {
        let parts = lines.iter().zip(amounts).zip(taxes.iter().zip(nets));
        parts
            .map(|((line, left), (tax, net))| After {
                amount: line.amount,
                discount: line.amount - left,
                tax: *tax,
                net: if inclusive { left - tax } else { *net },
            })
            .collect()
    };
    if inclusive && net + tax <= all_left {
        let gross = shares(net + tax, &left, decimals)?;
        let taxes = shares(tax, &gross, decimals)?;
        return Ok(Replaced { inclusive, lines: each(&gross, &taxes, &gross, true) });
    }
    if (cover.included.is_zero() || !own_tax.is_zero()) && net <= all_left {
        let (nets, taxes) = (shares(net, &left, decimals)?, shares(tax, &left, decimals)?);
        return Ok(Replaced { inclusive: false, lines: each(&nets, &taxes, &nets, false) });
    }
    let (nets, taxes) = (shares(net, &left, decimals)?, shares(tax, &left, decimals)?);
    let off = shares(cover.discount, &left, decimals)?;
    let lines = nets.iter().zip(&taxes).zip(&off).map(|((net, tax), off)| After {
        amount: net + off + if inclusive { *tax } else { Decimal::ZERO },
        discount: *off,
        tax: *tax,
        net: *net,
    });
    Ok(Replaced { inclusive, lines: lines.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(cents: i64) -> Decimal {
        Decimal::new(cents, 2)
    }

    fn sold(amount: i64, discount: i64, tax: i64, inclusive: bool) -> Before {
        Before { amount: d(amount), discount: d(discount), tax: d(tax), inclusive }
    }

    fn said(due: i64, discount: i64, tax: i64, included: i64) -> Cover {
        Cover { due: d(due), discount: d(discount), tax: d(tax), included: d(included), ..Cover::default() }
    }

    fn after(lines: &[Before], amount: i64, cover: &Cover) -> Vec<[i64; 4]> {
        let cents = |amount: Decimal| i64::try_from(amount.mantissa() * 100 / 10i128.pow(amount.scale())).unwrap();
        let replaced = replaced(lines, d(amount), cover, 2).unwrap();
        replaced.lines.iter().map(|one| [one.amount, one.discount, one.tax, one.net].map(cents)).collect()
    }

    #[test]
    fn one_line_without_anything_of_ours() {
        let one = [sold(1000, 0, 0, false)];
        assert_eq!(after(&one, 1000, &said(800, 200, 152, 0)), [[1000, 200, 152, 800]], "tax on top");
        assert_eq!(after(&one, 1000, &said(800, 0, 200, 200)), [[1000, 0, 200, 800]], "tax in the price");
        assert_eq!(after(&one, 1000, &said(700, 200, 200, 100)), [[900, 200, 200, 700]], "a part of it");
        assert_eq!(after(&one, 1000, &said(0, 1000, 0, 0)), [[1000, 1000, 0, 0]], "for nothing");
    }

    #[test]
    fn what_we_took_off_stays_said() {
        let two = [sold(1500, 300, 228, false), sold(500, 100, 76, false)];
        assert_eq!(after(&two, 1904, &said(1600, 0, 304, 304)), [[1500, 300, 228, 1200], [500, 100, 76, 400]]);
        assert_eq!(after(&two, 1904, &said(952, 952, 0, 0)), [[1500, 900, 114, 600], [500, 300, 38, 200]]);
        assert_eq!(after(&two, 1904, &said(1904, 0, 100, 0)).iter().map(|one| one[3]).sum::<i64>(), 1904);
    }

    proptest! {
        #[test]
        fn it_adds_up(
            lines in proptest::collection::vec((0i64..5_000, 0i64..100, 0i64..30, any::<bool>()), 1..6),
            off in 0i64..100, tax in 0i64..40, included in 0i64..=100
        ) {
            let lines: Vec<Before> = lines.iter().map(|(amount, off, rate, inclusive)| {
                let discount = amount * off / 100;
                let left = amount - discount;
                sold(*amount, discount, if *inclusive { left * rate / (100 + rate) } else { left * rate / 100 }, *inclusive)
            }).collect();
            let amount: Decimal = lines.iter()
                .map(|line| line.amount - line.discount + if line.inclusive { Decimal::ZERO } else { line.tax }).sum();
            let cents = i64::try_from(amount.mantissa()).unwrap();
            let off = cents * off / 100;
            let tax = (cents - off) * tax / 100;
            let included = tax * included / 100;
            let cover = said(cents - off - included, off, tax, included);
            let after = replaced(&lines, amount, &cover, 2).unwrap();
            let total: Decimal = after.lines.iter().map(|one| one.net + one.tax).sum();
            prop_assert_eq!(total, cover.due + cover.tax);
            for one in &after.lines {
                prop_assert_eq!(one.net, one.amount - one.discount - if after.inclusive { one.tax } else { Decimal::ZERO });
                prop_assert!(one.net >= Decimal::ZERO && one.discount >= Decimal::ZERO && one.tax >= Decimal::ZERO);
            }
        }
    }
}
