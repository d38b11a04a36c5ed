//! What is asked for: all words of a query, of which the last one may not be finished. Pure.

use super::stretch::Stretch;
use super::words::{chunks, has_unspaced, whose, word};
use std::collections::BTreeMap;

/// The most characters that a query may have.
const LENGTH: usize = 1_000;
/// The most words, however often each.
const WORDS: usize = 32;

/// The words of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Each, and whether words that only begin with it are meant too.
    words: BTreeMap<String, bool>,
}

impl Query {
    /// Reads one; or says why it is none.
    pub fn read(text: &str) -> Result<Query, String> {
        if text.chars().nth(LENGTH).is_some() {
            return Err(format!("must have at most {LENGTH} characters"));
        }
        let mut words = BTreeMap::new();
        let parts: Vec<&str> = text.split(['"', '“', '”', '„']).collect();
        let last = parts.len() - 1;
        // The last one that is not finished.
        let mut unfinished = None;
        for (number, part) in parts.into_iter().enumerate() {
            // What is in quotes is finished; a last quote that is not closed does not count.
            let quoted = number % 2 == 1 && number < last;
            for chunk in chunks(part) {
                let (word, is_number) = word(&chunk);
                unfinished = (!quoted && !is_number).then(|| word.clone());
                *words.entry(word).or_insert(false) |= has_unspaced(&chunk) && !quoted;
            }
        }
        if words.is_empty() {
            return Err("must have a letter or a digit".to_string());
        }
        if words.len() > WORDS {
            return Err(format!("must have at most {WORDS} words"));
        }
        if let Some(word) = unfinished {
            words.insert(word, true);
        }
        Ok(Query { words })
    }

    /// How many words are finished, with the one that says whose the objects are, and how many are not.
    pub fn count(&self, customer_id: Option<&str>) -> (usize, usize) {
        let unfinished = self.words.values().filter(|begins| **begins).count();
        (self.words.len() - unfinished + usize::from(customer_id.is_some()), unfinished)
    }

    /// As PostgreSQL reads it: what the objects of any of some stretches have to have, the words of one kind or of both, of one
    /// customer's objects or of all.
    pub fn tsquery(&self, stretches: impl Iterator<Item = Stretch>, kind: Only, customer_id: Option<&str>) -> String {
        let whose = customer_id.map(|id| (whose(id), false));
        let words = self.words.iter().map(|(word, begins)| (word.clone(), *begins));
        let wanted: Vec<(String, bool)> = whose
            .into_iter()
            .chain(words)
            .filter(|(_, begins)| match kind {
                Only::Finished => !begins,
                Only::Unfinished => *begins,
                Only::Both => true,
            })
            .collect();
        let of_stretch = |stretch: Stretch| {
            let name = stretch.name();
            let word = |(word, begins): &(String, bool)| {
                format!("{}{}", quoted(&format!("{name}{word}")), if *begins { ":*" } else { "" })
            };
            wanted.iter().map(word).collect::<Vec<_>>().join(" & ")
        };
        stretches.map(of_stretch).collect::<Vec<_>>().join(" | ")
    }
}

/// Which words of a query are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Those that are finished, and whose the objects are.
    Finished,
    /// Those that are not.
    Unfinished,
    /// All.
    Both,
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', r"\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Time;
    use proptest::prelude::*;

    fn asked(text: &str) -> String {
        let stretch = Stretch::of(Time(0));
        Query::read(text).map_or_else(
            |reason| reason,
            |query| query.tsquery([stretch].into_iter(), Only::Both, None).replace("'V00", "'"),
        )
    }

    #[test]
    fn all_words_are_asked_for_and_the_last_may_be_unfinished() {
        assert_eq!(asked("Ann"), "'ann':*");
        assert_eq!(asked("ann Lee"), "'ann' & 'lee':*");
        assert_eq!(asked("lee lee"), "'lee':*");
        assert_eq!(asked("ann@exa"), "'ann@exa':*");
        assert_eq!(asked("usd 11.90"), "'11.9' & 'usd'");
        assert_eq!(asked("東京 tower x"), "'tower' & 'x':* & '東京':*");
    }

    #[test]
    fn what_is_in_quotes_is_finished() {
        assert_eq!(asked("\"ann lee\""), "'ann' & 'lee'");
        assert_eq!(asked("\"ann\" lee"), "'ann' & 'lee':*");
        assert_eq!(asked("\"ann lee"), "'ann' & 'lee':*");
        assert_eq!(asked("lee \"ann\""), "'ann' & 'lee'");
        assert_eq!(asked("\"ann"), "'ann':*");
    }

    #[test]
    fn signs_are_no_operators() {
        assert_eq!(asked("a & !b | (c:*) <-> 'd' \\e"), "'a' & 'b' & 'c' & 'd' & 'e':*");
        assert_eq!(asked("O'Brien\\x"), r"'o''brien\\x':*");
    }

    #[test]
    fn each_span_has_its_own_words() {
        let query = Query::read("\"ann\" x").unwrap();
        let stretches = || [Stretch::of(Time(0)), Stretch::of(Time(-1))].into_iter();
        let of = |kind, customer| query.tsquery(stretches(), kind, customer);
        assert_eq!(of(Only::Both, None), "'V00ann' & 'V00x':* | 'Uzzann' & 'Uzzx':*");
        assert_eq!(of(Only::Unfinished, Some("c")), "'V00x':* | 'Uzzx':*");
        assert_eq!(of(Only::Finished, Some(r"it's\")), r"'V00=it''s\\' & 'V00ann' | 'Uzz=it''s\\' & 'Uzzann'");
        assert_eq!((query.count(None), query.count(Some("c"))), ((1, 1), (2, 1)));
    }

    #[test]
    fn what_has_no_word_or_too_many_is_refused() {
        for nothing in ["", " ", "\"\"", "& | !", "🚀"] {
            assert_eq!(asked(nothing), "must have a letter or a digit");
        }
        let many = |count| (0..count).map(|n| format!("w{n} ")).collect::<String>();
        assert!(Query::read(&many(32)).is_ok());
        assert_eq!(asked(&many(33)), "must have at most 32 words");
        assert_eq!(asked(&"x".repeat(1_001)), "must have at most 1000 characters");
        assert!(Query::read(&"é".repeat(1_000)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(query) = Query::read(&text) {
                prop_assert!(!query.words.is_empty());
            }
        }
    }
}
