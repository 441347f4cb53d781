//! A simulated disk: sectors that outlive nothing, and answers that take their time.

use rayos_kernel::base::disk::{
    Disk, DiskDone, DiskError, DiskFacts, DiskOperation, DiskRequest, DiskView, SECTOR_BYTES,
};
use rayos_kernel::base::time::{Duration, Instant};
use std::collections::VecDeque;

/// Too small to be laid out: commands that look at single sectors need no more.
pub const SECTORS_USUAL: u64 = 64;
/// Bytes of one transfer.
const TRANSFER_BYTES_MAX: usize = 1 << 20;
const REQUESTS_MAX: usize = 8;
/// Time from a request to its answer.
const LATENCY: Duration = Duration::from_millis(2);

/// What the disk does with requests from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskMood {
    Well,
    /// Every request fails.
    Failing,
    /// Nothing is answered.
    Silent,
}

pub struct SimDisk {
    /// What a reader sees.
    sectors: Vec<u8>,
    /// What a power cut leaves.
    safe: Vec<u8>,
    mood: DiskMood,
    now: Instant,
    in_flight: VecDeque<(Instant, DiskRequest)>,
    view: DiskView,
}

impl SimDisk {
    pub fn new(sectors: u64) -> Self {
        let bytes = vec![0; sectors as usize * SECTOR_BYTES];
        Self {
            sectors: bytes.clone(),
            safe: bytes,
            mood: DiskMood::Well,
            now: Instant::ZERO,
            in_flight: VecDeque::new(),
            view: DiskView::default(),
        }
    }

    fn count(&self) -> u64 {
        (self.sectors.len() / SECTOR_BYTES) as u64
    }

    pub fn set_mood(&mut self, mood: DiskMood) {
        self.mood = mood;
    }

    /// What is on the disk, its cache included, as the kernel sees it.
    pub fn sectors_mut(&mut self) -> &mut [u8] {
        &mut self.sectors
    }

    /// What would be left after a power cut.
    pub fn safe(&self) -> &[u8] {
        &self.safe
    }

    pub fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    /// When it answers next.
    pub fn next_event(&self) -> Option<Instant> {
        let (at, _) = self.in_flight.front()?;
        (self.mood != DiskMood::Silent).then_some(*at)
    }

    fn range(&self, request: &DiskRequest) -> Option<std::ops::Range<usize>> {
        let end = request.sector.checked_add(request.sectors)?;
        let place = |sector: u64| sector as usize * SECTOR_BYTES;
        (end <= self.count()).then(|| place(request.sector)..place(end))
    }

    fn carry_out(&mut self, request: &mut DiskRequest) -> Result<(), DiskError> {
        let sector = request.sector;
        if self.mood == DiskMood::Failing {
            self.view.failed += 1;
            return Err(DiskError::Device { sector });
        }
        let range = self
            .range(request)
            .ok_or(DiskError::OutOfRange { sector })?;
        let length = range.len();
        let mut sectors = &mut self.sectors[range];
        match request.operation {
            DiskOperation::Read => {
                request.data.visit_mut(length, &mut |bytes| {
                    let (front, rest) = core::mem::take(&mut sectors).split_at_mut(bytes.len());
                    bytes.copy_from_slice(front);
                    sectors = rest;
                });
                self.view.reads += 1;
                self.view.read_bytes += length as u64;
            }
            DiskOperation::Write => {
                request.data.visit(length, &mut |buffer, bytes| {
                    let (front, rest) = core::mem::take(&mut sectors).split_at_mut(bytes);
                    front.copy_from_slice(&buffer.bytes()[..bytes]);
                    sectors = rest;
                });
                self.view.writes += 1;
                self.view.written_bytes += length as u64;
            }
            DiskOperation::Flush => {
                self.safe.copy_from_slice(&self.sectors);
                self.view.flushes += 1;
            }
            DiskOperation::Discard | DiskOperation::WriteZeroes => {
                sectors.fill(0);
                self.view.others += 1;
            }
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn facts(&self) -> DiskFacts {
        DiskFacts {
            name: "disk0",
            sectors: self.count(),
            is_read_only: false,
            has_write_cache: true,
            can_discard: true,
            can_write_zeroes: true,
            requests_max: REQUESTS_MAX,
            pieces_max: 1,
            transfer_bytes_max: self.sectors.len().min(TRANSFER_BYTES_MAX),
        }
    }

    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)> {
        let sector = request.sector;
        let error = if self.in_flight.len() == REQUESTS_MAX {
            DiskError::Busy
        } else if self.range(&request).is_none() {
            DiskError::OutOfRange { sector }
        } else {
            self.in_flight.push_back((self.now + LATENCY, request));
            self.view.in_flight_high_water =
                self.view.in_flight_high_water.max(self.in_flight.len());
            return Ok(());
        };
        self.view.refused += 1;
        Err((error, request))
    }

    fn kick(&mut self) {}

    fn completed(&mut self) -> Option<DiskDone> {
        if self.next_event().is_none_or(|at| at > self.now) {
            return None;
        }
        let (_, mut request) = self.in_flight.pop_front()?;
        let result = self.carry_out(&mut request);
        Some(DiskDone { request, result })
    }

    fn view(&self) -> DiskView {
        DiskView {
            in_flight: self.in_flight.len(),
            ..self.view
        }
    }
}
