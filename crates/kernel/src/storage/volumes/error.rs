//! Why something with volumes came to nothing, and what the user can do.

use super::page::PageError;
use super::row::{Name, RowError};
use super::state::State;
use crate::base::tenant::Tenant;
use crate::limits::{VOLUME_KEY_MAX, VOLUME_NAME_MAX, VOLUME_SNAPSHOTS_MAX, VOLUMES_MAX};
use crate::storage::io::IoError;
use core::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VolumeError {
    NotMounted,
    /// The maps are being walked over.
    Mounting,
    /// Nothing can be written any more; what was durable is safe.
    PoolFailed(Failure),
    /// A page of a map is lost, so it is not known which blocks are free.
    ReadOnly,
    NoVolume,
    NoSnapshot,
    Taken {
        name: Name,
    },
    BadName,
    TooManyVolumes,
    TooManySnapshots,
    TooLarge {
        most_bytes: u64,
    },
    NoSpace,
    /// An object volume holds no more than its size.
    VolumeFull,
    OutOfRange {
        blocks: u64,
    },
    /// Not in whole blocks, or without memory for them.
    BadRequest,
    Busy,
    Scrubbing,
    State {
        name: Name,
        state: State,
    },
    AttachedTo {
        name: Name,
        tenant: Tenant,
    },
    NotAttached {
        name: Name,
    },
    /// A snapshot is restored only into the volume that it is of.
    OfAnotherVolume,
    NotOfKind {
        name: Name,
        kind: &'static str,
    },
    NeedsCluster,
    Damaged {
        place: Damage,
    },
    Io(IoError),
    NoObject,
    BadKey,
    /// The buckets where the key could stand are full.
    DirectoryFull,
    /// What stands in the directory cannot be.
    DirectoryDamaged {
        block: u64,
    },
    /// The volume was taken away while the request ran.
    Gone,
    /// A disk's pool is smaller than what it is to hold.
    SmallDisk,
    ManyDisks,
}

/// Where bytes are not those that were written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Block of the volume, or the first that a page of its map is for.
    pub block: u64,
    /// Sector of the disk.
    pub sector: u64,
    pub disk: usize,
    pub what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Data,
    Unreadable(IoError),
    Map(PageError),
}

/// Why a pool writes no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    Disk(IoError),
    Journal,
    /// No memory for the counts, or too little for the blocks in use.
    Memory,
    Row(RowError),
    /// The disk holds another pool, or another member of it.
    WrongPool,
    /// There are no disks with it.
    NoMember,
}

impl From<IoError> for VolumeError {
    fn from(error: IoError) -> Self {
        Self::Io(error)
    }
}

impl VolumeError {
    /// Why a disk does not become a member.
    pub const fn why_no_member(&self) -> &'static str {
        match self {
            Self::SmallDisk => {
                "the disk is smaller than the pool that it is to hold; take a larger one"
            }
            Self::ManyDisks => "the pool has as many disks as it can have; unplug one first",
            _ => "the pool is not in use; see storage status",
        }
    }
}

impl fmt::Display for VolumeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMounted => f.write_str("there is no pool of volumes; see storage status"),
            Self::Mounting => f.write_str("the volumes are being mounted; try again"),
            Self::PoolFailed(failure) => failure.fmt(f),
            Self::ReadOnly => f.write_str(
                "a page of a map is lost, so nothing is written; delete the degraded volumes or snapshots",
            ),
            Self::NoVolume => f.write_str("there is no such volume; see storage volumes"),
            Self::NoSnapshot => f.write_str("there is no such snapshot; see storage snapshots"),
            Self::Taken { name } => write!(f, "{name} is there already; choose another name"),
            Self::BadName => write!(
                f,
                "a name has up to {VOLUME_NAME_MAX} letters, digits, dots and dashes, and begins with a letter"
            ),
            Self::TooManyVolumes => write!(f, "there are {VOLUMES_MAX} volumes; delete one first"),
            Self::TooManySnapshots => {
                write!(f, "there are {VOLUME_SNAPSHOTS_MAX} snapshots; delete one first")
            }
            Self::TooLarge { most_bytes } => {
                write!(f, "a volume has from 1 up to {most_bytes} bytes")
            }
            Self::NoSpace => f.write_str("the pool is full; delete a volume or a snapshot"),
            Self::VolumeFull => f.write_str("the volume is full; remove something from it"),
            Self::OutOfRange { blocks } => {
                write!(f, "that is not in the volume, which has {blocks} blocks of 4096 bytes")
            }
            Self::BadRequest => f.write_str("the request is too large or has no memory"),
            Self::Busy => f.write_str("too many requests to volumes run; try again"),
            Self::Scrubbing => f.write_str("everything is being read already; see storage status"),
            Self::State { name, state } => {
                write!(f, "volume {name} is {state}; see storage volumes")
            }
            Self::AttachedTo { name, tenant } => {
                write!(f, "volume {name} is attached to tenant {tenant}; detach it first")
            }
            Self::NotAttached { name } => {
                write!(f, "volume {name} is not attached; attach it first")
            }
            Self::OfAnotherVolume => {
                f.write_str("the snapshot is of another volume; clone it instead")
            }
            Self::NotOfKind { name, kind } => write!(f, "{name} is no {kind} volume"),
            Self::NeedsCluster => f.write_str(
                "a distributed volume needs a cluster, and there is none; create one of type block",
            ),
            Self::Damaged { place } => place.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::NoObject => f.write_str("there is no such key; see storage list"),
            Self::BadKey => write!(f, "a key has from 1 up to {VOLUME_KEY_MAX} bytes"),
            Self::DirectoryFull => {
                f.write_str("there is no room for one more key; remove one, or use a larger volume")
            }
            Self::DirectoryDamaged { block } => write!(
                f,
                "block {block} of the directory says what cannot be; restore a snapshot"
            ),
            Self::SmallDisk | Self::ManyDisks => f.write_str(self.why_no_member()),
            Self::Gone => f.write_str("the volume was deleted while the request ran"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (block, sector, disk) = (self.block, self.sector, self.disk);
        match self.what {
            What::Data => write!(
                f,
                "block {block} is damaged (sector {sector} of disk {disk}): its bytes are not those that were written; restore a snapshot"
            ),
            What::Unreadable(error) => {
                write!(f, "block {block} cannot be read (disk {disk}): {error}")
            }
            What::Map(error) => write!(
                f,
                "the map from block {block} on is damaged (sector {sector} of disk {disk}): {error}; restore a snapshot"
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "the pool writes no more: {error}"),
            Self::Journal => f.write_str("the pool writes no more: its journal failed"),
            Self::Memory => {
                f.write_str("there is too little memory for the pool; give the machine more")
            }
            Self::Row(error) => error.fmt(f),
            Self::WrongPool => f.write_str("the disk holds another pool than the journal knows"),
            Self::NoMember => f.write_str("no disk with the pool answers; see disk list"),
        }
    }
}
