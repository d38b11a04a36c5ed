//! Numbers of payment cards, which must not be stored: recognised by their length and their last digit. Pure.

/// How many digits the number of a card has.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Whether a text is the number of a card, written in whatever groups.
pub fn is(text: &str) -> bool {
    numbers(text).iter().any(|(digits, whole)| *whole && is_card(digits))
}

/// Whether there is one somewhere in a text.
pub fn is_in(text: &str) -> bool {
    numbers(text).iter().any(|(digits, _)| is_card(digits))
}

/// The digits that stand together, apart from spaces and hyphens between them, and whether they are all of the text.
fn numbers(text: &str) -> Vec<(Vec<u32>, bool)> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == ' ' || letter == '-';
    let is_whole = text.trim().chars().all(is_part);
    text.split(|letter| !is_part(letter))
        .map(|part| (part.chars().filter_map(|letter| letter.to_digit(10)).collect(), is_whole))
        .collect()
}

/// Luhn's check: every second digit from the right counts twice, and the digits of all add up to tens.
fn is_card(digits: &[u32]) -> bool {
    let sum = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    DIGITS.contains(&digits.len()) && digits.iter().rev().enumerate().map(sum).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_cards_are_recognised() {
        for card in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "5555-5555-5555-4444",
            " 378282246310005",
            "4222222222222",
            "6304000000000000000",
        ] {
            assert!(is(card) && is_in(card), "{card}");
        }
        for other in [
            "4242424242424241",
            "pm_4242424242424242",
            "424242424242",
            "42424242424242424242",
            "",
            "AUTH_x1",
            "Visa 4242",
        ] {
            assert!(!is(other), "{other}");
        }
        assert!(is_in("Visa 4242 4242 4242 4242 of Ann"));
        assert!(!is_in("Visa ending in 4242, 12/2027"));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_noticed(digits in "[0-9]{12,18}", place in 0..12usize, other in 1..10u8) {
            let card = (0..10).map(|last| format!("{digits}{last}")).find(|card| is(card)).unwrap();
            let mut wrong = card.clone().into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + other) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert!(!is(&wrong), "{} and {}", card, wrong);
        }

        #[test]
        fn nothing_is_a_panic(text in "\\PC{0,40}") {
            prop_assert!(!is(&text) || is_in(&text));
        }
    }
}
