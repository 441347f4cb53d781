//! A new, empty volume: every sector of it that is not data.

use super::entry::{SLOT_BYTES, Stamp};
use super::geometry::Kind;
use super::{Sector, put};
use crate::base::disk::SECTOR_BYTES;

const TABLES: u64 = 2;
const ROOT_ENTRIES: u64 = 512;
const MEDIA: u8 = 0xf8;
const LABEL_ATTRIBUTE: u8 = 0x08;
/// What is usual for less than so many sectors, with the sectors of a cluster.
const USUAL: [(u64, Kind, u64); 9] = [
    (16_000, Kind::Fat12, 4),
    (32_768, Kind::Fat16, 2),
    (131_072, Kind::Fat16, 4),
    (524_288, Kind::Fat16, 8),
    (1 << 20, Kind::Fat16, 16),
    (1 << 24, Kind::Fat32, 8),
    (1 << 25, Kind::Fat32, 16),
    (1 << 26, Kind::Fat32, 32),
    (u64::MAX, Kind::Fat32, 64),
];
const INFO_SECTOR: u64 = 1;
const BACKUP_SECTOR: u64 = 6;
/// Less has hardly room for the tables.
const SECTORS_MIN: u64 = 128;

/// What a volume of some size looks like when it is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    kind: Kind,
    sectors: u64,
    sectors_per_cluster: u64,
    reserved: u64,
    table_sectors: u64,
    root_sectors: u64,
    clusters: u64,
    /// Sectors before the volume on its disk.
    hidden: u32,
    serial: u32,
    label: [u8; 11],
}

impl Format {
    /// The kind and the clusters that are usual for so many sectors; `None` for too few or
    /// too many. `serial` tells this volume from others.
    pub fn new(sectors: u64, hidden: u64, serial: u32, label: &[u8; 11]) -> Option<Self> {
        if !(SECTORS_MIN..=u64::from(u32::MAX)).contains(&sectors) {
            return None;
        }
        let (_, kind, sectors_per_cluster) = *USUAL.iter().find(|(limit, ..)| sectors < *limit)?;
        Some(Self::of(
            kind,
            sectors_per_cluster,
            (sectors, hidden, serial, label),
        ))
    }

    /// A volume of some kind, which must suit its size.
    pub(in crate::storage) fn of(
        kind: Kind,
        sectors_per_cluster: u64,
        (sectors, hidden, serial, label): (u64, u64, u32, &[u8; 11]),
    ) -> Self {
        let is_wide = kind == Kind::Fat32;
        let mut format = Self {
            kind,
            sectors,
            sectors_per_cluster,
            reserved: if is_wide { 32 } else { 1 },
            table_sectors: 1,
            root_sectors: match is_wide {
                true => 0,
                false => ROOT_ENTRIES * SLOT_BYTES as u64 / SECTOR_BYTES as u64,
            },
            clusters: 0,
            hidden: u32::try_from(hidden).unwrap_or(u32::MAX),
            serial,
            label: *label,
        };
        format.fit_tables();
        format
    }

    pub const fn kind(&self) -> Kind {
        self.kind
    }

    pub const fn sectors(&self) -> u64 {
        self.sectors
    }

    pub const fn cluster_bytes(&self) -> u64 {
        self.sectors_per_cluster * SECTOR_BYTES as u64
    }

    /// Larger tables leave fewer clusters, so this comes to an end.
    fn fit_tables(&mut self) {
        loop {
            let data = self.sectors.saturating_sub(self.data_first());
            self.clusters = data / self.sectors_per_cluster;
            let bits = (self.clusters + 2) * self.kind.entry_bits();
            let needed = bits.div_ceil(8 * SECTOR_BYTES as u64);
            if needed <= self.table_sectors {
                return;
            }
            self.table_sectors = needed;
        }
    }

    const fn data_first(&self) -> u64 {
        self.reserved + TABLES * self.table_sectors + self.root_sectors
    }

    /// How many sectors have to be written, from the first on. The first one last: before
    /// it is there, there is no volume.
    pub const fn written(&self) -> u64 {
        match self.kind {
            Kind::Fat32 => self.data_first() + self.sectors_per_cluster,
            Kind::Fat12 | Kind::Fat16 => self.data_first(),
        }
    }

    /// What one of these sectors holds.
    pub fn fill(&self, sector: u64, bytes: &mut Sector) {
        bytes.fill(0);
        let is_wide = self.kind == Kind::Fat32;
        let root = self.reserved + TABLES * self.table_sectors;
        match sector {
            0 => self.fill_boot(bytes),
            BACKUP_SECTOR if is_wide => self.fill_boot(bytes),
            INFO_SECTOR if is_wide => self.fill_info(bytes),
            sector if is_wide && sector == BACKUP_SECTOR + INFO_SECTOR => self.fill_info(bytes),
            sector if sector == root => self.fill_root(bytes),
            sector if self.is_table_start(sector) => self.fill_table(bytes),
            _ => {}
        }
    }

    fn is_table_start(&self, sector: u64) -> bool {
        let first = self.reserved;
        (0..TABLES).any(|table| first + table * self.table_sectors == sector)
    }

    fn fill_boot(&self, bytes: &mut Sector) {
        let is_wide = self.kind == Kind::Fat32;
        // A jump over the fields, to code that waits.
        let code_at = if is_wide { 90 } else { 62 };
        put(bytes, 0, &[0xeb, code_at as u8 - 2, 0x90]);
        put(bytes, 3, b"RAYOS   ");
        put(bytes, 11, &(SECTOR_BYTES as u16).to_le_bytes());
        bytes[13] = self.sectors_per_cluster as u8;
        put(bytes, 14, &(self.reserved as u16).to_le_bytes());
        bytes[16] = TABLES as u8;
        bytes[21] = MEDIA;
        // A geometry that nobody has any more and some want to see.
        put(bytes, 24, &[63, 0, 255, 0]);
        put(bytes, 28, &self.hidden.to_le_bytes());
        match u16::try_from(self.sectors) {
            Ok(sectors) if !is_wide => put(bytes, 19, &sectors.to_le_bytes()),
            _ => put(bytes, 32, &(self.sectors as u32).to_le_bytes()),
        }
        let extended = if is_wide {
            put(bytes, 36, &(self.table_sectors as u32).to_le_bytes());
            put(bytes, 44, &2_u32.to_le_bytes());
            put(bytes, 48, &(INFO_SECTOR as u16).to_le_bytes());
            put(bytes, 50, &(BACKUP_SECTOR as u16).to_le_bytes());
            64
        } else {
            put(bytes, 17, &(ROOT_ENTRIES as u16).to_le_bytes());
            put(bytes, 22, &(self.table_sectors as u16).to_le_bytes());
            36
        };
        put(bytes, extended, &[0x80, 0, 0x29]);
        put(bytes, extended + 3, &self.serial.to_le_bytes());
        put(bytes, extended + 7, &self.label);
        put(bytes, extended + 18, self.kind.name().as_bytes());
        put(bytes, extended + 23, b"   ");
        put(bytes, code_at, &[0xf4, 0xeb, 0xfd]);
        put(bytes, 510, &[0x55, 0xaa]);
    }

    fn fill_info(&self, bytes: &mut Sector) {
        put(bytes, 0, b"RRaA");
        put(bytes, 484, b"rrAa");
        // The root directory has one.
        put(bytes, 488, &(self.clusters as u32 - 1).to_le_bytes());
        put(bytes, 492, &2_u32.to_le_bytes());
        put(bytes, 510, &[0x55, 0xaa]);
    }

    fn fill_table(&self, bytes: &mut Sector) {
        match self.kind {
            Kind::Fat12 => put(bytes, 0, &[MEDIA, 0xff, 0xff]),
            Kind::Fat16 => put(bytes, 0, &[MEDIA, 0xff, 0xff, 0xff]),
            Kind::Fat32 => {
                put(bytes, 0, &[MEDIA, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f]);
                put(bytes, 8, &[0xff, 0xff, 0xff, 0x0f]);
            }
        }
    }

    fn fill_root(&self, bytes: &mut Sector) {
        put(bytes, 0, &self.label);
        bytes[11] = LABEL_ATTRIBUTE;
        put(bytes, 22, &Stamp::FIRST.time.to_le_bytes());
        put(bytes, 24, &Stamp::FIRST.date.to_le_bytes());
    }
}
