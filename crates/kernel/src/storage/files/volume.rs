//! The disk under a file system that is mounted, and requests to it.

use super::tag::Tag;
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskError, DiskOperation};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::storage::io::{IoError, IoRequest, IoTag, Owner, Priority, Submit};
use crate::storage::region::Region;

/// What is known of the disk.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    pub region: Region,
    /// Counts mounts.
    pub mount: u32,
    pub transfer_bytes_max: usize,
    pub has_write_cache: bool,
    /// Something was written that no flush has made safe.
    pub is_unsafe: bool,
}

/// A request that has to be named before it goes out.
pub struct Draft {
    volume: Volume,
    operation: DiskOperation,
    sector: u64,
    sectors: u64,
    data: Option<Buffer>,
    tag: Tag,
}

impl Volume {
    /// `sector` is counted from the volume's first.
    pub const fn request(
        &self,
        operation: DiskOperation,
        sector: u64,
        sectors: u64,
        data: Option<Buffer>,
    ) -> Draft {
        Draft {
            volume: *self,
            operation,
            sector,
            sectors,
            data,
            tag: Tag::Flush,
        }
    }
}

impl Draft {
    pub fn tagged(self, tag: Tag) -> Self {
        Self { tag, ..self }
    }

    /// Puts it into the disk's queue. What is refused gives its buffer back.
    pub fn submit(
        self,
        now: Instant,
        io: &mut dyn Submit,
    ) -> Result<(), (IoError, Option<Buffer>)> {
        let sector = match self.operation {
            DiskOperation::Flush => Some(0),
            _ => self.volume.region.at(self.sector, self.sectors),
        };
        let Some(sector) = sector else {
            let error = DiskError::OutOfRange {
                sector: self.sector,
            };
            return Err((IoError::Disk(error), self.data));
        };
        let request = IoRequest {
            disk: self.volume.region.disk,
            tag: IoTag {
                owner: Owner::File,
                number: self.tag.number(self.volume.mount),
            },
            operation: self.operation,
            sector,
            sectors: self.sectors,
            data: self.data,
            priority: Priority::USUAL,
            deadline: None,
            tenant: Tenant::KERNEL,
        };
        io.submit(now, request)
            .map_err(|(error, request)| (error, request.data))
    }
}
