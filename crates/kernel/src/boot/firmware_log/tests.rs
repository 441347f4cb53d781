//! Logs made by hand, whole, damaged and hostile.

use super::*;
use crate::base::prng::Prng;
use crate::security::measured::format::EV_NO_ACTION;
use std::vec::Vec as Bytes;

const SHA1: (u16, u16) = (4, 20);
const SHA256: (u16, u16) = (0xb, 32);

fn first(algorithms: &[(u16, u16)]) -> Bytes<u8> {
    let mut data = [&b"Spec ID Event03\0"[..], &[0, 0, 0, 0, 0, 2, 0, 2]].concat();
    data.extend((algorithms.len() as u32).to_le_bytes());
    for (algorithm, size) in algorithms {
        data.extend([*algorithm, *size].map(u16::to_le_bytes).concat());
    }
    data.push(0);
    let mut bytes = [0, EV_NO_ACTION].map(u32::to_le_bytes).concat();
    bytes.extend([0; 20]);
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn event(pcr: u32, algorithms: &[(u16, u16)], data: &[u8]) -> Bytes<u8> {
    let words = [pcr, 0xd, algorithms.len() as u32];
    let mut bytes = words.map(u32::to_le_bytes).concat();
    for (algorithm, size) in algorithms {
        bytes.extend(algorithm.to_le_bytes());
        bytes.extend(std::iter::repeat_n(7, usize::from(*size)));
    }
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn log() -> Bytes<u8> {
    let both = [SHA1, SHA256];
    let events = [
        event(0, &both, b"one"),
        event(8, &both, b""),
        event(4, &both, b"three"),
    ];
    [first(&both), events.concat()].concat()
}

fn padded(mut log: Bytes<u8>) -> Bytes<u8> {
    log.resize(log.len() + 100, 0);
    log
}

#[test]
fn a_log_ends_where_its_area_is_filled_or_ends() {
    let expected = FirmwareLog {
        bytes: log().into(),
        doubt: None,
    };
    assert_eq!(of_area(&padded(log())), expected);
    assert_eq!(of_area(&log()), expected);
    for (filling, bytes) in [(0, 5), (0xff, 5), (0xff, 100)] {
        let filled = [log(), std::vec![filling; bytes]].concat();
        assert_eq!(of_area(&filled), expected, "{bytes} times {filling:#x}");
    }
    let scribbled = [log(), std::vec![7; 5]].concat();
    assert_eq!(of_area(&scribbled).doubt, Some(DAMAGED));
    let bare = of_area(&padded(first(&[SHA256])));
    assert_eq!((&bare.bytes[..], bare.doubt), (&first(&[SHA256])[..], None));
}

#[test]
fn what_is_no_crypto_agile_log_is_none() {
    let no_event = [0; 200];
    let many: Bytes<_> = (0..9).map(|index| (index, 20)).collect();
    let older = event(0, &[SHA1], b"an older log");
    for bytes in [&[][..], &no_event, &older, &first(&[]), &first(&many)] {
        assert_eq!(of_area(bytes), FirmwareLog::default());
    }
}

#[test]
fn an_event_that_is_cut_or_of_other_digests_ends_the_log_and_is_said() {
    let (whole, both) = (log().len(), [SHA1, SHA256]);
    let cut = [log(), event(9, &both, b"cut")[..40].to_vec()].concat();
    let strange = padded([log(), event(9, &[SHA1, (0xc, 48)], b"strange")].concat());
    // A bank without a digest could not be replayed.
    let few = padded([log(), event(9, &[SHA256], b"few")].concat());
    let mut huge = [log(), event(9, &both, b"huge")].concat();
    let at = huge.len() - 8;
    huge[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    for bytes in [cut, strange, few, huge] {
        let found = of_area(&bytes);
        assert_eq!((found.bytes.len(), found.doubt), (whole, Some(DAMAGED)));
    }
}

#[test]
fn a_log_that_is_too_long_is_cut_between_events() {
    let one = event(8, &[SHA256], &[b'x'; 1000]);
    let long = [first(&[SHA256]), one.repeat(200)].concat();
    let found = of_area(&long);
    assert_eq!(found.doubt, Some(TOO_LONG));
    assert!(found.bytes.len() <= EVENT_LOG_BYTES_MAX);
    assert_eq!((found.bytes.len() - first(&[SHA256]).len()) % one.len(), 0);
}

const TABLE_AT: u64 = 0x1000;

fn final_table(count: u64, events: &[Bytes<u8>]) -> &'static [u8] {
    let mut table = [1u64, count].map(u64::to_le_bytes).concat();
    table.extend(events.concat());
    table.resize(FINAL_EVENTS_BYTES, 0);
    table.leak()
}

fn joined(table: &'static [u8], known: u64) -> FirmwareLog {
    let place = FinalEvents {
        address: TABLE_AT,
        known,
    };
    let read = |start: u64, length: usize| {
        let rest = table.get(start.checked_sub(TABLE_AT)? as usize..)?;
        Some(&rest[..length.min(rest.len())])
    };
    with_final_events(&log(), Some(place), &read)
}

#[test]
fn events_that_came_after_the_log_follow_it_once() {
    let events = [
        event(5, &[SHA1, SHA256], b"known"),
        event(5, &[SHA1, SHA256], b"new"),
    ];
    let table = final_table(2, &events);
    let all = joined(table, 0);
    assert_eq!(&all.bytes[..], [log(), events.concat()].concat());
    let new = joined(table, 1);
    assert_eq!(&new.bytes[..], [log(), events[1].clone()].concat());
    for known in [2, 3, u64::MAX] {
        assert_eq!(&joined(table, known).bytes[..], log());
        assert_eq!(joined(table, known).doubt, None);
    }
}

#[test]
fn a_table_that_the_firmware_keeps_little_memory_for_is_read_to_its_end() {
    let new = event(5, &[SHA1, SHA256], b"new");
    let table =
        &final_table(1, std::slice::from_ref(&new))[..FINAL_EVENTS_HEADER_BYTES + new.len()];
    let all = joined(table, 0);
    assert_eq!(&all.bytes[..], [log(), new].concat());
    assert_eq!(all.doubt, None);
    let cut = joined(&table[..table.len() - 1], 0);
    assert_eq!((&cut.bytes[..], cut.doubt), (&log()[..], Some(DAMAGED)));
}

#[test]
fn a_table_of_final_events_that_cannot_be_read_is_said() {
    let event = event(5, &[SHA1, (0xc, 48)], b"strange");
    assert_eq!(joined(&[], 0).doubt, Some(NO_FINAL_EVENTS));
    assert_eq!(
        joined(final_table(1, std::slice::from_ref(&event)), 0).doubt,
        Some(DAMAGED)
    );
    assert_eq!(
        joined(final_table(2, &[event]), 1).doubt,
        Some(NO_FINAL_EVENTS)
    );
    assert_eq!(&joined(&[], 0).bytes[..], log());
}

#[test]
fn whatever_the_firmware_left_gives_whole_events_in_bounds() {
    let mut prng = Prng::new(11);
    let events = [
        event(5, &[SHA1, SHA256], b"known"),
        event(5, &[SHA1, SHA256], b"new"),
    ];
    let table = [[1u64, 2].map(u64::to_le_bytes).concat(), events.concat()].concat();
    for _ in 0..10_000 {
        let (mut log, mut table) = (padded(log()), table.clone());
        for bytes in [&mut log, &mut table] {
            for _ in 0..prng.next_u64() % 6 {
                let at = prng.next_u64() as usize % bytes.len();
                bytes[at] = prng.next_u64() as u8;
            }
        }
        log.truncate(log.len() - prng.next_u64() as usize % 150);
        let alone = of_area(&log);
        assert!(log.starts_with(&alone.bytes));
        table.resize(FINAL_EVENTS_BYTES, 0);
        let read = |_: u64, length: usize| table.get(..length);
        let place = FinalEvents {
            address: TABLE_AT,
            known: prng.next_u64() % 4,
        };
        let both = with_final_events(&log, Some(place), &read);
        assert!(both.bytes.starts_with(&alone.bytes) && both.bytes.len() <= EVENT_LOG_BYTES_MAX);
    }
}
