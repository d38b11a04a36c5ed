//! What objects are found by: the words of their texts, numbers and JSON values. An index keeps them, so what a text comes to
//! must never change while an index lives: another way of taking texts apart needs another symbol for `search_words`, and
//! the indexes made anew. Nothing here depends on a locale, and nothing fails. Pure.

use super::stretch::Stretch;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest word, in characters: a longer one is found by what it begins with.
const LENGTH: usize = 64;
/// In how many places within it what is written without spaces can be found.
const PLACES: usize = 32;
/// How many words of an object are kept, those that it has twice counted twice.
const WORDS: usize = 4_000;
/// How many bytes they have together: PostgreSQL refuses a tsvector of more than a megabyte.
const BYTES: usize = 500_000;
/// What precedes the customer whose object it is, so that it is no word of a text: those begin with a letter or a digit.
const OF_CUSTOMER: char = '=';

/// The words of one object, in the order in which they were found, each behind the name of a stretch.
pub struct Words {
    /// The name of the stretch in which the object was created.
    stretch: String,
    /// All of them, one behind the other.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Words {
    /// Those that say whose the object is, of an object that was created in a stretch.
    pub fn of(stretch: Stretch, customer_id: Option<&str>) -> Words {
        let mut words = Words { stretch: stretch.name(), text: String::new(), ends: Vec::new() };
        if let Some(customer_id) = customer_id {
            words.keep(&whose(customer_id));
        }
        words
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.text[begin..*end])
    }

    /// Adds those of a text.
    pub fn add(&mut self, text: &str) {
        for raw in text.split_whitespace() {
            if self.is_full() {
                return;
            }
            each_chunk(raw, |chunk| self.add_chunk(chunk));
        }
    }

    /// Adds those of all texts and numbers in a JSON text, whatever they are nested in; keys are none.
    pub fn add_json(&mut self, json: &str) {
        let mut at = 0;
        while let Some(found) = json.get(at..).and_then(|rest| rest.find(|c: char| c == '"' || is_number(c))) {
            let begin = at + found;
            let rest = &json[begin..];
            if !rest.starts_with('"') {
                let number = rest.find(|c| !is_number(c)).map_or(rest, |end| &rest[..end]);
                at = begin + number.len();
                self.add(number);
                continue;
            }
            let text = literal(rest);
            at = begin + text.len();
            if !json[at..].trim_start().starts_with(':') {
                self.add(&unescaped(text));
            }
            if self.is_full() {
                return;
            }
        }
    }

    /// What is written without spaces is found as a whole, from any of its parts on, and by each part: of ann@example.com
    /// that are ann@example.com, example.com, com, ann and example. Where a script has no spaces, it is found from any of its
    /// signs on.
    fn add_chunk(&mut self, chunk: &str) {
        if is_uuid(chunk) {
            return self.keep(chunk);
        }
        if let Some(number) = decimal(chunk) {
            return self.keep(&number);
        }
        let (mut places, mut part) = (0, None);
        for (at, letter) in chunk.char_indices() {
            if !is_letter(letter) {
                if let Some(begin) = part.take() {
                    self.keep(&chunk[begin..at]);
                }
                continue;
            }
            if (part.is_none() || is_unspaced(letter)) && places < PLACES {
                self.keep(&chunk[at..]);
                places += 1;
            }
            part = part.or(Some(at));
        }
    }

    fn keep(&mut self, word: &str) {
        self.text.push_str(&self.stretch);
        self.text.push_str(cut(word));
        self.ends.push(self.text.len());
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= WORDS || self.text.len() >= BYTES
    }
}

/// The word that says whose an object is.
pub fn whose(customer_id: &str) -> String {
    format!("{OF_CUSTOMER}{customer_id}")
}

/// What a text has between its spaces, without what is no letter or digit at both ends, and without what people write or
/// leave out as they like: capitals, accents, the width of signs.
pub fn chunks(text: &str) -> Vec<String> {
    let mut chunks = Vec::new();
    text.split_whitespace().for_each(|raw| each_chunk(raw, |chunk| chunks.push(chunk.to_string())));
    chunks
}

fn each_chunk(raw: &str, take: impl FnMut(&str)) {
    match folded(raw) {
        Cow::Borrowed(text) => trimmed(text).into_iter().for_each(take),
        // What stands for several signs may have a space among them.
        Cow::Owned(text) => text.split_whitespace().filter_map(trimmed).for_each(take),
    }
}

/// The word of a query that a chunk of it is, and whether it is a number, of which nothing is missing.
pub fn word(chunk: &str) -> (String, bool) {
    match decimal(chunk) {
        Some(number) => (number, true),
        None => (cut(chunk).to_string(), false),
    }
}

/// Whether a text has signs of a script that is written without spaces.
pub fn has_unspaced(text: &str) -> bool {
    text.chars().any(is_unspaced)
}

fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().flat_map(char::to_lowercase) {
        match letter {
            // Accents of Latin, Greek and Cyrillic letters, and what is not seen.
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => {}
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '\u{2018}' | '\u{2019}' => folded.push('\''),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            letter => folded.push(letter),
        }
    }
    Cow::Owned(folded)
}

fn trimmed(text: &str) -> Option<&str> {
    let begin = text.find(is_letter)?;
    let (last, letter) = text.char_indices().rev().find(|(_, letter)| is_letter(*letter))?;
    text.get(begin..last + letter.len_utf8())
}

fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || (!letter.is_ascii() && is_combining_mark(letter))
}

/// Han, Kana, Thai, Lao, Burmese, Khmer.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
        && letter.is_alphanumeric()
}

fn cut(word: &str) -> &str {
    if word.len() <= LENGTH || word.starts_with(OF_CUSTOMER) {
        return word;
    }
    word.char_indices().nth(LENGTH).map_or(word, |(end, _)| &word[..end])
}

fn is_uuid(chunk: &str) -> bool {
    chunk.len() == 36
        && chunk.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A number with a point, or with commas between thousands, as its shortest form: 11.90 and 11.9 are one.
fn decimal(chunk: &str) -> Option<String> {
    if !chunk.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',') {
        return None;
    }
    let (whole, after) = chunk.split_once('.').map_or((chunk, None), |(whole, after)| (whole, Some(after)));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let grouped = whole.contains(',');
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_is_right = digits(first) && groups.all(|group| group.len() == 3 && digits(group));
    if !whole_is_right || (grouped && first.len() > 3) || !(grouped || after.is_some()) || !after.is_none_or(digits) {
        return None;
    }
    let after = after.unwrap_or_default().trim_end_matches('0');
    let point = if after.is_empty() { "" } else { "." };
    Some(format!("{}{point}{after}", whole.replace(',', "")))
}

fn is_number(letter: char) -> bool {
    letter.is_ascii_digit() || letter == '.'
}

/// The string that a JSON text begins with, in its quotes.
fn literal(json: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return &json[..=at],
            _ => {}
        }
    }
    json
}

fn unescaped(literal: &str) -> Cow<'_, str> {
    if literal.contains('\\')
        && let Ok(text) = serde_json::from_str::<String>(literal)
    {
        return Cow::Owned(text);
    }
    Cow::Borrowed(literal.trim_matches('"'))
}

#[cfg(test)]
mod tests;
