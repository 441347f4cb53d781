//! A disk that is a model: it has no data, and answers when the model says.

use crate::base::disk::{Disk, DiskDone, DiskError, DiskFacts, DiskRequest, DiskView};
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::limits::{BLOCK_REQUESTS_MAX, IO_MERGED_BYTES_MAX, IO_PIECES_MAX};
use crate::storage::io::model::{Access, Model, ModelKind};

/// 128 GiB.
pub const SECTORS: u64 = 1 << 28;

pub struct ModelDisk {
    model: Model,
    now: Instant,
    /// Each with when it is answered.
    in_flight: Vec<(Instant, DiskRequest), BLOCK_REQUESTS_MAX>,
}

impl ModelDisk {
    pub fn new(kind: ModelKind) -> Self {
        Self {
            model: kind.model(),
            now: Instant::ZERO,
            in_flight: Vec::new(),
        }
    }

    /// It is later now.
    pub fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    /// When the next answer comes.
    pub fn next_end(&self) -> Option<Instant> {
        self.in_flight.iter().map(|(end, _)| *end).min()
    }
}

impl Disk for ModelDisk {
    fn facts(&self) -> DiskFacts {
        DiskFacts {
            name: "model",
            sectors: SECTORS,
            is_read_only: false,
            has_write_cache: false,
            can_discard: true,
            can_write_zeroes: true,
            requests_max: self.model.requests_max(),
            pieces_max: IO_PIECES_MAX,
            transfer_bytes_max: IO_MERGED_BYTES_MAX,
            starts: 1,
        }
    }

    fn submit(&mut self, request: DiskRequest) -> Result<(), (DiskError, DiskRequest)> {
        if self.in_flight.len() >= self.model.requests_max() {
            return Err((DiskError::Busy, request));
        }
        let access = Access {
            operation: request.operation,
            sector: request.sector,
            sectors: request.sectors,
        };
        let end = self.model.service(self.now, &access);
        let kept = self.in_flight.push((end, request));
        crate::invariant!(kept.is_ok(), "a model takes more than a queue sends");
        Ok(())
    }

    /// A model begins at once.
    fn kick(&mut self) {}

    fn completed(&mut self) -> Option<DiskDone> {
        let ends = self.in_flight.iter().enumerate();
        let (index, (end, _)) = ends.min_by_key(|(_, (end, _))| *end)?;
        if *end > self.now {
            return None;
        }
        let (_, request) = self.in_flight.remove(index)?;
        let result = Ok(());
        Some(DiskDone { request, result })
    }

    fn view(&self) -> DiskView {
        DiskView {
            in_flight: self.in_flight.len(),
            ..DiskView::default()
        }
    }
}
