//! What users of volumes ask for, and what they get back.

use super::error::VolumeError;
use crate::base::buffer::Buffer;
use crate::base::tenant::Tenant;
use crate::storage::io::Priority;

/// Names one volume; one of a name that was given anew is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolumeId {
    pub slot: usize,
    pub id: u32,
}

/// Who asks; comes back with the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// A command.
    Person,
    /// The directory of an object volume.
    Objects,
    /// A tenant to which the volume is attached.
    Tenant(Tenant),
    /// Another machine of the kernel.
    Kernel,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VolumeOperation {
    Read,
    Write {
        /// Is it answered when it is durable, and not before?
        is_synced: bool,
    },
    /// All writes that were answered before are durable when this is answered.
    Flush,
    /// What was there reads as zeroes.
    Discard,
}

#[derive(Debug)]
pub struct VolumeRequest {
    pub volume: VolumeId,
    pub asker: Asker,
    /// The asker's own number; comes back with the answer.
    pub number: u64,
    pub operation: VolumeOperation,
    /// The first block of the volume, in units of `BLOCK_BYTES`.
    pub block: u64,
    /// 0 for a flush; at most `VOLUME_REQUEST_BLOCKS_MAX` with data.
    pub blocks: u64,
    /// What is written or filled; it may be longer.
    pub data: Option<Buffer>,
    pub priority: Priority,
}

#[derive(Debug)]
pub struct VolumeDone {
    pub request: VolumeRequest,
    pub result: Result<(), VolumeError>,
}
