//! A partition table as it stands on a disk.

use super::header::{CRC_AT, HEADER_BYTES, REVISION, SIGNATURE};
use super::{BACK_SECTORS, ENTRIES, ENTRY_BYTES, ENTRY_SECTORS, FRONT_SECTORS, Partition, Table};
use crate::base::crc32::crc32;
use crate::base::disk::SECTOR_BYTES;

/// Of the protective record: a partition of this type covers the disk.
const PROTECTIVE: u8 = 0xee;
const PARTITION_AT: usize = 446;

/// Where the front or the back copy is, and how long.
pub const fn copy_sectors(sectors: u64, is_front: bool) -> (u64, u64) {
    match is_front {
        true => (0, FRONT_SECTORS),
        false => (sectors - BACK_SECTORS, BACK_SECTORS),
    }
}

/// Fills `bytes` with one copy for a disk of so many sectors.
pub fn emit(table: &Table, sectors: u64, is_front: bool, bytes: &mut [u8]) {
    let (_, length) = copy_sectors(sectors, is_front);
    let bytes = &mut bytes[..length as usize * SECTOR_BYTES];
    bytes.fill(0);
    let entries_length = ENTRY_SECTORS as usize * SECTOR_BYTES;
    let (entries_start, header_start) = match is_front {
        true => (2 * SECTOR_BYTES, SECTOR_BYTES),
        false => (0, entries_length),
    };
    if is_front {
        emit_protective(sectors, &mut bytes[..SECTOR_BYTES]);
    }
    let entries = &mut bytes[entries_start..entries_start + entries_length];
    for (partition, entry) in table
        .partitions
        .iter()
        .zip(entries.chunks_exact_mut(ENTRY_BYTES))
    {
        emit_entry(partition, entry);
    }
    let entries_crc = crc32(entries);
    let header = &mut bytes[header_start..header_start + SECTOR_BYTES];
    emit_header(table, sectors, is_front, entries_crc, header);
}

fn emit_header(table: &Table, sectors: u64, is_front: bool, entries_crc: u32, header: &mut [u8]) {
    let (front, back) = (1, sectors - 1);
    let (own, other, entries_at) = match is_front {
        true => (front, back, 2),
        false => (back, front, sectors - BACK_SECTORS),
    };
    header[..8].copy_from_slice(SIGNATURE);
    write_u32(header, 8, REVISION);
    write_u32(header, 12, HEADER_BYTES as u32);
    write_u64(header, 24, own);
    write_u64(header, 32, other);
    write_u64(header, 40, FRONT_SECTORS);
    write_u64(header, 48, sectors - BACK_SECTORS - 1);
    header[56..72].copy_from_slice(table.disk.bytes());
    write_u64(header, 72, entries_at);
    write_u32(header, 80, ENTRIES as u32);
    write_u32(header, 84, ENTRY_BYTES as u32);
    write_u32(header, 88, entries_crc);
    let crc = crc32(&header[..HEADER_BYTES]);
    write_u32(header, CRC_AT, crc);
}

fn emit_entry(partition: &Partition, entry: &mut [u8]) {
    entry[..16].copy_from_slice(partition.kind.bytes());
    entry[16..32].copy_from_slice(partition.id.bytes());
    write_u64(entry, 32, partition.first);
    write_u64(entry, 40, partition.first + partition.sectors - 1);
    let name = partition.name.as_str().encode_utf16();
    for (unit, place) in name.zip(entry[56..128].chunks_exact_mut(2)) {
        place.copy_from_slice(&unit.to_le_bytes());
    }
}

/// Does a disk begin with the record that says that a table is behind it?
pub fn is_protective(disk: &[u8]) -> bool {
    disk.get(SECTOR_BYTES - 2..SECTOR_BYTES) == Some(&[0x55, 0xaa])
        && disk[PARTITION_AT + 4] == PROTECTIVE
}

/// For tools that know only older tables: the disk is taken (5.2.3).
fn emit_protective(sectors: u64, record: &mut [u8]) {
    let covered = u32::try_from(sectors - 1).unwrap_or(u32::MAX);
    let entry = &mut record[PARTITION_AT..PARTITION_AT + 16];
    entry[..8].copy_from_slice(&[0, 0, 2, 0, PROTECTIVE, 0xff, 0xff, 0xff]);
    write_u32(entry, 8, 1);
    write_u32(entry, 12, covered);
    record[SECTOR_BYTES - 2..].copy_from_slice(&[0x55, 0xaa]);
}

fn write_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn write_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}
