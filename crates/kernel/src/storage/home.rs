//! The disk that the kernel lives on: the first one that was laid out for it.
//!
//! It is taken into use when it is found, and given up when it goes or is laid out anew.
//! What other disks that were laid out are good for, `pool` knows. When there was no memory
//! for it, it is tried again after a while.

use super::files::FreshVolume;
use super::io::Memory;
use super::layout::{Layout, Layouts, LogArea};
use super::log::{LogDraft, LogError};
use super::logs::{Logs, setup};
use super::retry::Retry;
use super::shelf::Shelf;
use crate::base::fixed::Vec;
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::limits::DISKS_MAX;
use crate::storage::layout::{Draft, Drafts};
use alloc::boxed::Box;

#[derive(Default)]
pub enum Home {
    #[default]
    None,
    InUse {
        layout: Layout,
        logs: Logs,
    },
    /// Given up, but the disk has requests of it.
    Closing(Logs),
    /// This disk could not be taken into use, and why.
    Failed {
        layout: Layout,
        error: LogError,
        retry: Retry,
    },
}

/// What has changed of the disk in use.
pub enum Change {
    Opened(Layout),
    Closed,
}

impl Home {
    /// Looks whether the disk in use is there, or another one is to be.
    pub fn step(
        &mut self,
        now: Instant,
        layouts: &Layouts,
        shelf: &mut Shelf,
        memory: &mut dyn Memory,
    ) -> Option<Change> {
        match core::mem::take(self) {
            Self::None => {
                let mut states = (0..DISKS_MAX).map(|disk| layouts.state(disk));
                let layout = states.find_map(|state| state.layout().copied())?;
                self.open(now, layout, Retry::default(), shelf, memory)
            }
            Self::InUse { layout, logs } => {
                if is_there(&layout, layouts) {
                    *self = Self::InUse { layout, logs };
                    return None;
                }
                *self = Self::Closing(logs);
                Some(Change::Closed)
            }
            Self::Closing(logs) => {
                match logs.are_idle() {
                    true => logs.close(&mut |buffer| shelf.put(buffer)),
                    false => *self = Self::Closing(logs),
                }
                None
            }
            Self::Failed {
                layout,
                error,
                mut retry,
            } => {
                if !is_there(&layout, layouts) {
                    return None;
                }
                if error == LogError::NoMemory && retry.is_due(now) {
                    return self.open(now, layout, retry, shelf, memory);
                }
                *self = Self::Failed {
                    layout,
                    error,
                    retry,
                };
                None
            }
        }
    }

    fn open(
        &mut self,
        now: Instant,
        layout: Layout,
        mut retry: Retry,
        shelf: &mut Shelf,
        memory: &mut dyn Memory,
    ) -> Option<Change> {
        match Logs::open(&layout, &mut shelf.before(memory)) {
            Ok(logs) => {
                *self = Self::InUse { layout, logs };
                Some(Change::Opened(layout))
            }
            Err(error) => {
                retry.begin(now);
                retry.is_due(now);
                *self = Self::Failed {
                    layout,
                    error,
                    retry,
                };
                None
            }
        }
    }

    /// When it wants to be called though no disk has answered.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::InUse { logs, .. } | Self::Closing(logs) => logs.next_deadline(),
            Self::Failed { retry, .. } => retry.next_deadline(),
            Self::None => None,
        }
    }

    /// Why the disk is not in use.
    pub const fn error(&self) -> Option<LogError> {
        match self {
            Self::Failed { error, .. } => Some(*error),
            _ => None,
        }
    }

    pub const fn layout(&self) -> Option<&Layout> {
        match self {
            Self::InUse { layout, .. } => Some(layout),
            _ => None,
        }
    }

    /// Those of the disk in use.
    pub const fn logs(&self) -> Option<&Logs> {
        match self {
            Self::InUse { logs, .. } => Some(logs),
            _ => None,
        }
    }

    pub const fn logs_mut(&mut self) -> Option<&mut Logs> {
        match self {
            Self::InUse { logs, .. } => Some(logs),
            _ => None,
        }
    }

    /// Also those that are being given up: they get their answers.
    pub const fn any_logs_mut(&mut self) -> Option<&mut Logs> {
        match self {
            Self::InUse { logs, .. } | Self::Closing(logs) => Some(logs),
            _ => None,
        }
    }
}

fn is_there(layout: &Layout, layouts: &Layouts) -> bool {
    layouts.state(layout.pool.disk).layout() == Some(layout)
}

/// What a fresh disk holds, each part with its first sector.
pub fn drafts(layout: &Layout, prng: &mut Prng) -> Drafts {
    let mut drafts: Drafts = Vec::new();
    let volume = FreshVolume::new(&layout.exchange, prng.next_u64() as u32);
    // There is room for all that a disk has.
    let _ = drafts.push((layout.exchange.first, Box::new(volume) as Box<dyn Draft>));
    for area in LogArea::ALL {
        let setup = setup(layout, area);
        // A plan leaves room for every log.
        if let Ok(draft) = LogDraft::new(&setup, prng.next_u64()) {
            let _ = drafts.push((setup.region.first, Box::new(draft) as Box<dyn Draft>));
        }
    }
    drafts
}
