//! Web addresses that browsers are sent to. Pure: no PostgreSQL in here.
//!
//! Stricter than browsers, so that an address means the same to a person who reads it, to a server that compares its
//! host with a list, and to the browser that goes there: only printable ASCII, and nothing that one of them reads
//! differently (a user name before the host, a backslash, a number for an IPv4 address).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest, in characters.
const LENGTH: usize = 2_048;
/// The longest host. Source: RFC 1035, section 2.3.4.
const HOST_LENGTH: usize = 253;
/// The longest part of a host between dots.
const LABEL_LENGTH: usize = 63;

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Of another kind, or relative.
    #[error("must be an address that begins with https:// or http://")]
    Scheme,
    /// Too long.
    #[error("must have at most {LENGTH} characters")]
    Length,
    /// A character that is not printable ASCII, a blank, or one that must be encoded; and its position, from 1.
    #[error(
        "must be an address of visible ASCII characters other than \\ \" < >: character {1} is {code}; write it percent-encoded, \
         a host in other letters as xn--",
        code = code(*.0)
    )]
    Character(char, usize),
    /// Something that looks like a host but is not one.
    #[error("must be an address without a user name or password: the host is \"{0}\", after the @")]
    UserInfo(String),
    /// No host, or one that cannot exist.
    #[error(
        "must be an address whose host is a name of letters, digits, hyphens and dots, or an IP address (IPv6 in brackets): \
         it is \"{0}\""
    )]
    Host(String),
    /// No port after the colon, or one that does not exist.
    #[error("must be an address whose port is from 1 to 65535: it is \"{0}\"")]
    Port(String),
}

/// As Unicode writes it, since many refused characters are invisible.
fn code(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Checks that a text is an address.
pub fn check(text: &str) -> Result<(), AddressError> {
    let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(AddressError::Scheme);
    }
    let refused = |c: &char| !c.is_ascii_graphic() || "\\\"<>".contains(*c);
    if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| refused(c)) {
        return Err(AddressError::Character(character, index + 1));
    }
    if text.len() > LENGTH {
        return Err(AddressError::Length);
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(AddressError::UserInfo(host.to_string()));
    }
    // The colons of an IPv6 address are inside its brackets.
    let port_from = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority[port_from..].find(':') {
        Some(colon) => (&authority[..port_from + colon], Some(&authority[port_from + colon + 1..])),
        None => (authority, None),
    };
    if !is_host(host) {
        return Err(AddressError::Host(host.to_string()));
    }
    match port {
        Some(port) if !is_port(port) => Err(AddressError::Port(port.to_string())),
        _ => Ok(()),
    }
}

/// The host of an address that was checked; of IPv6 with its brackets.
pub fn host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let port_from = authority.rfind(']').unwrap_or_default();
    &authority[..authority[port_from..].find(':').map_or(authority.len(), |colon| port_from + colon)]
}

/// The beginning of an address that was checked: who is asked, and not for what.
pub fn origin(text: &str) -> &str {
    let from = text.find("://").map_or(0, |scheme| scheme + 3);
    let end = text[from..].find(['/', '?', '#']).map_or(text.len(), |end| from + end);
    &text[..end]
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    // A trailing dot, for the root, is allowed.
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    // Browsers treat anything that ends in a number as an IPv4 address: 2130706433 and 0x7f.1 as well as 127.0.0.1.
    if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X") {
        return name.parse::<Ipv4Addr>().is_ok();
    }
    name.len() <= HOST_LENGTH && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_LENGTH).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// All but the unreserved characters. Source: RFC 3986, section 2.3.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of an address.
pub fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, &RESERVED)
}

/// A page's address with a parameter, placed before any fragment, which browsers do not send.
pub fn with_parameter(page: &str, name: &str, value: &str) -> String {
    let (page, fragment) = page.split_at(page.find('#').unwrap_or(page.len()));
    let separator = match page.find('?') {
        None => "?",
        Some(_) if page.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{page}{separator}{name}={}{fragment}", escape(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        let long = format!("https://a.example/{}", "x".repeat(LENGTH));
        for address in [
            "http://a",
            "HTTPS://a.example:1/b?c=d#e",
            "https://a.example.:65535",
            "https://xn--mnchen-3ya.example/%C3%BC",
            "https://a.example?b=c@d&e=f:g",
            "https://a.example#://@",
            "https://a.example/@b/c:d",
            "https://a.example/?session_id={CHECKOUT_SESSION_ID}&a[]=1|2",
            "http://127.0.0.1:8080/",
            "http://[::1]",
            "http://[2001:db8::1]:8080/b",
            "https://1password.example",
            "https://a-b.4you",
            &long[..LENGTH],
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
        for address in [
            "",
            "a.example",
            "//a.example",
            "javascript:alert(1)//http://a",
            "data:text/html,x",
            "ftp://a.example",
            "xhttps://a.example",
            "https:/a.example",
            "https:a.example",
        ] {
            assert_eq!(check(address), Err(AddressError::Scheme), "{address}");
        }
        for (address, character, index) in [
            ("https://a\r\nSet-Cookie: b", '\r', 10),
            ("https://a/\u{0}", '\u{0}', 11),
            ("https://a/\u{85}", '\u{85}', 11),
            ("https://a/b c", ' ', 12),
            ("https://\\a", '\\', 9),
            ("https://a.example\\@b.example", '\\', 18),
            ("https://a.example/\u{200b}", '\u{200b}', 19),
            ("https://a.example/\u{202e}moc", '\u{202e}', 19),
            ("https://\u{0430}.example", '\u{0430}', 9),
            ("https://a\u{3002}example", '\u{3002}', 10),
            ("https://a/\u{fc}", '\u{fc}', 11),
            ("https://a/<b>", '<', 11),
            ("https://a/\"b", '"', 11),
        ] {
            assert_eq!(check(address), Err(AddressError::Character(character, index)), "{address:?}");
        }
        assert_eq!(check(" https://a"), Err(AddressError::Scheme));
        assert_eq!(check("https://a.example@b.example/"), Err(AddressError::UserInfo("b.example".to_string())));
        assert_eq!(check("https://a:b@c@d"), Err(AddressError::UserInfo("d".to_string())));
        assert_eq!(check("https://@"), Err(AddressError::UserInfo(String::new())));
        assert_eq!(check(&long), Err(AddressError::Length));
        let long_label = "a".repeat(LABEL_LENGTH + 1);
        let long_host = vec!["a"; HOST_LENGTH / 2 + 2].join(".");
        for host in [
            "",
            ".",
            "a..b",
            ".a",
            "-a",
            "a-",
            "a_b",
            "a%2eb",
            "{x}.example",
            "2130706433",
            "0x7f.1",
            "1.2.3",
            "256.1.1.1",
            "01.2.3.4",
            "[::1]x",
            "[::1%25eth0]",
            "[127.0.0.1]",
            "[]",
            &long_label,
            &long_host,
        ] {
            assert_eq!(check(&format!("https://{host}/")), Err(AddressError::Host(host.to_string())), "{host}");
        }
        assert!(matches!(check("https://[::1/"), Err(AddressError::Host(_))));
        for port in ["", "0", "65536", "+80", "8o", "80:80"] {
            assert_eq!(check(&format!("https://a:{port}/")), Err(AddressError::Port(port.to_string())), "{port}");
        }
    }

    proptest! {
        /// Nothing makes it panic, and what it accepts has no character that it must refuse.
        #[test]
        fn what_is_taken_can_be_seen(text in "(https?://)?\\PC{0,40}[@:\\[\\]/.\u{200b}a-c1]{0,20}") {
            if check(&text).is_ok() {
                prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'));
            }
        }
    }

    #[test]
    fn hosts() {
        for (address, host_is) in [
            ("https://a.example", "a.example"),
            ("https://a.example:1/b:c", "a.example"),
            ("https://a.example?b:c", "a.example"),
            ("http://[::1]:80/", "[::1]"),
            ("http://[::1]", "[::1]"),
        ] {
            assert_eq!(host(address), host_is);
        }
    }

    #[test]
    fn origins() {
        for (address, origin_is) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/", "https://a.example"),
            ("https://a.example:1/b?c=d", "https://a.example:1"),
            ("https://a.example?key=k", "https://a.example"),
            ("http://[::1]:80#x", "http://[::1]:80"),
        ] {
            assert_eq!(origin(address), origin_is);
        }
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(escape("AZaz09-._~").to_string(), "AZaz09-._~");
        assert_eq!(escape(" !*'()/?#[]@%\n\u{7f}é").to_string(), "%20%21%2A%27%28%29%2F%3F%23%5B%5D%40%25%0A%7F%C3%A9");
    }

    #[test]
    fn a_parameter_is_sent_to_the_server() {
        for (page, with) in [
            ("https://a.example", "https://a.example?token=t"),
            ("https://a.example/b?c=d", "https://a.example/b?c=d&token=t"),
            ("https://a.example/?", "https://a.example/?token=t"),
            ("https://a.example/?c&", "https://a.example/?c&token=t"),
            ("https://a.example/#/billing", "https://a.example/?token=t#/billing"),
            ("https://a.example/?c=d#e?f#g", "https://a.example/?c=d&token=t#e?f#g"),
        ] {
            assert_eq!(with_parameter(page, "token", "t"), with);
        }
    }
}
