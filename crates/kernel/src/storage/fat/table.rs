//! The file allocation table: what stands behind each cluster.

use super::geometry::{Geometry, Kind};
use super::{FatError, Sectors, Stage, Stop, put, u16_at, u32_at};
use crate::base::disk::SECTOR_BYTES;

/// FAT32 leaves the upper four bits of an entry to others.
const WIDE_MASK: u32 = 0x0fff_ffff;

/// What an entry says of its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    Free,
    Next(u32),
    /// The chain ends here.
    End,
    /// Defective, reserved, or not in the volume.
    Unusable,
}

/// Where an entry begins: sector of the first table, and byte.
fn place(geometry: &Geometry, cluster: u32) -> (u64, usize) {
    let bits = u64::from(cluster) * geometry.kind.entry_bits();
    let byte = bits / 8;
    let sector = geometry.table_first + byte / SECTOR_BYTES as u64;
    (sector, (byte % SECTOR_BYTES as u64) as usize)
}

/// The sector of the first table in which an entry begins.
pub fn sector_of_link(geometry: &Geometry, cluster: u32) -> u64 {
    place(geometry, cluster).0
}

/// Does an entry stand in two sectors? A power cut may change one of them only.
pub fn is_split(geometry: &Geometry, cluster: u32) -> bool {
    geometry.kind == Kind::Fat12 && place(geometry, cluster).1 == SECTOR_BYTES - 1
}

/// May the kernel put something there? What is split is left alone.
pub fn is_usable(geometry: &Geometry, cluster: u32) -> bool {
    geometry.has(cluster) && !is_split(geometry, cluster)
}

fn raw(sectors: &mut dyn Sectors, geometry: &Geometry, cluster: u32) -> Result<u32, Stop> {
    let (sector, at) = place(geometry, cluster);
    let bytes = sectors.read(sector)?;
    Ok(match geometry.kind {
        Kind::Fat32 => u32_at(bytes, at) & WIDE_MASK,
        Kind::Fat16 => u32::from(u16_at(bytes, at)),
        Kind::Fat12 => {
            let low = bytes[at];
            let high = match bytes.get(at + 1) {
                Some(byte) => *byte,
                None => sectors.read(sector + 1)?[0],
            };
            let both = u32::from(u16::from_le_bytes([low, high]));
            match cluster % 2 {
                0 => both & 0xfff,
                _ => both >> 4,
            }
        }
    })
}

/// What stands behind a cluster that the volume has.
pub fn link(sectors: &mut dyn Sectors, geometry: &Geometry, cluster: u32) -> Result<Link, Stop> {
    if !geometry.has(cluster) {
        return Err(FatError::BrokenChain { cluster }.into());
    }
    let raw = raw(sectors, geometry, cluster)?;
    let end = match geometry.kind {
        Kind::Fat12 => 0xff8,
        Kind::Fat16 => 0xfff8,
        Kind::Fat32 => 0x0fff_fff8,
    };
    Ok(match raw {
        0 => Link::Free,
        raw if raw >= end => Link::End,
        raw if geometry.has(raw) => Link::Next(raw),
        _ => Link::Unusable,
    })
}

/// Writes an entry into every copy of the table.
pub fn set_link(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    cluster: u32,
    link: Link,
    stage: Stage,
) -> Result<(), Stop> {
    if !geometry.has(cluster) {
        return Err(FatError::BrokenChain { cluster }.into());
    }
    let value = match link {
        Link::Free => 0,
        Link::Next(next) => next,
        Link::End | Link::Unusable => WIDE_MASK,
    };
    let (sector, at) = place(geometry, cluster);
    match geometry.kind {
        Kind::Fat32 => {
            let bytes = sectors.change(sector, stage)?;
            let kept = u32_at(bytes, at) & !WIDE_MASK;
            put(bytes, at, &(kept | value).to_le_bytes());
        }
        Kind::Fat16 => put(
            sectors.change(sector, stage)?,
            at,
            &(value as u16).to_le_bytes(),
        ),
        Kind::Fat12 => {
            let (shift, mask) = match cluster % 2 {
                0 => (0, 0x0fff_u16),
                _ => (4, 0xfff0),
            };
            let [low, high] = (((value & 0xfff) as u16) << shift).to_le_bytes();
            let [low_mask, high_mask] = mask.to_le_bytes();
            let first = &mut sectors.change(sector, stage)?[at];
            *first = (*first & !low_mask) | low;
            let second = match at + 1 < SECTOR_BYTES {
                true => &mut sectors.change(sector, stage)?[at + 1],
                false => &mut sectors.change(sector + 1, stage)?[0],
            };
            *second = (*second & !high_mask) | high;
        }
    }
    copy(sectors, geometry, sector, stage)?;
    if is_split(geometry, cluster) {
        copy(sectors, geometry, sector + 1, stage)?;
    }
    Ok(())
}

/// Makes the other tables say what this sector of the first one does.
fn copy(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    sector: u64,
    stage: Stage,
) -> Result<(), Stop> {
    let bytes = *sectors.read(sector)?;
    for index in 1..u64::from(geometry.tables) {
        *sectors.replace(sector + index * geometry.table_sectors, stage)? = bytes;
    }
    Ok(())
}

/// Counts the free clusters, a part of the table at a time.
#[derive(Clone, Copy, Debug)]
pub struct FreeCount {
    next: u32,
    free: u32,
}

impl Default for FreeCount {
    fn default() -> Self {
        Self { next: 2, free: 0 }
    }
}

impl FreeCount {
    /// Clusters that one call looks at.
    const A_CALL: u32 = 2048;

    /// The count, once all have been looked at.
    pub fn step(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<Option<u32>, Stop> {
        for _ in 0..Self::A_CALL {
            if !geometry.has(self.next) {
                return Ok(Some(self.free));
            }
            let is_free = link(sectors, geometry, self.next)? == Link::Free;
            self.free += u32::from(is_free && is_usable(geometry, self.next));
            self.next += 1;
        }
        Ok(None)
    }
}
