//! Does the kept trail hold, from boot to boot?

use super::record::{EntryBytes, Record};
use super::{Point, goes_on};
use crate::base::digest::{Digest, Hex, sha256};
use crate::base::fixed::Text;
use crate::limits::AUDIT_TEXT_MAX;
use crate::security::audit::chain::Chain;
use crate::security::audit::entry::Link;
use crate::security::audit::words::Verb;
use core::fmt;

/// What is known of the kept trail without a look at its hashes.
#[derive(Clone, Copy, Default, Debug)]
pub struct Past {
    /// The newest point.
    pub last: Option<Point>,
    pub entries: u64,
    pub boots: u64,
    /// Records that are none.
    pub unreadable: u64,
}

/// What is wrong with a kept trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeptFinding {
    Changed {
        boot: u64,
        number: u64,
    },
    Missing {
        boot: u64,
        number: u64,
    },
    /// The entries of a boot do not follow what was kept before.
    DoesNotFollow {
        boot: u64,
    },
    /// The entry that joins a boot to those before names another point.
    JoinsAnother {
        boot: u64,
    },
    /// The newest kept entry is not the one in memory.
    NotInMemory {
        boot: u64,
        number: u64,
    },
    Unreadable {
        record: u64,
    },
}

/// A verification on its way, in steps of one record.
#[derive(Clone, Copy, Default, Debug)]
pub struct KeptCheck {
    at: Option<Point>,
    /// What the boot that is looked at follows.
    before: Option<Point>,
    pub entries: u64,
    pub boots: u64,
}

impl Past {
    pub fn learn(&mut self, record: &[u8]) {
        match Record::parse(record) {
            None => self.unreadable += 1,
            Some(Record::Beginning { from, before }) => {
                let is_first = self.last.is_none() || !goes_on(&from, before.as_ref());
                self.boots += u64::from(is_first);
                self.last = Some(from);
            }
            Some(Record::Entry { hash, bytes }) => {
                self.entries += 1;
                // Of a boot whose beginning was dropped nothing but the entries is known.
                let boot = self.last.map_or(0, |last| last.boot);
                self.boots += u64::from(self.last.is_none());
                let entries = bytes.number.saturating_add(1);
                self.last = Some(Point {
                    boot,
                    link: Link { entries, hash },
                });
            }
        }
    }

    /// What the entry that joins the next boot to this says.
    pub fn sentence(point: &Point) -> Text<AUDIT_TEXT_MAX> {
        let (hash, entries) = (Hex(&point.link.hash), point.link.entries);
        Text::format(format_args!("{hash} behind {entries} entries"))
    }
}

impl KeptCheck {
    pub fn step(&mut self, lsn: u64, record: &[u8]) -> Result<(), KeptFinding> {
        match Record::parse(record) {
            None => Err(KeptFinding::Unreadable { record: lsn }),
            Some(Record::Beginning { from, before }) => self.begin(from, before),
            Some(Record::Entry { hash, bytes }) => self.follow(hash, &bytes),
        }
    }

    fn begin(&mut self, from: Point, before: Option<Point>) -> Result<(), KeptFinding> {
        let boot = from.boot;
        // What was dropped cannot be compared; boots behind it have 0 for a number.
        if let Some(at) = self.at {
            let is_same = before.is_some_and(|before| before.link == at.link);
            let is_named = at.boot == 0 || before.is_some_and(|before| before.boot == at.boot);
            if !is_same || !is_named {
                return Err(KeptFinding::DoesNotFollow { boot });
            }
        }
        let goes_on = goes_on(&from, before.as_ref());
        if self.at.is_none() || !goes_on {
            self.boots += 1;
            // What a boot follows stands where it began.
            self.before = before.filter(|_| !goes_on);
        }
        self.at = Some(from);
        Ok(())
    }

    fn follow(&mut self, hash: Digest, bytes: &EntryBytes<'_>) -> Result<(), KeptFinding> {
        let number = bytes.number;
        let boot = self.at.map_or(0, |at| at.boot);
        match self.at {
            // The oldest that is kept: what it follows was dropped.
            None => self.boots += 1,
            Some(at) if at.link.entries != number => {
                let number = at.link.entries;
                return Err(KeptFinding::Missing { boot, number });
            }
            Some(at) if sha256(&[&at.link.hash, bytes.all]) != hash => {
                return Err(KeptFinding::Changed { boot, number });
            }
            Some(_) => {}
        }
        if bytes.texts[3] == Verb::Join.name() && boot > 0 {
            let named = self.before.map(|before| Past::sentence(&before));
            if named.is_some_and(|named| named.as_str() != bytes.texts[6]) {
                return Err(KeptFinding::JoinsAnother { boot });
            }
        }
        self.entries += 1;
        let entries = number.saturating_add(1);
        self.at = Some(Point {
            boot,
            link: Link { entries, hash },
        });
        Ok(())
    }

    /// All was looked at; what is in memory tells whether the end is right, as far as it
    /// is of this boot.
    pub fn end(&self, boot: u64, chain: &Chain) -> Result<(), KeptFinding> {
        let Some(at) = self.at.filter(|at| at.boot == boot) else {
            return Ok(());
        };
        match chain.hash_at(at.link.entries) {
            Some(hash) if *hash != at.link.hash => {
                let number = at.link.entries.saturating_sub(1);
                Err(KeptFinding::NotInMemory { boot, number })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for KeptFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { boot, number } => {
                write!(f, "entry {number} of boot {boot} was changed")
            }
            Self::Missing { boot, number } => {
                write!(f, "entry {number} of boot {boot} is missing")
            }
            Self::DoesNotFollow { boot } => {
                write!(f, "boot {boot} does not follow what is kept before it")
            }
            Self::JoinsAnother { boot } => {
                write!(f, "boot {boot} names another end of the boot before it")
            }
            Self::NotInMemory { boot, number } => {
                write!(f, "entry {number} of boot {boot} is another one in memory")
            }
            Self::Unreadable { record } => write!(f, "record {record} is none of the trail"),
        }
    }
}
