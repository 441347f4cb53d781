//! What is asked, what comes of it, and what the resolver tells of itself.

use super::name::Name;
use crate::base::fixed::Vec;
use crate::base::time::Duration;
use crate::limits::DNS_ADDRESSES_MAX;
use core::fmt;
use core::net::IpAddr;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    A,
    Aaaa,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::Aaaa => "aaaa",
        }
    }

    /// The number of the record type (RFC 1035, RFC 3596).
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Aaaa => 28,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The name that the addresses belong to, behind all aliases.
    pub name: Name,
    pub addresses: Vec<IpAddr, DNS_ADDRESSES_MAX>,
    /// Addresses beyond those that are kept.
    pub more: usize,
    pub ttl: Duration,
    /// Who said so; `None` for names that nobody is asked about.
    pub server: Option<IpAddr>,
    /// From the question to the answer; zero out of the cache.
    pub took: Duration,
    pub is_cached: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    NoServer,
    /// The name does not exist.
    NoSuchName,
    /// The name exists and has no address of that kind.
    NoAddress,
    /// Every server refused or failed.
    ServersFailed,
    TimedOut,
    /// Aliases that lead nowhere, or in a circle.
    TooManyAliases,
    /// As many names are being looked up as there can be.
    Full,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl Failure {
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoServer => "no name server is known; see dhcp status, or boot with dns=ADDRESS",
            Self::NoSuchName => "the name does not exist",
            Self::NoAddress => "the name exists and has no address of that kind",
            Self::ServersFailed => "the name servers refuse or fail; ask others with dns=ADDRESS",
            Self::TimedOut => "the name servers do not answer; check their addresses with ping",
            Self::TooManyAliases => "the name is an alias of an alias, and so on without end",
            Self::Full => "too many names are being looked up; try again",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DnsCounters {
    pub asked: u64,
    pub cache_hits: u64,
    pub answered: u64,
    pub failed: u64,
    pub queries_sent: u64,
    pub retries: u64,
    pub by_tcp: u64,
    /// Replies from somebody who was not asked, or with another id or question.
    pub wrong_sender: u64,
    pub wrong_id: u64,
    pub wrong_question: u64,
    /// Replies that end in the middle, or whose names run in circles.
    pub malformed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DnsView {
    pub counters: DnsCounters,
    pub running: usize,
    pub cached: usize,
}

/// One remembered answer.
#[derive(Clone, Copy, Debug)]
pub struct CacheEntryView<'a> {
    pub name: &'a Name,
    pub kind: Kind,
    /// `None` when it is remembered that there is no address.
    pub address: Option<IpAddr>,
    pub ttl: Duration,
}
