//! Reversals of debits: in the tables, and in the model, which takes what goes back off a stack.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::Outcome;
use crate::ledger::engine::book::tests::model::Model;
use crate::ledger::engine::book::tests::tables::Tables;
use crate::ledger::engine::book::{Book, newest_part};
use crate::ledger::engine::line::Source;
use uuid::Uuid;

impl Tables {
    /// As ledger/reversal.rs.
    pub(super) fn reverse(&mut self, book: Book, id: u128, which: usize, tenths: i64, windows: usize) -> Outcome {
        let Some((debit, returned)) = self.debits.get(which).copied() else { return Outcome::Nothing };
        let mut book = self.open_posted(book, windows);
        let of_debit = self.lines.iter().filter(|l| l.source == Some(Source::Operation(debit)));
        let draws: Vec<(Uuid, Decimal)> =
            of_debit.map(|l| (l.grant_id.expect("a grant that paid"), -l.effect.balance)).collect();
        let taken: Decimal = draws.iter().map(|(_, amount)| *amount).sum();
        let amount = (taken - returned) * Decimal::new(tenths, 1);
        if amount.is_zero() {
            return Outcome::Refused;
        }
        let parts = newest_part(&draws, returned, amount);
        self.window(&mut book, Decimal::ZERO, &[], windows);
        book.take_grants(parts.iter().map(|(grant_id, _)| self.grants[grant_id].clone()).collect());
        book.reverse((Uuid::from_u128(id), debit), Decimal::ZERO, &parts, self.owed());
        self.debits[which].1 += amount;
        self.post(book);
        Outcome::Charged(amount, Decimal::ZERO)
    }
}

impl Model {
    pub(super) fn reverse(&mut self, which: usize, tenths: i64) -> Outcome {
        let Some(mut stack) = self.debits.get(which).cloned() else { return Outcome::Nothing };
        let amount = stack.iter().map(|(_, part)| *part).sum::<Decimal>() * Decimal::new(tenths, 1);
        if amount.is_zero() {
            return Outcome::Refused;
        }
        let mut open = amount;
        while open > Decimal::ZERO {
            let (index, drawn) = stack.pop().expect("no more goes back than was taken");
            let part = open.min(drawn);
            if part < drawn {
                stack.push((index, drawn - part));
            }
            open -= part;
            self.give_back(index, part);
        }
        self.debits[which] = stack;
        self.pay();
        Outcome::Charged(amount, Decimal::ZERO)
    }
}
