//! Where events may be sent: what can be said of an address without asking anybody who its host is. Whoever sends judges again,
//! since a name may become any address. Pure.

use crate::address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether addresses without TLS, and private ones, may be used.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// http as well as https.
    pub http: bool,
    /// Addresses of this machine and of private networks.
    pub private: bool,
}

/// Names that are never those of a host on the internet. Source: RFC 6761, RFC 6762, RFC 8375, and ICANN's of 2024.
const LOCAL: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// What is wrong with an address that events would be sent to, if anything is.
pub fn fault(url: &str, allowed: Allowed) -> Option<String> {
    if let Err(error) = address::check(url) {
        return Some(error.to_string());
    }
    if !allowed.http && !url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
        return Some(String::from("must begin with https://; credits.webhook_http allows http"));
    }
    let host = address::host(url);
    (!allowed.private && is_local(host)).then(|| {
        format!("must be an address of the internet: {host} is local or private; credits.webhook_private_addresses allows it")
    })
}

/// Whether a host is, by its name alone, not on the internet.
fn is_local(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse().map_or(true, |address| !is_public(IpAddr::V6(address)));
    }
    match host.parse() {
        Ok(address) => !is_public(IpAddr::V4(address)),
        // A name without a dot is looked up in the network's own domain.
        Err(_) => !host.contains('.') || LOCAL.iter().any(|name| host == *name || host.ends_with(&format!(".{name}"))),
    }
}

/// Whether an address is one of the internet's. Source: IANA's registries of special-purpose addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    // The last is a cloud's own server, at each of its machines.
    !(matches!(a, 0 | 10 | 127 | 224..)
        || (a, b) == (169, 254)
        || a == 172 && (16..32).contains(&b)
        || (a, b) == (192, 168)
        || a == 100 && (64..128).contains(&b)
        || a == 198 && (18..20).contains(&b)
        || matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113))
        || [a, b, c, d] == [168, 63, 129, 16])
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // IPv4 in other clothes: mapped, translated, 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo, benchmarks, and what documentation has.
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Allowed = Allowed { http: false, private: false };

    #[test]
    fn addresses_of_the_internet_are_taken() {
        for url in [
            "https://a.example/hooks?x=1",
            "HTTPS://8.8.8.8",
            "https://[2606:4700:4700::1111]:8443/",
            "https://[64:ff9b::808:808]/",
            "https://internal.example",
            "https://172.32.0.1",
            "https://100.128.0.1",
        ] {
            assert_eq!(fault(url, STRICT), None, "{url}");
        }
    }

    #[test]
    fn local_and_private_ones_are_not_unless_allowed() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "db",
            "metadata.google.internal",
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "203.0.113.9",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[2001:db8::1]",
            "[2001::1]",
            "[::7f00:1]",
            "[3fff::1]",
        ] {
            let url = format!("https://{host}/");
            assert!(fault(&url, STRICT).is_some(), "{url}");
            assert_eq!(fault(&url, Allowed { private: true, ..STRICT }), None, "{url}");
        }
    }

    #[test]
    fn http_and_user_names_are_not() {
        assert!(fault("http://a.example", STRICT).is_some());
        assert_eq!(fault("http://a.example", Allowed { http: true, ..STRICT }), None);
        assert!(fault("http://127.0.0.1", Allowed { http: true, ..STRICT }).is_some());
        assert!(fault("https://me:secret@a.example", Allowed { http: true, private: true }).is_some());
        assert!(fault("ftp://a.example", Allowed { http: true, private: true }).is_some());
        assert!(fault("https://2130706433/", STRICT).is_some());
    }
}
