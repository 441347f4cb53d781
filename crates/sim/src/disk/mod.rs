//! A simulated disk: it outlives its machine, answers in its time, and can go wrong.
//!
//! What was written and not flushed is in its cache. A cut of the power keeps, loses or
//! tears each of these writes by itself; what was flushed stays.

mod faults;
mod latency;
mod settings;
mod store;

pub use faults::DiskFaults;
pub use settings::{DiskModel, DiskSettings};

use faults::{Fate, Faults};
use latency::Timer;
use rayos_kernel::base::disk::{
    Disk, DiskDone, DiskError, DiskFacts, DiskOperation, DiskRequest, DiskView, SECTOR_BYTES,
};
use rayos_kernel::base::time::Instant;
use store::Store;

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
    name: &'static str,
    settings: DiskSettings,
    store: Store,
    faults: Faults,
    timer: Timer,
    mood: DiskMood,
    now: Instant,
    /// In the order in which they came, each with the time of its answer.
    in_flight: Vec<(Instant, DiskRequest)>,
    view: DiskView,
    /// Writes, zeroes, discards and flushes that were carried out.
    boundaries: u64,
    /// The power goes before the boundary of that number.
    cut_at: Option<u64>,
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::new(0, DiskSettings::default(), 1)
    }
}

impl SimDisk {
    /// The disk of that place; `seed` decides what goes wrong, and when.
    pub fn new(index: usize, settings: DiskSettings, seed: u64) -> Self {
        let names = [
            "disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7",
        ];
        Self {
            name: names[index],
            store: Store::new(settings.sectors),
            faults: Faults::new(settings.faults.clone(), seed),
            timer: Timer::new(settings.model),
            mood: DiskMood::Well,
            now: Instant::ZERO,
            in_flight: Vec::new(),
            view: DiskView::default(),
            boundaries: 0,
            cut_at: None,
            settings,
        }
    }

    pub fn set_mood(&mut self, mood: DiskMood) {
        self.mood = mood;
    }

    /// What goes wrong from now on.
    pub fn set_faults(&mut self, faults: DiskFaults) {
        self.faults.set(faults);
    }

    /// What is on the disk, its cache included, as the kernel sees it.
    pub fn sectors_mut(&mut self) -> &mut [u8] {
        self.store.seen_mut()
    }

    /// What would be left after a power cut.
    pub fn safe(&self) -> &[u8] {
        self.store.safe()
    }

    /// Changes what is on the disk, behind the kernel's back and for good.
    pub fn tamper(&mut self, sector: u64, change: impl Fn(&mut [u8])) {
        self.store.change(sector, change);
    }

    /// Writes, zeroes, discards and flushes that were carried out.
    pub const fn boundaries(&self) -> u64 {
        self.boundaries
    }

    /// The power of the disk goes once so many of these were carried out; nothing is
    /// answered from then on.
    pub const fn cut_after(&mut self, boundaries: u64) {
        self.cut_at = Some(boundaries);
    }

    pub fn is_off(&self) -> bool {
        self.cut_at.is_some_and(|at| self.boundaries >= at)
    }

    /// The power goes and comes back: of what was not flushed, each write is kept, lost or
    /// torn, and so is what was on its way.
    pub fn cut_power(&mut self) {
        for (_, request) in std::mem::take(&mut self.in_flight) {
            if changes(request.operation) && self.is_in_range(&request) {
                self.store.write(&request);
            }
        }
        let is_torn = self.settings.is_torn;
        self.store.cut_power(self.faults.prng(), is_torn);
        self.cut_at = None;
    }

    /// A disk that holds what a power cut at this moment would leave of this one, if chance
    /// wants it so. This one goes on.
    pub fn after_cut(&self, seed: u64) -> Self {
        let mut disk = Self::new(0, self.settings.clone(), seed);
        disk.store = self.store.clone();
        let under_way = self.in_flight.iter().map(|(_, request)| request);
        for request in under_way.filter(|request| changes(request.operation)) {
            disk.store.write(request);
        }
        disk.cut_power();
        disk
    }

    /// The machine starts anew without a power cut: the cache stays, what was on its way
    /// ends unheard.
    pub fn reset(&mut self) {
        for (_, mut request) in std::mem::take(&mut self.in_flight) {
            // Nobody hears of its result.
            let _ = self.carry_out(&mut request);
        }
    }

    pub fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    /// When it answers next.
    pub fn next_event(&self) -> Option<Instant> {
        if self.mood == DiskMood::Silent || self.is_off() {
            return None;
        }
        self.in_flight.iter().map(|(at, _)| *at).min()
    }

    fn is_in_range(&self, request: &DiskRequest) -> bool {
        let end = request.sector.checked_add(request.sectors);
        end.is_some_and(|end| end <= self.settings.sectors)
    }

    fn carry_out(&mut self, request: &mut DiskRequest) -> Result<(), DiskError> {
        let sector = request.sector;
        if self.mood == DiskMood::Failing {
            self.view.failed += 1;
            return Err(DiskError::Device { sector });
        }
        if !self.is_in_range(request) {
            return Err(DiskError::OutOfRange { sector });
        }
        self.boundaries += u64::from(request.operation != DiskOperation::Read);
        let sectors = sector..sector + request.sectors;
        match self
            .faults
            .fate(request.operation, sectors, self.settings.sectors)
        {
            Fate::Well => self.obey(request),
            // It says that it did.
            Fate::Lost => self.count(request),
            Fate::Elsewhere { sector } => {
                let right = std::mem::replace(&mut request.sector, sector);
                self.obey(request);
                request.sector = right;
            }
            Fate::Rotten { bit } => {
                self.obey(request);
                match request.operation {
                    DiskOperation::Read => flip(request, bit),
                    _ => self.store.flip(request, bit),
                }
            }
            Fate::Fails { sector } => {
                self.view.failed += 1;
                return Err(DiskError::Device { sector });
            }
        }
        Ok(())
    }

    fn obey(&mut self, request: &mut DiskRequest) {
        match request.operation {
            DiskOperation::Read => self.store.read(request),
            DiskOperation::Flush => self.store.flush(),
            _ => self.store.write(request),
        }
        if !self.settings.has_write_cache {
            self.store.flush();
        }
        self.count(request);
    }

    fn count(&mut self, request: &DiskRequest) {
        let bytes = request.sectors * SECTOR_BYTES as u64;
        match request.operation {
            DiskOperation::Read => {
                self.view.reads += 1;
                self.view.read_bytes += bytes;
            }
            DiskOperation::Write => {
                self.view.writes += 1;
                self.view.written_bytes += bytes;
            }
            DiskOperation::Flush => self.view.flushes += 1,
            DiskOperation::Discard | DiskOperation::WriteZeroes => self.view.others += 1,
        }
    }
}

const fn changes(operation: DiskOperation) -> bool {
    !matches!(operation, DiskOperation::Read | DiskOperation::Flush)
}

/// Turns a bit of what was read.
fn flip(request: &mut DiskRequest, bit: u64) {
    let total = request.sectors as usize * SECTOR_BYTES;
    let mut at = (bit / 8) as usize;
    request.data.visit_mut(total, &mut |bytes| {
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << (bit % 8);
        }
        at = at.wrapping_sub(bytes.len());
    });
}

impl Disk for SimDisk {
    fn facts(&self) -> DiskFacts {
        DiskFacts {
            name: self.name,
            sectors: self.settings.sectors,
            is_read_only: false,
            has_write_cache: self.settings.has_write_cache,
            can_discard: true,
            can_write_zeroes: true,
            requests_max: self.settings.requests_max,
            pieces_max: self.settings.pieces_max,
            transfer_bytes_max: self.settings.transfer_bytes_max,
            starts: 1,
        }
    }

    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)> {
        let sector = request.sector;
        let error = if self.in_flight.len() == self.settings.requests_max {
            DiskError::Busy
        } else if !self.is_in_range(&request) {
            DiskError::OutOfRange { sector }
        } else {
            let slow = self.faults.slowness(sector..sector + request.sectors);
            let jitter = self.faults.jitter(self.settings.jitter);
            let at = self.timer.answer_at(self.now, &request);
            self.in_flight.push((at + slow + jitter, request));
            let in_flight = self.in_flight.len();
            self.view.in_flight_high_water = self.view.in_flight_high_water.max(in_flight);
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
        let in_flight = self.in_flight.iter().enumerate();
        let (first, _) = in_flight.min_by_key(|(_, (at, _))| *at)?;
        let (_, mut request) = self.in_flight.remove(first);
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
