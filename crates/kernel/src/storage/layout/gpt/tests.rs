//! Tables both ways, and hostile ones.

use super::*;
use crate::base::prng::Prng;
use std::vec;

const SECTORS: u64 = 65_536;

fn table() -> Table {
    let mut partitions = Vec::new();
    for (number, name) in ["exchange", "a longer name, \u{e9}"]
        .into_iter()
        .enumerate()
    {
        let partition = Partition {
            kind: Guid::new(0xebd0_a0a2, 0xb9e5, 0x4433, 0x87c0, 0x68b6_b726_99c7),
            id: Guid::random([number as u8 + 1; 16]),
            first: 2048 * (number as u64 + 1),
            sectors: 2048,
            name: Text::cut_from(name),
        };
        partitions.push(partition);
    }
    Table {
        disk: Guid::random([9; 16]),
        partitions,
    }
}

/// The copy as it stands on the disk, read again.
fn reread(bytes: &[u8], is_front: bool) -> Result<Table, GptError> {
    let (first, _) = copy_sectors(SECTORS, is_front);
    let at = if is_front { 1 } else { SECTORS - 1 };
    let sector = |sector: u64| (sector - first) as usize * SECTOR_BYTES;
    let header: &[u8; SECTOR_BYTES] = bytes[sector(at)..].first_chunk().unwrap();
    let header = Header::parse(header, at, SECTORS)?;
    let (start, sectors) = (header.entries_at, header.entry_sectors());
    let entries = start
        .checked_sub(first)
        .and_then(|start| bytes.get(start as usize * SECTOR_BYTES..))
        .and_then(|rest| rest.get(..sectors as usize * SECTOR_BYTES));
    Table::parse(&header, entries.unwrap_or_default())
}

#[test]
fn both_copies_say_what_was_laid_out() {
    for is_front in [true, false] {
        let mut bytes = vec![0xa5; FRONT_SECTORS as usize * SECTOR_BYTES];
        emit(&table(), SECTORS, is_front, &mut bytes);
        assert_eq!(reread(&bytes, is_front), Ok(table()));
    }
}

#[test]
fn a_guid_is_written_as_everybody_writes_it() {
    let basic = table().partitions[0].kind;
    assert_eq!(
        std::format!("{basic}"),
        "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
    );
}

#[test]
fn every_changed_byte_of_a_table_is_found() {
    let mut bytes = vec![0; FRONT_SECTORS as usize * SECTOR_BYTES];
    emit(&table(), SECTORS, true, &mut bytes);
    let header = SECTOR_BYTES..SECTOR_BYTES + 92;
    let entries = 2 * SECTOR_BYTES..bytes.len();
    for at in header.chain(entries) {
        bytes[at] ^= 0x10;
        assert!(reread(&bytes, true).is_err(), "byte {at}");
        bytes[at] ^= 0x10;
    }
}

/// Sets the checksums right, so that what a liar wrote is looked at.
fn seal(bytes: &mut [u8]) {
    let entries = read_u32(bytes, SECTOR_BYTES + 80) as usize;
    let length = entries.saturating_mul(read_u32(bytes, SECTOR_BYTES + 84) as usize);
    let covered = bytes[2 * SECTOR_BYTES..].get(..length).map(crc32);
    let header = &mut bytes[SECTOR_BYTES..2 * SECTOR_BYTES];
    if let Some(crc) = covered {
        header[88..92].copy_from_slice(&crc.to_le_bytes());
    }
    header[16..20].fill(0);
    let length = (read_u32(header, 12) as usize).min(SECTOR_BYTES);
    let crc = crc32(&header[..length]);
    header[16..20].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn hostile_tables_are_errors_or_tables_that_lie_on_the_disk() {
    let mut whole = vec![0; FRONT_SECTORS as usize * SECTOR_BYTES];
    emit(&table(), SECTORS, true, &mut whole);
    let mut taken = 0;
    for seed in 0..20_000 {
        let mut prng = Prng::new(seed);
        let mut bytes: Vec<u8> = whole.clone();
        for _ in 0..1 + prng.below(4) {
            let at = match prng.one_in(2) {
                true => SECTOR_BYTES + prng.below(92) as usize,
                false => 2 * SECTOR_BYTES + prng.below(512) as usize,
            };
            bytes[at] = [0, 1, 0x7f, 0xff, prng.below(256) as u8][prng.below(5) as usize];
        }
        if prng.one_in(2) {
            seal(&mut bytes);
        }
        let Ok(table) = reread(&bytes, true) else {
            continue;
        };
        taken += 1;
        for (index, one) in table.partitions.iter().enumerate() {
            assert!(one.sectors > 0 && one.first + one.sectors <= SECTORS);
            for other in &table.partitions[index + 1..] {
                let is_behind = one.first >= other.first + other.sectors;
                assert!(is_behind || one.first + one.sectors <= other.first);
            }
        }
    }
    assert!(taken > 100, "only {taken} were looked at to the end");
}
