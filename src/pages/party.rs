//! Who sells and who buys, line by line.

use serde_json::Value;

/// Countries whose addresses have the city first, then the state and the code.
const CITY_FIRST: [&str; 3] = ["US", "CA", "AU"];

/// The lines of a text. A `\n` that is spelled out ends one as well, since ALTER SYSTEM takes no other.
pub fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\\n", "\n");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect()
}

/// The lines of a postal address.
pub fn address(address: &Value) -> Vec<String> {
    let part = |key: &str| address.get(key).and_then(Value::as_str).map(str::trim).filter(|part| !part.is_empty());
    let joined =
        |parts: [Option<&str>; 2], between: &str| parts.into_iter().flatten().collect::<Vec<_>>().join(between);
    let (city, state, code, country) = (part("city"), part("state"), part("postal_code"), part("country"));
    let place = if country.is_some_and(|country| CITY_FIRST.contains(&country)) {
        let state = joined([state, code], " ");
        vec![joined([city, Some(&state).filter(|state| !state.is_empty()).map(String::as_str)], ", ")]
    } else {
        vec![joined([code, city], " "), state.unwrap_or_default().to_string()]
    };
    let street = [part("line1"), part("line2")].map(|line| line.unwrap_or_default().to_string());
    let all = street.into_iter().chain(place).chain([country.unwrap_or_default().to_string()]);
    all.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_written_as_their_country_does() {
        let german = json!({"line1": "Hauptstr. 1", "city": "Köln", "postal_code": "50667", "country": "DE"});
        assert_eq!(address(&german), ["Hauptstr. 1", "50667 Köln", "DE"]);
        let american = json!({"line1": "1 Main St", "line2": " ", "city": "Springfield", "state": "IL",
                              "postal_code": "62701", "country": "US"});
        assert_eq!(address(&american), ["1 Main St", "Springfield, IL 62701", "US"]);
        let indian = json!({"city": "पुणे", "state": "Maharashtra", "postal_code": "411001"});
        assert_eq!(address(&indian), ["411001 पुणे", "Maharashtra"]);
        assert_eq!(address(&json!({"city": 7, "line1": null})), [""; 0]);
        assert_eq!(address(&json!([1])), [""; 0]);
        assert_eq!(address(&json!({"state": "IL", "country": "US"})), ["IL", "US"]);
    }

    #[test]
    fn a_seller_is_its_lines() {
        assert_eq!(lines("Studio Ek AB\\nStorgatan 1\n\n  Stockholm "), ["Studio Ek AB", "Storgatan 1", "Stockholm"]);
        assert_eq!(lines(" "), [""; 0]);
    }
}
