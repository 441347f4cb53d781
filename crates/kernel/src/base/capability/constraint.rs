//! Constraints: under what conditions a right covers what is asked.

use super::{Capability, CapabilitySet};
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

/// Ports from the first to the last, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortRange {
    low: u16,
    high: u16,
}

impl PortRange {
    /// `None` when it is empty or begins at 0, which is no port.
    pub const fn new(low: u16, high: u16) -> Option<Self> {
        match low > 0 && low <= high {
            true => Some(Self { low, high }),
            false => None,
        }
    }

    pub const fn contains(self, port: u16) -> bool {
        self.low <= port && port <= self.high
    }

    pub const fn contains_all(self, others: Self) -> bool {
        self.low <= others.low && others.high <= self.high
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.low == self.high {
            true => write!(f, "{}", self.low),
            false => write!(f, "{}-{}", self.low, self.high),
        }
    }
}

/// Each kind once at most.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Constraints {
    /// The ports of others that are reached. Says something about NET only.
    pub ports: Option<PortRange>,
    /// What is moved; after a rest as much as a second's worth at once.
    pub bandwidth_bytes_per_s: Option<NonZeroU64>,
    /// Operations that have begun and not ended.
    pub concurrency: Option<NonZeroU32>,
}

impl Constraints {
    pub const NONE: Self = Self {
        ports: None,
        bandwidth_bytes_per_s: None,
        concurrency: None,
    };

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.ports.is_some() as usize
            + self.bandwidth_bytes_per_s.is_some() as usize
            + self.concurrency.is_some() as usize
    }

    /// Those of the capabilities that any of these says something about.
    pub fn limited(&self, capabilities: CapabilitySet) -> CapabilitySet {
        let net = match self.ports {
            Some(_) => CapabilitySet::of(Capability::Net),
            None => CapabilitySet::NONE,
        };
        match (self.bandwidth_bytes_per_s, self.concurrency) {
            (None, None) => capabilities.intersection(net),
            _ => capabilities,
        }
    }

    /// What holds when these are added to those of a source: of each kind the nearer one.
    pub fn within(self, source: Self) -> Self {
        Self {
            ports: self.ports.or(source.ports),
            bandwidth_bytes_per_s: self.bandwidth_bytes_per_s.or(source.bandwidth_bytes_per_s),
            concurrency: self.concurrency.or(source.concurrency),
        }
    }

    /// Does one of these allow what those of a source do not?
    pub fn is_looser_than(&self, source: &Self) -> bool {
        fn is_more<T: PartialOrd>(own: Option<T>, source: Option<T>) -> bool {
            own.zip(source).is_some_and(|(own, source)| own > source)
        }
        let ports = self.ports.zip(source.ports);
        ports.is_some_and(|(own, source)| !source.contains_all(own))
            || is_more(self.bandwidth_bytes_per_s, source.bandwidth_bytes_per_s)
            || is_more(self.concurrency, source.concurrency)
    }
}

/// As they are typed, with spaces between them, or `none`.
impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if let Some(ports) = self.ports {
            write!(f, "ports={ports}")?;
            gap = " ";
        }
        if let Some(bytes) = self.bandwidth_bytes_per_s {
            write!(f, "{gap}bandwidth={bytes}")?;
            gap = " ";
        }
        match self.concurrency {
            Some(most) => write!(f, "{gap}concurrency={most}"),
            None if gap.is_empty() => f.write_str("none"),
            None => Ok(()),
        }
    }
}
