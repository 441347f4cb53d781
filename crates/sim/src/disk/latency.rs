//! When a request is answered.

use super::DiskModel;
use rayos_kernel::base::disk::{DiskOperation, DiskRequest};
use rayos_kernel::base::time::{Duration, Instant};

/// Where the arm of a spinning disk is, and until when it is busy.
#[derive(Default)]
pub struct Arm {
    sector: u64,
    busy_until: Instant,
}

const SSD_REQUEST: Duration = Duration::from_micros(100);
/// 500 MB/s.
const SSD_SECTOR: u64 = 1_000;
/// From one end of the disk to a neighbouring track, and per doubling of the distance.
const HDD_SEEK_LEAST: Duration = Duration::from_millis(1);
const HDD_SEEK_DOUBLING: u64 = 250_000;
/// Half a turn at 7,200 a minute.
const HDD_HALF_TURN: Duration = Duration::from_micros(4_166);
/// 150 MB/s.
const HDD_SECTOR: u64 = 3_413;

impl Arm {
    pub fn answer_at(&mut self, now: Instant, model: DiskModel, request: &DiskRequest) -> Instant {
        match model {
            DiskModel::Fixed(latency) => now + latency,
            DiskModel::Ssd => {
                now + SSD_REQUEST + Duration::from_nanos(request.sectors * SSD_SECTOR)
            }
            DiskModel::Hdd => self.turn(now, request),
        }
    }

    fn turn(&mut self, now: Instant, request: &DiskRequest) -> Instant {
        let begin = self.busy_until.max(now);
        let distance = request.sector.abs_diff(self.sector);
        let is_next = distance == 0 || request.operation == DiskOperation::Flush;
        let seek = match is_next {
            true => Duration::ZERO,
            false => Duration::from_nanos(
                HDD_SEEK_LEAST.as_nanos() + u64::from(distance.ilog2()) * HDD_SEEK_DOUBLING,
            ),
        };
        let turn = if is_next {
            Duration::ZERO
        } else {
            HDD_HALF_TURN
        };
        if request.operation != DiskOperation::Flush {
            self.sector = request.sector + request.sectors;
        }
        self.busy_until = begin + seek + turn + Duration::from_nanos(request.sectors * HDD_SECTOR);
        self.busy_until
    }
}
