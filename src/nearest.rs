//! Suggestions for misspelt names: the nearest existing name.

/// The most letters that may be wrong.
const MOST: usize = 3;
/// Longer names are skipped: the cost of comparing is the product of the lengths.
const LONGEST: usize = 64;

/// The name that may have been meant, if one of these is near: at most a third of its letters left out, added, changed
/// or swapped.
pub fn nearest<N: AsRef<str>>(given: &str, names: impl IntoIterator<Item = N>) -> Option<String> {
    let given = given.to_lowercase();
    let length = given.chars().count();
    if length > LONGEST {
        return None;
    }
    let near = names.into_iter().filter_map(|name| {
        let letters = name.as_ref().chars().count();
        let allowed = (letters.min(length) / 3).clamp(1, MOST);
        if letters.abs_diff(length) > allowed {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&given, &name.as_ref().to_lowercase());
        (distance <= allowed).then(|| (distance, name.as_ref().to_string()))
    });
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found_and_nothing_that_is_not_near() {
        let names = ["tokens", "token_count", "calls", "llm.chat", "USD", "EUR"];
        for (given, meant) in [
            ("tokns", Some("tokens")),
            ("tokesn", Some("tokens")),
            ("Tokens", Some("tokens")),
            ("token-count", Some("token_count")),
            ("lm.chat", Some("llm.chat")),
            ("usd", Some("USD")),
            ("UDS", Some("USD")),
            ("GBP", None),
            ("images", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, names).as_deref(), meant, "{given}");
        }
        assert_eq!(nearest(&"x".repeat(65), ["x".repeat(64)]), None);
    }
}
