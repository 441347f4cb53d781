//! Whose page made the browser ask? Guards against others' pages.
//!
//! A page may resolve its own name to our address (DNS rebinding) or post across sites.
//! The first shows in `Host`, the second in `Origin`; no program but a browser is hindered.

use crate::net::http::Request;
use core::net::IpAddr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// The request was meant for a name that is not ours.
    Host,
    /// A page of another site made it.
    Origin,
}

pub fn check(request: &Request<'_>) -> Result<(), Foreign> {
    // HTTP/1.0 needs no host, and no browser speaks it.
    let host = request.head.host.unwrap_or("localhost");
    if !is_own(name_of(host)) {
        return Err(Foreign::Host);
    }
    match request.head.origin {
        None => Ok(()),
        Some(origin) => match origin.strip_prefix(b"http://") {
            Some(site) if site.eq_ignore_ascii_case(host.as_bytes()) => Ok(()),
            _ => Err(Foreign::Origin),
        },
    }
}

/// The host without its port.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or("", |(address, _)| address);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Names that nobody else can make point here: addresses, names without a dot, which no
/// one can register, and `localhost` with what is below it.
fn is_own(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    name.parse::<IpAddr>().is_ok()
        || (!name.is_empty() && !name.contains('.'))
        || last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_can_register_are_foreign() {
        for own in [
            "localhost",
            "127.0.0.1",
            "::1",
            "rayos",
            "a.localhost",
            "fe80::1",
        ] {
            assert!(is_own(own), "{own}");
        }
        for foreign in [
            "",
            "example.com",
            "localhost.example.com",
            "10.0.2.2.nip.io",
            "rayos.local",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
        let names = [
            ("a:80", "a"),
            ("[::1]:8080", "::1"),
            ("[::1]", "::1"),
            ("a", "a"),
            ("[", ""),
        ];
        for (host, name) in names {
            assert_eq!(name_of(host), name);
        }
    }
}
