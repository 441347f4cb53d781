//! What stands on a disk, as its first and last sectors say.

use super::gpt::{
    BACK_SECTORS, FRONT_SECTORS, GptError, Header, Table, copy_sectors, is_protective,
};
use super::plan::Layout;
use crate::base::crc32c;
use crate::base::disk::{DiskError, SECTOR_BYTES};
use crate::storage::errand::guarded;
use crate::storage::io::IoError;

/// What is known of the disk in one place of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DiskState {
    #[default]
    Absent,
    /// It is there, and is being looked at.
    Looking,
    Known(Content),
    /// It is being laid out.
    Formatting,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// Nothing but zeroes where a table would be.
    Blank,
    /// Somebody else's, or nobody can say whose.
    Foreign {
        what: &'static str,
    },
    /// A table whose two copies are both wrong.
    Damaged(GptError),
    Ours {
        layout: Layout,
        /// One of the two copies of the table is wrong, and this is why.
        damage: Option<GptError>,
    },
    Unreadable(IoError),
    /// Too few sectors, too short transfers, or too large blocks for tables.
    Unfit,
}

impl Content {
    /// Of a disk that has failed so. One that takes whole blocks of several sectors only
    /// says so of sectors that it has, and would say it again.
    pub const fn of_failure(error: IoError) -> Self {
        match error {
            IoError::Disk(DiskError::OutOfRange { .. }) => Self::Unfit,
            error => Self::Unreadable(error),
        }
    }
}

impl DiskState {
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Known(Content::Unreadable(_)))
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Looking => "looking",
            Self::Formatting => "formatting",
            Self::Known(Content::Blank) => "blank",
            Self::Known(Content::Foreign { .. }) => "foreign",
            Self::Known(Content::Damaged(_)) => "damaged",
            Self::Known(Content::Ours { .. }) => "laid out",
            Self::Known(Content::Unreadable(_)) => "unreadable",
            Self::Known(Content::Unfit) => "unfit",
        }
    }

    pub const fn layout(&self) -> Option<&Layout> {
        match self {
            Self::Known(Content::Ours { layout, .. }) => Some(layout),
            _ => None,
        }
    }
}

/// Both copies of the sectors that tables stand in: first the front, then the back.
pub struct Edges<'a> {
    pub disk: usize,
    pub sectors: u64,
    pub bytes: &'a [u8],
    /// There is something behind the front, where a table has nothing.
    pub has_more: bool,
}

const FRONT_BYTES: usize = FRONT_SECTORS as usize * SECTOR_BYTES;
const BACK_BYTES: usize = BACK_SECTORS as usize * SECTOR_BYTES;
/// Bytes of both.
pub const EDGES_BYTES: usize = FRONT_BYTES + BACK_BYTES;
/// What is looked at from the start on. Some file systems of a whole disk leave all zero up
/// to their first mark: ISO 9660 at 32 KiB, Btrfs and UFS at 64 KiB.
pub const LOOK_SECTORS: u64 = 160;

/// Makes room for the back in front of the front that was read. Is there more behind it?
pub fn keep_front(bytes: &mut [u8], sectors: u64) -> bool {
    let read = LOOK_SECTORS.min(sectors) as usize * SECTOR_BYTES;
    let has_more = bytes[FRONT_BYTES..read].iter().any(|byte| *byte != 0);
    bytes.copy_within(..FRONT_BYTES, EDGES_BYTES);
    has_more
}

/// First the front, then the back, as `Edges` wants them.
pub fn bring_front_back(bytes: &mut [u8]) {
    bytes.copy_within(..BACK_BYTES, FRONT_BYTES);
    bytes.copy_within(EDGES_BYTES..EDGES_BYTES + FRONT_BYTES, 0);
}

impl Edges<'_> {
    pub fn content(&self) -> Content {
        let (front, back) = (self.table(true), self.table(false));
        let damage = front.as_ref().err().or(back.as_ref().err()).copied();
        let back = back
            .ok()
            .filter(|_| !self.is_overlaid(front.as_ref().err()));
        if let Some(table) = front.as_ref().ok().or(back.as_ref()) {
            return match Layout::of(self.disk, table) {
                Some(layout) => Content::Ours { layout, damage },
                None => Content::Foreign {
                    what: "a partition table of another system",
                },
            };
        }
        match (front, guarded(self.bytes)) {
            (Err(error), _) if error != GptError::Absent => Content::Damaged(error),
            (_, Some(what)) => Content::Foreign { what },
            _ if self.is_zero() => Content::Blank,
            _ => Content::Foreign {
                what: "data without a partition table",
            },
        }
    }

    fn is_zero(&self) -> bool {
        !self.has_more && self.bytes.iter().all(|byte| *byte == 0)
    }

    /// A number that stands for just this content of just this disk: whoever types it has
    /// seen what would be lost.
    pub fn code(&self) -> u32 {
        let disk = [self.disk as u64, self.sectors].map(u64::to_le_bytes);
        crc32c::extend(crc32c::crc32c(disk.as_flattened()), self.bytes)
    }

    /// Has somebody used the disk since, who knew nothing of the copy at its end? That copy
    /// speaks for the disk only where the front is blank, as it is when the power goes
    /// before it is written, or a damaged table.
    fn is_overlaid(&self, front: Option<&GptError>) -> bool {
        let bytes = self.bytes.get(..FRONT_BYTES).unwrap_or_default();
        front == Some(&GptError::Absent)
            && (self.has_more || bytes.iter().any(|byte| *byte != 0))
            && !is_protective(bytes)
    }

    fn table(&self, is_front: bool) -> Result<Table, GptError> {
        let (first, _) = copy_sectors(self.sectors, is_front);
        let (copy, at) = match is_front {
            true => (self.bytes.get(..FRONT_BYTES), 1),
            false => (self.bytes.get(FRONT_BYTES..), self.sectors - 1),
        };
        let copy = copy.unwrap_or_default();
        let bytes_from = |sector: u64| {
            let start = usize::try_from(sector.checked_sub(first)?).ok()?;
            copy.get(start.checked_mul(SECTOR_BYTES)?..)
        };
        let header = bytes_from(at).and_then(|rest| rest.first_chunk());
        let header = Header::parse(header.ok_or(GptError::Absent)?, at, self.sectors)?;
        let entries = bytes_from(header.entries_at).unwrap_or_default();
        Table::parse(&header, entries)
    }
}

#[cfg(test)]
mod tests {
    use super::super::gpt::{Guid, emit};
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const SECTORS: u64 = 65_536;

    fn content(bytes: &[u8]) -> Content {
        let edges = Edges {
            disk: 1,
            sectors: SECTORS,
            bytes,
            has_more: false,
        };
        edges.content()
    }

    fn laid_out() -> (Layout, Vec<u8>) {
        let layout = Layout::plan(1, SECTORS).expect("it is large enough");
        let table = layout.table(&mut || Guid::random([3; 16]));
        let mut bytes = vec![0; EDGES_BYTES];
        let front = FRONT_BYTES;
        emit(&table, SECTORS, true, &mut bytes[..front]);
        emit(&table, SECTORS, false, &mut bytes[front..]);
        (layout, bytes)
    }

    #[test]
    fn a_laid_out_disk_is_known_by_either_copy_of_its_table() {
        let (layout, whole) = laid_out();
        let ours = |damage| Content::Ours { layout, damage };
        assert_eq!(content(&whole), ours(None));
        let front = FRONT_BYTES;
        let header = Some(GptError::Checksum { of: "header" });
        for at in [SECTOR_BYTES + 60, front + 32 * SECTOR_BYTES + 60] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert_eq!(content(&bytes), ours(header));
        }
        let mut bytes = whole;
        bytes[SECTOR_BYTES + 60] ^= 1;
        bytes[front + 32 * SECTOR_BYTES + 60] ^= 1;
        let error = GptError::Checksum { of: "header" };
        assert_eq!(content(&bytes), Content::Damaged(error));
    }

    /// Who makes a file system of the whole disk leaves the table's copy at its end.
    #[test]
    fn the_copy_at_the_end_says_nothing_of_a_disk_that_others_have_used_since() {
        let (layout, whole) = laid_out();
        let front = FRONT_BYTES;
        let mut bytes = whole.clone();
        bytes[..front].fill(0);
        let damage = Some(GptError::Absent);
        assert_eq!(content(&bytes), Content::Ours { layout, damage });
        // The mark of ext4, and a table of the old kind.
        let marks: [(usize, &[u8]); 2] = [(1024 + 56, &[0x53, 0xef]), (510, &[0x55, 0xaa])];
        for (at, mark) in marks {
            let mut bytes = bytes.clone();
            bytes[at..at + 2].copy_from_slice(mark);
            assert!(matches!(content(&bytes), Content::Foreign { .. }), "{at}");
        }
        let edges = Edges {
            disk: 1,
            sectors: SECTORS,
            bytes: &bytes,
            has_more: true,
        };
        assert!(matches!(edges.content(), Content::Foreign { .. }));
        // A header that is gone from its place is a damaged table.
        let mut bytes = whole;
        bytes[SECTOR_BYTES..2 * SECTOR_BYTES].fill(0);
        assert_eq!(content(&bytes), Content::Ours { layout, damage });
    }

    #[test]
    fn only_zeroes_are_blank() {
        let mut bytes = vec![0; EDGES_BYTES];
        assert_eq!(content(&bytes), Content::Blank);
        bytes[EDGES_BYTES - 1] = 1;
        assert!(matches!(content(&bytes), Content::Foreign { .. }));
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        let what = "a boot signature";
        assert_eq!(content(&bytes), Content::Foreign { what });
    }

    #[test]
    fn a_code_stands_for_one_content_of_one_disk() {
        let (_, bytes) = laid_out();
        let code = |disk, sectors, bytes| {
            let edges = Edges {
                disk,
                sectors,
                bytes,
                has_more: false,
            };
            edges.code()
        };
        let own = code(1, SECTORS, &bytes);
        assert_eq!(own, code(1, SECTORS, &bytes));
        assert_ne!(own, code(0, SECTORS, &bytes));
        assert_ne!(own, code(1, SECTORS + 1, &bytes));
        let mut other = bytes.clone();
        other[700] ^= 1;
        assert_ne!(own, code(1, SECTORS, &other));
    }
}
