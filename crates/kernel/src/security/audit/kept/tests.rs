//! What somebody can do to a kept trail on its disk, and that it is found.

use super::record::EntryBytes;
use super::{KeptCheck, KeptFinding, Past, Point, Record, beginning, entry};
use crate::base::digest::sha256;
use crate::base::time::Instant;
use crate::security::audit::{AuditTrail, Event};
use std::vec::Vec;

type Records = Vec<Vec<u8>>;

/// What a boot with so many entries leaves behind those before.
fn boot(records: &mut Records, entries: u64) -> AuditTrail {
    let mut past = Past::default();
    records.iter().for_each(|record| past.learn(record));
    let number = past.last.map_or(0, |last| last.boot) + 1;
    let mut trail = AuditTrail::new(&number.to_le_bytes());
    for index in 0..entries {
        let event = Event::boot("test", format_args!("{index} of {number}"));
        trail.append(Instant::from_nanos(index), event);
    }
    trail.append(Instant::ZERO, Event::joined(past.last.as_ref()));
    let from = Point {
        boot: number,
        link: trail.chain().base(),
    };
    records.push(beginning(&from, past.last.as_ref()).to_vec());
    records.extend(trail.chain().iter().map(|sealed| entry(sealed).to_vec()));
    trail
}

/// Three boots, and the trail of the last as it is in memory.
fn three() -> (Records, AuditTrail) {
    let mut records = Vec::new();
    boot(&mut records, 3);
    boot(&mut records, 2);
    let trail = boot(&mut records, 4);
    (records, trail)
}

fn check(records: &Records, trail: &AuditTrail) -> Result<(u64, u64), KeptFinding> {
    let mut check = KeptCheck::default();
    for (index, record) in records.iter().enumerate() {
        check.step(index as u64 + 1, record)?;
    }
    check.end(3, trail.chain())?;
    Ok((check.entries, check.boots))
}

/// Makes all hashes from that record on right again, up to the next beginning.
fn rehash(records: &mut Records, from: usize) {
    let Some(Record::Entry { hash, .. }) = Record::parse(&records[from - 1]) else {
        panic!("an entry stands before");
    };
    let mut at = hash;
    for record in &mut records[from..] {
        let Some(Record::Entry { bytes, .. }) = Record::parse(record) else {
            return;
        };
        at = sha256(&[&at, bytes.all]);
        record[1..33].copy_from_slice(&at);
    }
}

fn texts(record: &[u8]) -> EntryBytes<'_> {
    match Record::parse(record) {
        Some(Record::Entry { bytes, .. }) => bytes,
        _ => panic!("it is no entry"),
    }
}

#[test]
fn three_boots_hold_as_they_were_kept_and_from_any_record_on() {
    let (mut records, trail) = three();
    assert_eq!(check(&records, &trail), Ok((12, 3)));
    let mut past = Past::default();
    records.iter().for_each(|record| past.learn(record));
    assert_eq!((past.entries, past.boots), (12, 3));
    assert_eq!(past.last.map(|last| last.link), Some(trail.head()));
    // The oldest make room for the newest.
    while !records.is_empty() {
        check(&records, &trail).expect("what is left holds");
        records.remove(0);
    }
}

#[test]
fn a_boot_whose_beginning_made_room_is_followed_by_the_next_all_the_same() {
    let (mut records, _) = three();
    // Of the third boot its entries are left, and its number is not.
    records.drain(..records.len() - 2);
    let trail = boot(&mut records, 2);
    let mut past = Past::default();
    records.iter().for_each(|record| past.learn(record));
    assert_eq!(past.boots, 2);
    assert_eq!(check(&records, &trail), Ok((5, 2)));
    let last = records[1].len() - 1;
    records[1][last] ^= 1;
    rehash(&mut records, 1);
    assert_eq!(
        check(&records, &trail),
        Err(KeptFinding::DoesNotFollow { boot: 1 })
    );
}

#[test]
fn a_number_that_is_said_again_begins_no_boot() {
    let (records, trail) = three();
    let mut past = Past::default();
    records.iter().for_each(|record| past.learn(record));
    let here = past.last.expect("three boots");
    let again = beginning(&here, Some(&here)).to_vec();
    // Behind the whole trail, and as the first record that says which boot it is.
    for dropped in [0, records.len() - 2] {
        let mut records = records[dropped..].to_vec();
        records.push(again.clone());
        let mut past = Past::default();
        records.iter().for_each(|record| past.learn(record));
        let (entries, boots) = check(&records, &trail).expect("nothing was changed");
        assert_eq!((past.entries, past.boots), (entries, boots));
        assert_eq!(boots, if dropped == 0 { 3 } else { 1 });
        assert_eq!(past.last, Some(here));
    }
}

#[test]
fn an_entry_that_was_changed_is_named() {
    let (mut records, trail) = three();
    let last = records[2].len() - 1;
    records[2][last] ^= 1;
    assert_eq!(
        check(&records, &trail),
        Err(KeptFinding::Changed { boot: 1, number: 1 })
    );
}

#[test]
fn an_entry_that_is_missing_is_named() {
    for index in [2, 3, 7] {
        let (mut records, trail) = three();
        let number = texts(&records[index]).number;
        records.remove(index);
        let finding = check(&records, &trail).expect_err("one is missing");
        let boot = if index < 5 { 1 } else { 2 };
        assert_eq!(finding, KeptFinding::Missing { boot, number });
    }
}

#[test]
fn a_boot_whose_hashes_were_made_right_again_does_not_lead_to_the_next() {
    let (mut records, trail) = three();
    let last = records[2].len() - 1;
    records[2][last] ^= 1;
    rehash(&mut records, 2);
    assert_eq!(
        check(&records, &trail),
        Err(KeptFinding::DoesNotFollow { boot: 2 })
    );
    // With the beginning of the next boot made to fit, its own entry still names the truth.
    let mut past = Past::default();
    records[..5].iter().for_each(|record| past.learn(record));
    let Some(Record::Beginning { from, .. }) = Record::parse(&records[5]) else {
        panic!("a boot begins there");
    };
    records[5] = beginning(&from, past.last.as_ref()).to_vec();
    assert_eq!(
        check(&records, &trail),
        Err(KeptFinding::JoinsAnother { boot: 2 })
    );
}

#[test]
fn the_newest_entries_of_an_earlier_boot_cannot_be_cut_off() {
    let (mut records, trail) = three();
    records.remove(4);
    assert_eq!(
        check(&records, &trail),
        Err(KeptFinding::DoesNotFollow { boot: 2 })
    );
}

#[test]
fn a_changed_entry_of_this_boot_is_another_one_than_in_memory() {
    let (mut records, trail) = three();
    let index = records.len() - 2;
    let last = records[index].len() - 1;
    records[index][last] ^= 1;
    rehash(&mut records, index);
    let finding = check(&records, &trail).expect_err("it is another");
    assert!(
        matches!(finding, KeptFinding::NotInMemory { boot: 3, .. }),
        "{finding}"
    );
}

#[test]
fn what_is_no_record_is_named_and_never_read_beyond_its_end() {
    let (records, trail) = three();
    for record in &records {
        for cut in 0..record.len() {
            let cut = std::vec![record[..cut].to_vec()];
            assert_eq!(
                check(&cut, &trail),
                Err(KeptFinding::Unreadable { record: 1 })
            );
        }
    }
}
