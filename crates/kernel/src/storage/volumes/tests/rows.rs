//! Rows of the table, there and back.

use super::super::pointer::Pointer;
use super::super::row::{
    Kind, Limits, Name, PoolRow, Record, Row, RowError, SnapshotRow, Tree, VolumeRow,
};
use crate::base::tenant::Tenant;
use crate::limits::VOLUMES_MAX;
use std::vec;

fn tree() -> Tree {
    Tree {
        root: Pointer {
            block: 5,
            crc: 6,
            birth: 7,
        },
        data_blocks: 8,
        map_pages: 9,
    }
}

fn rows() -> vec::Vec<Row> {
    let pool = PoolRow {
        id: 1,
        blocks: 100,
        members: 2,
        stale: 2,
        last_id: 11,
        disks: [5, 6, 0],
    };
    let volume = VolumeRow {
        id: 10,
        name: Name::cut_from("db"),
        kind: Kind::Object,
        tenant: Tenant::new(3),
        is_damaged: true,
        blocks: 1 << 20,
        tree: tree(),
        newest: 11,
        limits: Limits {
            requests_per_s: Some(100),
            bytes_per_s: None,
        },
    };
    let snapshot = SnapshotRow {
        id: 11,
        name: Name::cut_from("db-monday"),
        kind: Kind::Object,
        volume: 10,
        parent: 0,
        blocks: 1 << 20,
        tree: tree(),
    };
    vec![
        Row::Pool(pool),
        Row::Volume(31, volume),
        Row::Tree(31, 10, Tree::default()),
        Row::Snapshot(127, snapshot),
        Row::SnapshotGone(127),
        Row::VolumeGone(31),
        Row::Anew,
        Row::More,
        Row::Whole,
    ]
}

fn parse(bytes: &[u8]) -> Result<(u64, vec::Vec<Row>), RowError> {
    let mut rows = vec::Vec::new();
    let generation = Record::parse(bytes, &mut |_, row| {
        rows.push(row);
        Ok(())
    })?;
    Ok((generation, rows))
}

#[test]
fn rows_come_back_as_they_went() {
    let mut record = Record::new(77);
    for row in rows() {
        assert_eq!(record.push(&row), Ok(()));
    }
    assert_eq!(parse(record.bytes()), Ok((77, rows())));
}

#[test]
fn what_is_cut_or_has_a_tail_is_refused() {
    let mut record = Record::new(77);
    for row in rows() {
        assert_eq!(record.push(&row), Ok(()));
    }
    for end in 0..record.bytes().len() {
        assert!(parse(&record.bytes()[..end]).is_err(), "{end}");
    }
    let mut longer = record.bytes().to_vec();
    longer.push(0);
    assert_eq!(parse(&longer), Err(RowError::Length));
}

#[test]
fn a_full_record_takes_no_part_of_a_row() {
    let mut record = Record::new(1);
    let row = &rows()[1];
    while record.push(row).is_ok() {}
    let (_, rows) = parse(record.bytes()).expect("it is whole");
    assert_eq!(rows.len(), usize::from(record.count()));
    assert!(rows.iter().all(|other| other == row));
}

#[test]
fn the_roots_of_all_volumes_fit_into_one_record() {
    let mut record = Record::new(1);
    for slot in 0..VOLUMES_MAX {
        assert_eq!(record.push(&Row::Tree(slot, 1, tree())), Ok(()));
    }
    for row in &rows() {
        assert_eq!(record.push(row), Ok(()));
    }
}
