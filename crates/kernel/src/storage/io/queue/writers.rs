//! Who writes and flushes by itself: each owner, and of the logs each one.

use crate::storage::io::{IoTag, Owner};

/// A set of them. The logs have one owner, and the highest byte of a tag's number says
/// which log it is; an error that one of them hears of is none that another has heard.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Writers {
    /// A bit for each owner that is not the logs.
    owners: u64,
    /// A bit for each log.
    logs: [u64; 4],
}

impl Writers {
    pub const NONE: Self = Self {
        owners: 0,
        logs: [0; 4],
    };

    pub const fn of(tag: IoTag) -> Self {
        let mut it = Self::NONE;
        match tag.owner {
            Owner::Log => {
                let log = (tag.number >> 56) as usize;
                it.logs[log / 64] = 1 << (log % 64);
            }
            owner => it.owners = 1 << owner as u8,
        }
        it
    }

    pub fn add(&mut self, others: Self) {
        self.owners |= others.owners;
        let logs = self.logs.iter_mut().zip(others.logs);
        logs.for_each(|(own, others)| *own |= others);
    }

    pub fn remove(&mut self, others: Self) {
        self.owners &= !others.owners;
        let logs = self.logs.iter_mut().zip(others.logs);
        logs.for_each(|(own, others)| *own &= !others);
    }

    pub fn has(&self, tag: IoTag) -> bool {
        let mut both = Self::of(tag);
        both.remove(*self);
        both == Self::NONE
    }

    /// All of them; none are left.
    pub const fn take(&mut self) -> Self {
        core::mem::replace(self, Self::NONE)
    }
}
