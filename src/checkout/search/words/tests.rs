//! What texts come to. An index that was made by another version has what stands here.

use super::*;
use crate::moment::Time;
use proptest::prelude::*;

fn of(text: &str) -> Vec<String> {
    let mut words = Words::of(Stretch::of(Time(0)), None);
    words.add(text);
    let mut words: Vec<String> = words.iter().map(|word| word[3..].to_string()).collect();
    words.sort();
    words.dedup();
    words
}

fn of_json(json: &str) -> Vec<String> {
    let mut words = Words::of(Stretch::of(Time(0)), None);
    words.add_json(json);
    words.iter().map(|word| word[3..].to_string()).collect()
}

#[test]
fn what_is_written_without_spaces_is_found_from_each_part_on() {
    assert_eq!(of("Ann Lee"), ["ann", "lee"]);
    assert_eq!(of("<Ann@Example.com>,"), ["ann", "ann@example.com", "com", "example", "example.com"]);
    assert_eq!(of("INV-0007"), ["0007", "inv", "inv-0007"]);
    assert_eq!(of("O’Brien & Söhne"), ["brien", "o", "o'brien", "sohne"]);
    assert_eq!(of("past_due"), ["due", "past", "past_due"]);
    assert_eq!(of("2024-01-31"), ["01", "01-31", "2024", "2024-01-31", "31"]);
    assert!(of(" -- !?… 🚀 ").is_empty());
}

#[test]
fn capitals_accents_and_widths_are_the_same() {
    for (one, other) in [
        ("MÜLLER", "Mu\u{308}ller"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("ΟΔΥΣΣΕΥΣ", "Οδυσσεύς"),
        ("Ёлкин", "елкин"),
        ("Łódź", "lodz"),
        ("ＡＣＭＥ１２", "acme12"),
        ("e\u{ad}mail", "email"),
        ("INV–1", "inv-1"),
    ] {
        assert_eq!(of(one), of(other), "{one} {other}");
    }
    assert_ne!(of("कि"), of("कु"));
}

#[test]
fn scripts_without_spaces_are_found_from_any_sign_on() {
    assert_eq!(of("東京タワー"), ["タワー", "ワー", "ー", "京タワー", "東京タワー"]);
    assert!(has_unspaced("タワー") && !has_unspaced("tower"));
}

#[test]
fn numbers_are_one_however_they_are_written() {
    assert_eq!(of("11.90"), ["11.9"]);
    assert_eq!(of("$1,190.00"), ["1190"]);
    assert_eq!(of("-0.50%"), ["0.5"]);
    assert_eq!(of("0007"), ["0007"]);
    assert_eq!(of("1.2.3"), ["1", "1.2.3", "2", "2.3", "3"]);
    assert_eq!(of("1,19"), ["1", "1,19", "19"]);
    assert_eq!(of("1234,567"), ["1234", "1234,567", "567"]);
    assert_eq!(word("11.90"), ("11.9".to_string(), true));
    assert_eq!(word("1190"), ("1190".to_string(), false));
}

#[test]
fn ids_are_one_word() {
    let id = "0192f0c1-0000-7000-8000-00000000abcd";
    assert_eq!(of(&id.to_uppercase()), [id]);
}

#[test]
fn values_of_json_are_found_and_keys_are_not() {
    let json = r#"{"key one": "A \"b\" \u00c4", "n": [1.50, -2, true, null, {"k": "deep:er"}], "s": "x:"}"#;
    assert_eq!(of_json(json), ["a", "b", "a", "1.5", "2", "deep:er", "deep", "er", "x"]);
    assert_eq!(of_json(r#""a text alone""#), ["a", "text", "alone"]);
    assert!(of_json("{}").is_empty() && of_json("null").is_empty());
    let deep = format!("{}\"bottom\"{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(of_json(&deep), ["bottom"]);
}

#[test]
fn what_is_long_is_cut() {
    let long = "x".repeat(1_000);
    assert_eq!(of(&long), [&long[..LENGTH]]);
    assert!(of(&"a-".repeat(1_000)).iter().all(|word| word.len() <= LENGTH));
    let many: String = (0..10_000).map(|n| format!("word{n} ")).collect();
    assert_eq!(of(&many).len(), WORDS);
    let wide: String = (0..10_000).map(|n| format!("{n}{} ", "𝕏".repeat(60))).collect();
    assert!(of(&wide).iter().map(String::len).sum::<usize>() < BYTES + 16 * LENGTH * PLACES);
    let customer = "é".repeat(255);
    let of = Words::of(Stretch::of(Time(0)), Some(&customer));
    assert_eq!(of.iter().collect::<Vec<_>>(), [format!("V00={customer}")]);
}

proptest! {
    #[test]
    fn any_text_is_found_by_each_of_its_chunks(text in "\\PC{0,40}") {
        let words = of(&text);
        for chunk in chunks(&text) {
            prop_assert!(words.contains(&word(&chunk).0), "{chunk:?} {words:?}");
        }
        prop_assert!(words.iter().all(|word| !word.is_empty() && !word.starts_with(OF_CUSTOMER)));
    }

    #[test]
    fn any_json_is_read(json in "[\"\\\\{}:,a0. \\[\\]é]{0,60}") {
        of_json(&json);
    }
}
