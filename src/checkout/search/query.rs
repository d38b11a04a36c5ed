//! What is asked for: all words of a query, of which the last one may not be finished. Pure.

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

    /// As PostgreSQL reads it, of one customer's objects or of all.
    pub fn tsquery(&self, customer_id: Option<&str>) -> String {
        let whose = customer_id.map(|id| quoted(&whose(id)));
        let words =
            self.words.iter().map(|(word, begins)| format!("{}{}", quoted(word), if *begins { ":*" } else { "" }));
        whose.into_iter().chain(words).collect::<Vec<_>>().join(" & ")
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', r"\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(text: &str) -> String {
        Query::read(text).map_or_else(|reason| reason, |query| query.tsquery(None))
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
        assert_eq!(Query::read("x").unwrap().tsquery(Some(r"it's\")), r"'=it''s\\' & 'x':*");
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
