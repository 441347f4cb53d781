//! Does a chain hold, and if not: what was done to it?
//!
//! A pure function over what is kept, in steps of one entry. It stops at the first
//! finding; behind that nothing can be said.

use super::entry::{Entry, Link};
use crate::base::digest::Digest;
use core::fmt;

/// Entries with their hashes, wherever they lie.
pub trait Kept {
    /// Before the first entry.
    fn base(&self) -> Link;
    /// Behind the last entry.
    fn head(&self) -> Link;
    fn entry(&self, index: usize) -> Option<Linked<'_>>;

    fn number(&self, index: usize) -> Option<u64> {
        Some(self.entry(index)?.entry.number)
    }
}

#[derive(Clone, Copy)]
pub struct Linked<'a> {
    pub entry: &'a Entry,
    pub hash: &'a Digest,
    /// The hash before it, where that stands beside the entry as well.
    pub previous: Option<&'a Digest>,
}

/// What is wrong with a trail; numbers are those of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    Changed {
        number: u64,
    },
    /// The entry is as it was; its hash is not.
    HashChanged {
        number: u64,
    },
    /// Of the first entry it cannot be told apart from a changed hash before it.
    ChangedOrBase {
        number: u64,
    },
    Missing {
        first: u64,
        last: u64,
    },
    Reordered {
        number: u64,
        /// The one whose place it has.
        instead_of: u64,
    },
    Inserted {
        number: u64,
        /// The one before it.
        behind: Option<u64>,
    },
    /// The hash before the first entry is not the one that the first entry was made with.
    Base {
        entries: u64,
    },
    /// The last hash is not that of the last entry.
    Head {
        entries: u64,
    },
    /// The chain is whole, and not the one that was anchored.
    Anchor {
        number: u64,
        entries: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Changed { number } => write!(f, "entry {number} was changed"),
            Self::HashChanged { number } => write!(f, "the hash of entry {number} was changed"),
            Self::ChangedOrBase { number } => {
                write!(f, "entry {number} was changed, or the hash before it")
            }
            Self::Missing { first, last } if first == last => write!(f, "entry {first} is missing"),
            Self::Missing { first, last } => write!(f, "entries {first} to {last} are missing"),
            Self::Reordered { number, instead_of } => {
                write!(f, "entry {number} stands where entry {instead_of} belongs")
            }
            Self::Inserted { number, behind } => {
                write!(f, "an entry numbered {number} was inserted ")?;
                match behind {
                    Some(behind) => write!(f, "behind entry {behind}"),
                    None => write!(f, "before all others"),
                }
            }
            Self::Base { entries } => write!(
                f,
                "the hash before entry {entries} is not the one that it was made with"
            ),
            Self::Head { entries } => {
                write!(
                    f,
                    "the head is not the hash of the last of {entries} entries"
                )
            }
            Self::Anchor { number, entries } => write!(
                f,
                "anchor {number} does not fit: the first {entries} entries are not those that were anchored"
            ),
        }
    }
}

/// A verification on its way.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    index: usize,
    /// The number and the hash that the next entry must follow.
    at: Link,
    /// Of the entry before.
    behind: Option<u64>,
    checked: u64,
}

impl Check {
    pub fn new(kept: &dyn Kept) -> Self {
        Self::from(0, kept.base())
    }

    /// Goes on at that entry, which follows that point.
    pub const fn from(index: usize, at: Link) -> Self {
        Self {
            index,
            at,
            behind: None,
            checked: 0,
        }
    }

    /// The place of the entry that comes next.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The oldest entries have left their places; those behind moved up.
    pub fn on_left(&mut self, count: usize, base: Link) {
        match self.index.checked_sub(count) {
            Some(index) => self.index = index,
            // What has left cannot be looked at any more.
            None => {
                let checked = self.checked;
                *self = Self::from(0, base);
                self.checked = checked;
            }
        }
    }

    /// How many entries were found to be right.
    pub const fn checked(&self) -> u64 {
        self.checked
    }

    /// Looks at one entry; `Some` when that was the end.
    pub fn step(&mut self, kept: &dyn Kept) -> Option<Result<(), Finding>> {
        let Some(linked) = kept.entry(self.index) else {
            return Some(self.end(&kept.head()));
        };
        match self.look_at(&linked, kept) {
            Ok(()) => {
                self.at = Link::behind(linked.entry, *linked.hash);
                self.behind = Some(linked.entry.number);
                self.index += 1;
                self.checked += 1;
                None
            }
            Err(finding) => Some(Err(finding)),
        }
    }

    fn end(&self, head: &Link) -> Result<(), Finding> {
        let entries = self.at.entries;
        if self.at == *head {
            return Ok(());
        }
        match self.at.hash != head.hash && entries < head.entries {
            true => Err(Finding::Missing {
                first: entries,
                last: head.entries - 1,
            }),
            false => Err(Finding::Head { entries }),
        }
    }

    fn look_at(&self, linked: &Linked<'_>, kept: &dyn Kept) -> Result<(), Finding> {
        let expected = self.at.entries;
        if expected >= kept.head().entries {
            return Err(self.beyond_head(linked, &kept.head()));
        }
        if linked.entry.number != expected {
            return Err(self.out_of_order(linked, kept));
        }
        if linked.entry.hash_behind(&self.at.hash) != *linked.hash {
            return Err(self.broken_link(linked, kept));
        }
        match linked.previous {
            Some(previous) if *previous != self.at.hash => {
                Err(Finding::HashChanged { number: expected })
            }
            _ => Ok(()),
        }
    }

    /// There is an entry, and by the head there should be none.
    fn beyond_head(&self, linked: &Linked<'_>, head: &Link) -> Finding {
        if self.index > 0 && self.at == *head || linked.entry.number != self.at.entries {
            return self.inserted(linked);
        }
        // The head says too little of itself or too few entries; one of both is known.
        Finding::Head {
            entries: self.at.entries,
        }
    }

    const fn inserted(&self, linked: &Linked<'_>) -> Finding {
        Finding::Inserted {
            number: linked.entry.number,
            behind: self.behind,
        }
    }

    /// The number is not the one that belongs here.
    fn out_of_order(&self, linked: &Linked<'_>, kept: &dyn Kept) -> Finding {
        let (expected, number) = (self.at.entries, linked.entry.number);
        let is_later = |wanted: u64| {
            let mut later = (self.index + 1..).map_while(|index| kept.number(index));
            later.any(|number| number == wanted)
        };
        let is_first = self.index == 0;
        if is_first && linked.entry.hash_behind(&self.at.hash) == *linked.hash {
            return Finding::Base { entries: number };
        }
        if is_later(expected) {
            let is_one_of_them = (expected..kept.head().entries).contains(&number);
            return match is_one_of_them && !is_later(number) {
                true => Finding::Reordered {
                    number,
                    instead_of: expected,
                },
                false => self.inserted(linked),
            };
        }
        // The one that belongs here is nowhere: this is it with another number, or it is gone.
        let next = kept.number(self.index + 1);
        let is_in_its_place = next.unwrap_or(kept.head().entries) == expected + 1;
        if is_in_its_place && !leads_to_the_next(linked, kept) {
            return Finding::Changed { number: expected };
        }
        let numbers = (self.index..).map_while(|index| kept.number(index));
        let known = expected + 1..kept.head().entries;
        match numbers.filter(|number| known.contains(number)).min() {
            Some(least) if known.contains(&number) => Finding::Missing {
                first: expected,
                last: least - 1,
            },
            _ => self.inserted(linked),
        }
    }

    /// The number is right and the hash is not that of the entry.
    fn broken_link(&self, linked: &Linked<'_>, kept: &dyn Kept) -> Finding {
        let number = linked.entry.number;
        let next = kept.entry(self.index + 1);
        if let Some(next) = next
            && next.entry.number == number
            && next.entry.hash_behind(&self.at.hash) == *next.hash
        {
            return self.inserted(linked);
        }
        let leads_on = |hash: &Digest| match next {
            Some(next) => next.entry.hash_behind(hash) == *next.hash,
            None => kept.head().hash == *hash,
        };
        if leads_on(&linked.entry.hash_behind(&self.at.hash)) {
            return Finding::HashChanged { number };
        }
        if self.index > 0 {
            return Finding::Changed { number };
        }
        match linked.previous {
            Some(previous) if linked.entry.hash_behind(previous) == *linked.hash => {
                Finding::Base { entries: number }
            }
            Some(_) => Finding::Changed { number },
            None => Finding::ChangedOrBase { number },
        }
    }
}

/// Is its hash the one that the entry with the next number was made with, wherever that is?
fn leads_to_the_next(linked: &Linked<'_>, kept: &dyn Kept) -> bool {
    let mut others = (0..).map_while(|index| kept.entry(index));
    let is_next =
        |other: &Linked<'_>| linked.entry.number.checked_add(1) == Some(other.entry.number);
    let next = others.find(is_next);
    next.is_some_and(|next| next.entry.hash_behind(linked.hash) == *next.hash)
}

/// All of it at once: how many entries were checked, or what is wrong.
pub fn verify(kept: &dyn Kept) -> Result<u64, Finding> {
    let mut check = Check::new(kept);
    loop {
        if let Some(result) = check.step(kept) {
            return result.map(|()| check.checked());
        }
    }
}
