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
            Self::InUse { logs, .. } => logs.next_deadline(),
            // More memory may come; a disk that is of no use stays so.
            Self::Failed { retry, error, .. } if *error == LogError::NoMemory => {
                retry.next_deadline()
            }
            Self::Closing(_) | Self::Failed { .. } | Self::None => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk::SECTOR_BYTES;
    use crate::storage::log::Log;
    use crate::storage::rig::Rig;

    const SECTORS: u64 = 24 << 11;
    const NOW: Instant = Instant::from_nanos(1);

    fn opened(layout: Layout, rig: &mut Rig) -> Home {
        let mut home = Home::None;
        let opened = home.open(NOW, layout, Retry::default(), &mut Shelf::default(), rig);
        assert_eq!(opened.is_some(), home.logs().is_some());
        home
    }

    /// A disk in use, whose audit log is open.
    fn in_use(rig: &mut Rig) -> (Layout, Logs) {
        let layout = Layout::plan(0, SECTORS).expect("it is large enough");
        rig.disks = std::vec![std::vec![0; SECTORS as usize * SECTOR_BYTES]];
        for area in [LogArea::Audit, LogArea::Messages] {
            let disk = &mut rig.disks[0];
            Log::format(&setup(&layout, area), 7, &mut |sector, bytes| {
                disk[sector as usize * SECTOR_BYTES..][..SECTOR_BYTES].copy_from_slice(bytes);
            })
            .expect("there is room for it");
        }
        let Home::InUse { layout, mut logs } = opened(layout, rig) else {
            panic!("it is in use");
        };
        while !logs.audit.is_open() {
            turn(&mut logs, rig);
        }
        (layout, logs)
    }

    fn turn(logs: &mut Logs, rig: &mut Rig) {
        if let Some(done) = rig.answer() {
            logs.on_done(NOW, done);
        }
        logs.step(NOW, rig, &mut |_, _, _| {});
        logs.reopen_failed(NOW);
    }

    #[test]
    fn logs_that_are_given_up_wait_for_their_disk_and_for_no_time() {
        let mut rig = Rig::default();
        let (_, mut logs) = in_use(&mut rig);
        logs.audit.append(b"on its way").expect("it is open");
        logs.step(NOW, &mut rig, &mut |_, _, _| {});
        logs.audit.append(b"not sent").expect("it is open");
        assert!(!logs.are_idle());
        assert_eq!(Home::Closing(logs).next_deadline(), None);
    }

    #[test]
    fn a_log_that_fails_under_a_reader_is_read_anew_though_nothing_else_happens() {
        let mut rig = Rig::default();
        let (layout, mut logs) = in_use(&mut rig);
        let lsn = logs.audit.append(b"to be read").expect("it is open");
        (0..10).for_each(|_| turn(&mut logs, &mut rig));
        logs.audit.read(lsn, lsn).expect("it is safe");
        rig.bad_sectors = (0..SECTORS).collect();
        logs.audit.append(b"lost").expect("it is open");
        (0..10).for_each(|_| turn(&mut logs, &mut rig));
        assert!(logs.audit.has_failed() && !logs.audit.may_reopen());
        assert!(logs.audit.take_read(&mut |_, _| {}).is_some());
        let home = Home::InUse { layout, logs };
        assert!(home.next_deadline().is_some());
    }

    #[test]
    fn a_disk_whose_log_partition_is_too_small_is_not_tried_again() {
        let mut layout = Layout::plan(0, SECTORS).expect("it is large enough");
        layout.log.sectors = 64;
        let home = opened(layout, &mut Rig::new(&[SECTORS]));
        assert_eq!(home.error(), Some(LogError::RegionTooSmall));
        assert_eq!(home.next_deadline(), None);
        let home = opened(layout, &mut Rig::new(&[SECTORS]));
        let Home::Failed { layout, retry, .. } = home else {
            panic!("it has failed");
        };
        let error = LogError::NoMemory;
        let poor = Home::Failed {
            layout,
            error,
            retry,
        };
        assert!(poor.next_deadline().is_some_and(|at| at > NOW));
    }
}
