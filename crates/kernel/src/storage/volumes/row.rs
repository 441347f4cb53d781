//! Rows of the table of volumes, as records of the journal carry them.
//!
//! Invariant: what `Record::parse` yields is whole and means something by itself; whether it
//! goes together with the other rows is the table's affair.

use super::page::{LEVELS_MAX, levels_for};
use super::pointer::{POINTER_BYTES, Pointer};
use crate::base::fixed::{Full, Text, Vec};
use crate::base::tenant::Tenant;
use crate::limits::{
    VOLUME_NAME_MAX, VOLUME_RECORD_BYTES, VOLUME_REPLICAS_MAX, VOLUME_SNAPSHOTS_MAX, VOLUMES_MAX,
};
use core::fmt;

pub type Name = Text<VOLUME_NAME_MAX>;

const MAGIC: u32 = u32::from_le_bytes(*b"RVOL");
const HEADER_BYTES: usize = 14;
const COUNT_AT: usize = 12;
/// Bytes of the rows of one change: of the pool, a volume and a snapshot.
const CHANGE_BYTES_MAX: usize = 320;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Block,
    Object,
    File,
}

/// A tree of map pages, and what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    pub root: Pointer,
    pub data_blocks: u64,
    pub map_pages: u64,
}

/// What a volume may be asked for in a second; `None`: as much as the disk gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    pub requests_per_s: Option<u64>,
    pub bytes_per_s: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolRow {
    pub id: u64,
    pub blocks: u32,
    pub members: u8,
    /// A bit for each member that missed something.
    pub stale: u8,
    /// The last number that a volume or a snapshot got.
    pub last_id: u32,
    /// The journals of its members, by the numbers that they got when they were made; 0 for
    /// one whose disk nobody knows.
    pub disks: [u64; VOLUME_REPLICAS_MAX],
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolumeRow {
    /// Not 0, and never given again.
    pub id: u32,
    pub name: Name,
    pub kind: Kind,
    pub tenant: Option<Tenant>,
    pub is_damaged: bool,
    pub blocks: u64,
    pub tree: Tree,
    /// The snapshot that it came from last; 0 for none.
    pub newest: u32,
    pub limits: Limits,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotRow {
    pub id: u32,
    pub name: Name,
    pub kind: Kind,
    /// The volume that it is of, which may be gone.
    pub volume: u32,
    /// The one before it in its chain; 0 for none.
    pub parent: u32,
    pub blocks: u64,
    pub tree: Tree,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    Pool(PoolRow),
    Volume(usize, VolumeRow),
    /// A volume's new tree.
    Tree(usize, u32, Tree),
    VolumeGone(usize),
    Snapshot(usize, SnapshotRow),
    SnapshotGone(usize),
    /// The whole table begins, in this record and those that go on with `More`. It counts,
    /// instead of all that was before, once `Whole` has come.
    Anew,
    More,
    Whole,
}

/// Why a record is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowError {
    /// No record of the volumes at all.
    NotOurs,
    /// It ends too early, or has something behind its end.
    Length,
    /// A number, a name or a kind that cannot be.
    Value,
    /// It does not go together with what stood before it.
    Order,
}

/// One transaction's rows, on their way to the journal.
pub struct Record(Vec<u8, VOLUME_RECORD_BYTES>);

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Object => "object",
            Self::File => "file",
        }
    }

    /// Is it asked for by keys, and not by blocks?
    pub const fn has_keys(self) -> bool {
        matches!(self, Self::Object | Self::File)
    }

    const fn code(self) -> u8 {
        match self {
            Self::Block => 0,
            Self::Object => 1,
            Self::File => 2,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Block,
            1 => Self::Object,
            2 => Self::File,
            _ => return None,
        })
    }
}

/// Levels of the tree of a volume; a key's bytes may stand anywhere in the largest one.
pub fn levels_of(kind: Kind, blocks: u64) -> Option<u8> {
    let levels = levels_for(blocks)?;
    Some(if kind.has_keys() { LEVELS_MAX } else { levels })
}

/// Letters, digits, `-`, `_`, `.`; it begins with a letter.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= VOLUME_NAME_MAX
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(fits)
}

impl Record {
    pub fn new(generation: u64) -> Self {
        let mut record = Self(Vec::new());
        record.begin(generation);
        record
    }

    /// Empties it for another transaction.
    pub fn begin(&mut self, generation: u64) {
        self.0.clear();
        // The capacity is far larger.
        let _ = self.0.extend_from_slice(&MAGIC.to_le_bytes());
        let _ = self.0.extend_from_slice(&generation.to_le_bytes());
        let _ = self.0.extend_from_slice(&[0, 0]);
    }

    /// Has it room for the rows of one more change?
    pub fn has_room(&self) -> bool {
        self.0.len() + CHANGE_BYTES_MAX <= VOLUME_RECORD_BYTES
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn count(&self) -> u16 {
        u16::from_le_bytes([self.0[COUNT_AT], self.0[COUNT_AT + 1]])
    }

    /// Adds all of a row, or nothing of it.
    pub fn push(&mut self, row: &Row) -> Result<(), Full> {
        let before = self.0.len();
        let result = self.emit(row);
        if result.is_err() {
            self.0.truncate(before);
            return Err(Full);
        }
        let count = self.count() + 1;
        self.0[COUNT_AT..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    fn emit(&mut self, row: &Row) -> Result<(), Full> {
        let mut put = |bytes: &[u8]| self.0.extend_from_slice(bytes);
        match row {
            Row::Pool(pool) => {
                put(&[0])?;
                put(&pool.id.to_le_bytes())?;
                put(&pool.blocks.to_le_bytes())?;
                put(&[pool.members, pool.stale])?;
                put(&pool.last_id.to_le_bytes())?;
                let mut disks = pool.disks.iter();
                disks.try_for_each(|disk| put(&disk.to_le_bytes()))
            }
            Row::Volume(slot, volume) => {
                let tenant = volume.tenant.map_or(0, |tenant| tenant.index() as u8 + 1);
                put(&[1, *slot as u8])?;
                put(&volume.id.to_le_bytes())?;
                put_name(&mut put, &volume.name)?;
                put(&[volume.kind.code(), tenant, u8::from(volume.is_damaged)])?;
                put(&volume.blocks.to_le_bytes())?;
                put_tree(&mut put, &volume.tree)?;
                put(&volume.newest.to_le_bytes())?;
                put(&volume.limits.requests_per_s.unwrap_or(0).to_le_bytes())?;
                put(&volume.limits.bytes_per_s.unwrap_or(0).to_le_bytes())
            }
            Row::Tree(slot, id, tree) => {
                put(&[2, *slot as u8])?;
                put(&id.to_le_bytes())?;
                put_tree(&mut put, tree)
            }
            Row::VolumeGone(slot) => put(&[3, *slot as u8]),
            Row::Snapshot(slot, snapshot) => {
                put(&[4, *slot as u8])?;
                put(&snapshot.id.to_le_bytes())?;
                put_name(&mut put, &snapshot.name)?;
                put(&[snapshot.kind.code()])?;
                put(&snapshot.volume.to_le_bytes())?;
                put(&snapshot.parent.to_le_bytes())?;
                put(&snapshot.blocks.to_le_bytes())?;
                put_tree(&mut put, &snapshot.tree)
            }
            Row::SnapshotGone(slot) => put(&[5, *slot as u8]),
            Row::Anew => put(&[6]),
            Row::More => put(&[7]),
            Row::Whole => put(&[8]),
        }
    }

    /// The transaction's number; its rows go to `visit`, which stops it with an error.
    pub fn parse(
        bytes: &[u8],
        visit: &mut dyn FnMut(u64, Row) -> Result<(), RowError>,
    ) -> Result<u64, RowError> {
        let mut reader = Reader(bytes);
        if reader.u32() != Ok(MAGIC) {
            return Err(RowError::NotOurs);
        }
        let generation = reader.u64()?;
        let count = u16::from_le_bytes(reader.take()?);
        for _ in 0..count {
            let row = reader.row()?;
            visit(generation, row)?;
        }
        match reader.0.is_empty() {
            true => Ok(generation),
            false => Err(RowError::Length),
        }
    }
}

type Put<'a> = dyn FnMut(&[u8]) -> Result<(), Full> + 'a;

fn put_name(put: &mut Put<'_>, name: &Name) -> Result<(), Full> {
    put(&[name.len() as u8])?;
    put(name.as_bytes())
}

fn put_tree(put: &mut Put<'_>, tree: &Tree) -> Result<(), Full> {
    put(&tree.root.emit())?;
    put(&tree.data_blocks.to_le_bytes())?;
    put(&tree.map_pages.to_le_bytes())
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RowError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(RowError::Length)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u8(&mut self) -> Result<u8, RowError> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    fn u32(&mut self) -> Result<u32, RowError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64, RowError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn id(&mut self) -> Result<u32, RowError> {
        self.u32().and_then(|id| wanted(id, id != 0))
    }

    fn slot(&mut self, most: usize) -> Result<usize, RowError> {
        let slot = usize::from(self.u8()?);
        wanted(slot, slot < most)
    }

    fn kind(&mut self) -> Result<Kind, RowError> {
        Kind::of(self.u8()?).ok_or(RowError::Value)
    }

    fn name(&mut self) -> Result<Name, RowError> {
        let length = usize::from(self.u8()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(RowError::Length)?;
        self.0 = rest;
        let text = core::str::from_utf8(text).map_err(|_| RowError::Value)?;
        wanted(Name::cut_from(text), is_name(text))
    }

    fn blocks(&mut self) -> Result<u64, RowError> {
        let blocks = self.u64()?;
        wanted(blocks, blocks > 0 && levels_for(blocks).is_some())
    }

    fn tree(&mut self) -> Result<Tree, RowError> {
        let root = Pointer::parse(&self.take::<POINTER_BYTES>()?);
        let tree = Tree {
            root,
            data_blocks: self.u64()?,
            map_pages: self.u64()?,
        };
        wanted(tree, !root.is_none() || tree == Tree::default())
    }

    fn tenant(&mut self) -> Result<Option<Tenant>, RowError> {
        match usize::from(self.u8()?) {
            0 => Ok(None),
            more => Tenant::new(more - 1).map(Some).ok_or(RowError::Value),
        }
    }

    fn limit(&mut self) -> Result<Option<u64>, RowError> {
        Ok(Some(self.u64()?).filter(|limit| *limit > 0))
    }

    fn pool(&mut self) -> Result<PoolRow, RowError> {
        let pool = PoolRow {
            id: self.u64()?,
            blocks: self.u32()?,
            members: self.u8()?,
            stale: self.u8()?,
            last_id: self.u32()?,
            disks: [self.u64()?, self.u64()?, self.u64()?],
        };
        let is_good = (1..=VOLUME_REPLICAS_MAX).contains(&usize::from(pool.members))
            && pool.blocks > 1
            && u32::from(pool.stale) >> pool.members == 0;
        wanted(pool, is_good)
    }

    fn row(&mut self) -> Result<Row, RowError> {
        Ok(match self.u8()? {
            0 => Row::Pool(self.pool()?),
            1 => {
                let slot = self.slot(VOLUMES_MAX)?;
                Row::Volume(slot, self.volume()?)
            }
            2 => Row::Tree(self.slot(VOLUMES_MAX)?, self.id()?, self.tree()?),
            3 => Row::VolumeGone(self.slot(VOLUMES_MAX)?),
            4 => {
                let slot = self.slot(VOLUME_SNAPSHOTS_MAX)?;
                Row::Snapshot(slot, self.snapshot()?)
            }
            5 => Row::SnapshotGone(self.slot(VOLUME_SNAPSHOTS_MAX)?),
            6 => Row::Anew,
            7 => Row::More,
            8 => Row::Whole,
            _ => return Err(RowError::Value),
        })
    }

    fn volume(&mut self) -> Result<VolumeRow, RowError> {
        Ok(VolumeRow {
            id: self.id()?,
            name: self.name()?,
            kind: self.kind()?,
            tenant: self.tenant()?,
            is_damaged: self.u8()? != 0,
            blocks: self.blocks()?,
            tree: self.tree()?,
            newest: self.u32()?,
            limits: Limits {
                requests_per_s: self.limit()?,
                bytes_per_s: self.limit()?,
            },
        })
    }

    fn snapshot(&mut self) -> Result<SnapshotRow, RowError> {
        Ok(SnapshotRow {
            id: self.id()?,
            name: self.name()?,
            kind: self.kind()?,
            volume: self.id()?,
            parent: self.u32()?,
            blocks: self.blocks()?,
            tree: self.tree()?,
        })
    }
}

fn wanted<T>(value: T, is_good: bool) -> Result<T, RowError> {
    if is_good {
        Ok(value)
    } else {
        Err(RowError::Value)
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOurs => "a record of the journal is none of the volumes",
            Self::Length => "a record of the volumes has the wrong length",
            Self::Value => "a record of the volumes says what cannot be",
            Self::Order => "a record of the volumes contradicts those before it",
        })
    }
}
