//! What goes wrong with a simulated disk, by chance and by place.

use rayos_kernel::base::disk::{DiskOperation, SECTOR_BYTES};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::Duration;
use std::ops::Range;

/// `one_in: 0` is never.
#[derive(Clone, Default, Debug)]
pub struct DiskFaults {
    /// Writes that are answered and not done.
    pub lost_one_in: u64,
    /// Writes that go to another sector.
    pub misdirected_one_in: u64,
    /// Writes and reads with a bit that is wrong.
    pub rotten_write_one_in: u64,
    pub rotten_read_one_in: u64,
    /// Flushes that are answered and not done.
    pub lying_flush_one_in: u64,
    /// Requests that touch these sectors fail.
    pub bad_sectors: Vec<u64>,
    /// Requests that touch these take so much longer.
    pub slow_sectors: Vec<Range<u64>>,
    pub slower_by: Duration,
    /// After so many requests every second one fails; on the way there, ever more do.
    pub dying_after: u64,
}

pub enum Fate {
    Well,
    Lost,
    Elsewhere { sector: u64 },
    Rotten { bit: u64 },
    Fails { sector: u64 },
}

pub struct Faults {
    faults: DiskFaults,
    prng: Prng,
    requests: u64,
}

impl Faults {
    pub fn new(faults: DiskFaults, seed: u64) -> Self {
        Self {
            faults,
            prng: Prng::new(seed),
            requests: 0,
        }
    }

    pub fn set(&mut self, faults: DiskFaults) {
        self.faults = faults;
        self.requests = 0;
    }

    pub const fn prng(&mut self) -> &mut Prng {
        &mut self.prng
    }

    /// What becomes of a request that is carried out now.
    pub fn fate(
        &mut self,
        operation: DiskOperation,
        sectors: Range<u64>,
        sectors_max: u64,
    ) -> Fate {
        self.requests += 1;
        let faults = &self.faults;
        if operation != DiskOperation::Flush {
            let mut bad = faults.bad_sectors.iter();
            if let Some(sector) = bad.find(|bad| sectors.contains(bad)) {
                return Fate::Fails { sector: *sector };
            }
        }
        let dying = faults.dying_after;
        if dying > 0 && self.prng.below(2 * dying) < self.requests.min(dying) {
            return Fate::Fails {
                sector: sectors.start,
            };
        }
        let count = sectors.end - sectors.start;
        let bits = count * SECTOR_BYTES as u64 * 8;
        let mut happens = |one_in: u64| one_in > 0 && self.prng.one_in(one_in);
        match operation {
            DiskOperation::Read if happens(faults.rotten_read_one_in) => {
                let bit = self.prng.below(bits);
                Fate::Rotten { bit }
            }
            DiskOperation::Write if happens(faults.lost_one_in) => Fate::Lost,
            DiskOperation::Write if happens(faults.misdirected_one_in) => {
                let sector = self.prng.below(sectors_max - count + 1);
                Fate::Elsewhere { sector }
            }
            DiskOperation::Write if happens(faults.rotten_write_one_in) => {
                let bit = self.prng.below(bits);
                Fate::Rotten { bit }
            }
            DiskOperation::Flush if happens(faults.lying_flush_one_in) => Fate::Lost,
            _ => Fate::Well,
        }
    }

    pub fn slowness(&self, sectors: Range<u64>) -> Duration {
        let touches = |slow: &Range<u64>| slow.start < sectors.end && sectors.start < slow.end;
        match self.faults.slow_sectors.iter().any(touches) {
            true => self.faults.slower_by,
            false => Duration::ZERO,
        }
    }

    pub fn jitter(&mut self, most: Duration) -> Duration {
        match most {
            Duration::ZERO => Duration::ZERO,
            most => Duration::from_nanos(self.prng.below(most.as_nanos())),
        }
    }
}
