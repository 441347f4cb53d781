//! The first sector of a volume: where everything is, checked once.

use super::{FatError, Sector, u16_at, u32_at};
use crate::base::disk::SECTOR_BYTES;

/// The most clusters that a table of 12 and of 16 bits is read for.
const FAT12_CLUSTERS_MAX: u64 = 4084;
const FAT16_CLUSTERS_MAX: u64 = 65_524;
const FAT32_CLUSTERS_MAX: u64 = 0x0fff_fff5;
const ENTRY_BYTES: u64 = 32;
/// Copies of the table; two are usual.
const TABLES_MAX: u8 = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Fat12,
    Fat16,
    Fat32,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fat12 => "FAT12",
            Self::Fat16 => "FAT16",
            Self::Fat32 => "FAT32",
        }
    }
}

/// Where the root directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    Sectors { first: u64, count: u64 },
    Cluster(u32),
}

/// Everything lies in the volume, and no sum of what is here overflows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    pub kind: Kind,
    pub sectors_per_cluster: u32,
    /// The first table that is in use.
    pub table_first: u64,
    pub table_sectors: u64,
    /// Copies that are written.
    pub tables: u8,
    pub root: Root,
    pub data_first: u64,
    /// Numbered from 2 on.
    pub clusters: u32,
    /// Where FAT32 keeps what it believes about free clusters.
    pub info_sector: Option<u64>,
    pub label: [u8; 11],
}

impl Geometry {
    /// Reads the first sector of a volume that has this much room.
    pub fn parse(sector: &Sector, room_sectors: u64) -> Result<Self, FatError> {
        let no = |what| Err(FatError::NotFat(what));
        if sector[510..] != [0x55, 0xaa] {
            return no("its first sector has no signature");
        }
        if !matches!(sector[0], 0xeb | 0xe9) {
            return no("its first sector does not begin with a jump");
        }
        let sector_bytes = u16_at(sector, 11);
        if !sector_bytes.is_power_of_two() || !(128..=4096).contains(&sector_bytes) {
            return no("its sectors have an impossible size");
        }
        if usize::from(sector_bytes) != SECTOR_BYTES {
            return Err(FatError::SectorSize {
                bytes: sector_bytes,
            });
        }
        let sectors_per_cluster = u32::from(sector[13]);
        if !sectors_per_cluster.is_power_of_two() {
            return no("its clusters have an impossible size");
        }
        let reserved = u64::from(u16_at(sector, 14));
        let tables = sector[16];
        if reserved == 0 || tables == 0 || tables > TABLES_MAX {
            return no("it has no file allocation table, or too many");
        }
        let root_entries = u64::from(u16_at(sector, 17));
        let total = match u16_at(sector, 19) {
            0 => u64::from(u32_at(sector, 32)),
            total => u64::from(total),
        };
        if total > room_sectors {
            return no("it is larger than the partition");
        }
        let table_sectors = match u16_at(sector, 22) {
            0 => u64::from(u32_at(sector, 36)),
            sectors => u64::from(sectors),
        };
        let root_sectors = (root_entries * ENTRY_BYTES).div_ceil(SECTOR_BYTES as u64);
        let root_first = reserved + table_sectors * u64::from(tables);
        let data_first = root_first + root_sectors;
        if table_sectors == 0 || data_first >= total {
            return no("its tables leave no room for data");
        }
        let clusters = (total - data_first) / u64::from(sectors_per_cluster);
        let is_wide = u16_at(sector, 22) == 0;
        if clusters == 0 {
            return no("it has no clusters");
        }
        // Without the short field for the table's size the rest is laid out as FAT32.
        let kind = match is_wide {
            true => Kind::Fat32,
            false if clusters <= FAT12_CLUSTERS_MAX => Kind::Fat12,
            false => Kind::Fat16,
        };
        if clusters > kind.clusters_max() {
            return no("it has more clusters than its tables can tell apart");
        }
        // A table that is too short shortens the volume.
        let bits = table_sectors * SECTOR_BYTES as u64 * 8;
        let told = bits / kind.entry_bits();
        if told <= 2 {
            return no("its tables are empty");
        }
        let mut geometry = Self {
            kind,
            sectors_per_cluster,
            table_first: reserved,
            table_sectors,
            tables,
            root: Root::Sectors {
                first: root_first,
                count: root_sectors,
            },
            data_first,
            clusters: clusters.min(told - 2) as u32,
            info_sector: None,
            label: label(sector, if is_wide { 71 } else { 43 }),
        };
        match is_wide {
            true => geometry.parse_wide(sector, reserved)?,
            false if root_sectors == 0 => return no("it has no root directory"),
            false => {}
        }
        Ok(geometry)
    }

    /// What only FAT32 has.
    fn parse_wide(&mut self, sector: &Sector, reserved: u64) -> Result<(), FatError> {
        let no = |what| Err(FatError::NotFat(what));
        if u16_at(sector, 17) != 0 || u16_at(sector, 42) != 0 {
            return no("it is of a later version than FAT32");
        }
        let root = u32_at(sector, 44);
        if !self.has(root) {
            return no("its root directory is outside of it");
        }
        self.root = Root::Cluster(root);
        let info = u64::from(u16_at(sector, 48));
        self.info_sector = (1..reserved).contains(&info).then_some(info);
        let flags = u16_at(sector, 40);
        if flags & 0x80 != 0 {
            let active = (flags & 0xf) as u8;
            if active >= self.tables {
                return no("its active table is not there");
            }
            self.table_first += self.table_sectors * u64::from(active);
            self.tables = 1;
        }
        Ok(())
    }

    /// Is it the number of a cluster?
    pub fn has(&self, cluster: u32) -> bool {
        cluster >= 2 && cluster - 2 < self.clusters
    }

    /// The first sector of a cluster that it has.
    pub fn sector_of(&self, cluster: u32) -> u64 {
        let index = u64::from(cluster.saturating_sub(2));
        self.data_first + index * u64::from(self.sectors_per_cluster)
    }

    pub const fn cluster_bytes(&self) -> u32 {
        self.sectors_per_cluster * SECTOR_BYTES as u32
    }

    /// The root directory's cluster, as other directories name it: 0.
    pub const fn root_cluster(&self) -> u32 {
        match self.root {
            Root::Cluster(cluster) => cluster,
            Root::Sectors { .. } => 0,
        }
    }

    /// The label without the blanks behind it; empty when it is no plain text.
    pub fn label(&self) -> &str {
        core::str::from_utf8(&self.label)
            .unwrap_or_default()
            .trim_end()
    }
}

impl Kind {
    const fn clusters_max(self) -> u64 {
        match self {
            Self::Fat12 => FAT12_CLUSTERS_MAX,
            Self::Fat16 => FAT16_CLUSTERS_MAX,
            Self::Fat32 => FAT32_CLUSTERS_MAX,
        }
    }

    pub(super) const fn entry_bits(self) -> u64 {
        match self {
            Self::Fat12 => 12,
            Self::Fat16 => 16,
            Self::Fat32 => 32,
        }
    }
}

fn label(sector: &Sector, at: usize) -> [u8; 11] {
    let mut label = [b' '; 11];
    for (place, byte) in label.iter_mut().zip(&sector[at..]) {
        *place = match byte {
            b' '..=b'~' => *byte,
            _ => b'?',
        };
    }
    label
}
