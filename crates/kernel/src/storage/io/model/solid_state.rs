//! A solid-state disk: channels that work side by side, and their link.
//!
//! 0.1 ms for a page that is read, 0.25 ms for one that is written, eight channels, 2 GB/s
//! over the link. There is no cache and no cleaning up, which real ones have.

use super::Access;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::time::{Duration, Instant};

const CHANNELS: usize = 8;
/// Pages go round the channels: 16 KiB.
const PAGE_SECTORS: u64 = 32;
const READ: Duration = Duration::from_micros(100);
const WRITE: Duration = Duration::from_micros(250);
/// When all channels have come to an end.
const FLUSH: Duration = Duration::from_millis(1);
/// Of a discard and of zeroes, whatever they cover: tables change.
const REMAP: Duration = Duration::from_micros(50);
/// Of the link, for one sector at 2 GB/s.
const SECTOR_NANOS: u64 = SECTOR_BYTES as u64 / 2;
/// Pages of one request that are told apart; what is beyond goes at the same speed.
const PAGES_MAX: u64 = 1 << 16;

#[derive(Clone, Debug)]
pub struct SolidState {
    channels: [Instant; CHANNELS],
    link: Instant,
}

impl SolidState {
    pub const REQUESTS_MAX: usize = 32;

    pub const fn new() -> Self {
        Self {
            channels: [Instant::ZERO; CHANNELS],
            link: Instant::ZERO,
        }
    }

    pub fn service(&mut self, now: Instant, access: &Access) -> Instant {
        match access.operation {
            DiskOperation::Read => self.transfer(now, access, READ),
            DiskOperation::Write => self.transfer(now, access, WRITE),
            DiskOperation::Flush => {
                let quiet = self.channels.into_iter().fold(now, Instant::max);
                self.channels = [quiet + FLUSH; CHANNELS];
                quiet + FLUSH
            }
            DiskOperation::Discard | DiskOperation::WriteZeroes => now + REMAP,
        }
    }

    fn transfer(&mut self, now: Instant, access: &Access, page_takes: Duration) -> Instant {
        let first = access.sector / PAGE_SECTORS;
        let last = access.sector.saturating_add(access.sectors.max(1)) - 1;
        let pages = (last / PAGE_SECTORS - first + 1).min(PAGES_MAX);
        let mut ready = now;
        for page in first..first + pages {
            let channel = &mut self.channels[(page % CHANNELS as u64) as usize];
            *channel = now.max(*channel) + page_takes;
            ready = ready.max(*channel);
        }
        let moves = Duration::from_nanos(access.sectors.saturating_mul(SECTOR_NANOS));
        self.link = now.max(self.link) + moves;
        ready.max(self.link)
    }
}

impl Default for SolidState {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(operation: DiskOperation, sector: u64, sectors: u64) -> Access {
        Access {
            operation,
            sector,
            sectors,
        }
    }

    fn took(requests: &[Access]) -> u64 {
        let mut disk = SolidState::new();
        let ends = requests
            .iter()
            .map(|request| disk.service(Instant::ZERO, request));
        ends.max().unwrap_or_default().as_nanos() / 1_000
    }

    #[test]
    fn a_read_takes_a_tenth_of_a_millisecond_wherever_it_is() {
        for sector in [0, 77, 1 << 30] {
            let read = access(DiskOperation::Read, sector, 8);
            assert_eq!(took(&[read]), 100);
        }
        assert_eq!(took(&[access(DiskOperation::Write, 0, 8)]), 250);
    }

    #[test]
    fn channels_work_side_by_side_and_one_of_them_does_not() {
        let read = |page: u64| access(DiskOperation::Read, page * PAGE_SECTORS, 8);
        assert_eq!(took(&[0, 1, 2, 3, 4, 5, 6, 7].map(read)), 100);
        assert_eq!(took(&[0, 8, 16].map(read)), 300);
    }

    #[test]
    fn a_mebibyte_keeps_all_channels_and_the_link_busy() {
        let read = access(DiskOperation::Read, 0, 2_048);
        assert_eq!(took(&[read]), 800);
        let all: Vec<_> = (0..4)
            .map(|at| access(DiskOperation::Discard, at, 8))
            .collect();
        assert_eq!(took(&all), 50);
        assert!(took(&[access(DiskOperation::Read, u64::MAX - 1, u64::MAX)]) > 800);
    }

    #[test]
    fn a_flush_waits_for_what_was_written() {
        let write = access(DiskOperation::Write, 0, 8);
        let flush = access(DiskOperation::Flush, 0, 0);
        assert_eq!(took(&[write, flush]), 1_250);
    }
}
