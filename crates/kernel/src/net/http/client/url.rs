//! An address of the form `http://HOST:PORT/PATH?QUERY` (RFC 3986).

use crate::limits::HTTP_URL_MAX;
use crate::net::dns::Name;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const DEFAULT_PORT: u16 = 80;
const NOT_HTTPS: &str = "https is not spoken yet; an address that begins with http:// is";

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    Address(IpAddr),
    Name(Box<Name>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    pub host: Host,
    pub port: u16,
    /// With the query; begins with a slash.
    pub path: Box<str>,
}

impl Url {
    /// Reads an address as people type it: `http://` may be missing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > HTTP_URL_MAX {
            return Err("the address is longer than HTTP_URL_MAX bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("an address has no blanks and only ASCII signs; others are written as %20");
        }
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => return Err(NOT_HTTPS),
            Some(_) => return Err("only addresses that begin with http:// can be fetched"),
            None => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err("a name and password in an address are not sent; leave them out");
        }
        let (host, port) = split_port(authority)?;
        let mut whole = String::new();
        if !path.starts_with('/') {
            whole.push('/');
        }
        whole.push_str(path);
        Ok(Self {
            host: parse_host(host).ok_or("the host of the address is no name and no address")?,
            port,
            path: whole.into(),
        })
    }

    /// Where an answer sends its receiver (RFC 9110, 10.2.2).
    pub fn join(&self, location: &str) -> Result<Self, &'static str> {
        if location.contains("://") {
            return Self::parse(location);
        }
        if let Some(other) = location.strip_prefix("//") {
            return Self::parse(other);
        }
        let own = self.path.split('?').next().unwrap_or_default();
        let folder = own.rfind('/').map_or("/", |slash| &own[..=slash]);
        let mut path = String::from(match location.bytes().next() {
            Some(b'/') => "",
            Some(b'?') | None => own,
            Some(_) => folder,
        });
        path.push_str(location.split('#').next().unwrap_or_default());
        let is_fine =
            path.len() <= HTTP_URL_MAX && path.bytes().all(|byte| byte.is_ascii_graphic());
        match is_fine {
            true => Ok(Self {
                path: path.into(),
                ..self.clone()
            }),
            false => Err("the server sends to an address that is none"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// Host and port, as the header `Host` has them.
pub struct Authority<'a>(pub &'a Url);

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.host.fmt(f)?;
        match self.0.port {
            DEFAULT_PORT => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", Authority(self), self.path)
    }
}

fn split_port(authority: &str) -> Result<(&str, u16), &'static str> {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = authority[after_brackets..].rfind(':') else {
        return Ok((authority, DEFAULT_PORT));
    };
    let (host, port) = authority.split_at(after_brackets + colon);
    let port = port[1..].parse().ok().filter(|port| *port != 0);
    Ok((
        host,
        port.ok_or("the port of the address is a number from 1 to 65535")?,
    ))
}

fn parse_host(host: &str) -> Option<Host> {
    if let Some(rest) = host.strip_prefix('[') {
        let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Address(address.into()));
    }
    match host.parse::<Ipv4Addr>() {
        Ok(address) => Some(Host::Address(address.into())),
        Err(_) => Name::parse(host).map(|name| Host::Name(Box::new(name))),
    }
}
