//! Are logs read as the specification says, and broken or hostile ones refused?

use super::*;

/// A header for these algorithms.
fn header_of(algorithms: &[(u16, u16)]) -> Vec<u8> {
    let mut data = SPECIFICATION.to_vec();
    data.extend([0, 0, 0, 0, 0, 2, 0, 2]);
    data.extend(u32::try_from(algorithms.len()).unwrap().to_le_bytes());
    for (number, digest_bytes) in algorithms {
        data.extend(number.to_le_bytes());
        data.extend(digest_bytes.to_le_bytes());
    }
    data.push(0);
    let mut log = [0_u32, EV_NO_ACTION].map(u32::to_le_bytes).concat();
    log.extend([0; 20]);
    log.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    log.extend(data);
    log
}

fn add(log: &mut Vec<u8>, pcr: u32, kind: u32, data: &[u8]) {
    log.extend([pcr, kind, 2].map(u32::to_le_bytes).concat());
    for bank in [Bank::Sha1, Bank::Sha256] {
        log.extend(bank.number().to_le_bytes());
        log.extend(bank.hash(&[data]));
    }
    log.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    log.extend(data);
}

fn sample() -> Vec<u8> {
    let mut log = header_of(&[(4, 20), (11, 32)]);
    add(&mut log, 0, EV_SEPARATOR, &[0; 4]);
    add(&mut log, 8, EV_IPL, b"rayos kernel-code sha256=00 bytes=1");
    log
}

#[test]
fn a_register_is_the_hash_of_what_it_was_and_the_digest() {
    let log = sample();
    let log = EventLog::parse(&log).unwrap();
    assert_eq!(log.banks, [Bank::Sha1, Bank::Sha256]);
    assert_eq!(log.events.len(), 2);
    assert_eq!(
        log.events[1].own_text(),
        Some("kernel-code sha256=00 bytes=1")
    );
    let digest = Bank::Sha256.hash(&[b"rayos kernel-code sha256=00 bytes=1"]);
    let registers = log.replay(Bank::Sha256);
    assert_eq!(registers[8], Bank::Sha256.hash(&[&[0; 32], &digest]));
    assert_eq!(registers[7], [0; 32]);
    assert_eq!(registers[17], [0xff; 32]);
}

#[test]
fn an_event_that_is_only_told_changes_no_register_but_a_locality_starts_the_first() {
    let mut log = sample();
    add(&mut log, 3, EV_NO_ACTION, b"only told");
    let before = EventLog::parse(&log).unwrap().replay(Bank::Sha1);
    assert_eq!(before[3], [0; 20]);
    let mut log = header_of(&[(4, 20), (11, 32)]);
    add(&mut log, 0, EV_NO_ACTION, b"StartupLocality\0\x03");
    let registers = EventLog::parse(&log).unwrap().replay(Bank::Sha1);
    assert_eq!(registers[0][19], 3);
}

#[test]
fn text_with_the_digest_of_another_text_is_found() {
    let mut log = sample();
    let text = log.len() - 1;
    log[text] ^= 1;
    let log = EventLog::parse(&log).unwrap();
    assert_eq!(log.events[0].bank_that_differs(), None);
    assert_eq!(log.events[1].bank_that_differs(), Some(Bank::Sha1));
}

#[test]
fn an_algorithm_that_nobody_here_knows_is_passed_over() {
    let mut log = header_of(&[(0x12, 32), (11, 32)]);
    log.extend([8_u32, EV_IPL, 2].map(u32::to_le_bytes).concat());
    for number in [0x12_u16, 11] {
        log.extend(number.to_le_bytes());
        log.extend([7; 32]);
    }
    log.extend([0; 4]);
    let log = EventLog::parse(&log).unwrap();
    assert_eq!(log.banks, [Bank::Sha256]);
    assert_eq!(log.events[0].digests.len(), 1);
}

#[test]
fn what_no_firmware_writes_is_refused_with_its_place() {
    let with = |change: fn(&mut Vec<u8>)| {
        let mut log = sample();
        change(&mut log);
        format!("{:#}", EventLog::parse(&log).unwrap_err())
    };
    let header_bytes = header_of(&[(4, 20), (11, 32)]).len();
    assert_eq!(header_bytes, 69);
    for (change, reason) in [
        ((|log| log[4] = 4) as fn(&mut Vec<u8>), "first event"),
        (|log| log[32] = b'X', "crypto-agile"),
        (|log| log[56] = 0xff, "names"),
        (|log| log[62] = 33, "no digests of 33 bytes"),
        (|log| log[69] = 24, "no register 24"),
        (|log| log[69 + 8] = 1, "1 digests where the header names 2"),
        (|log| log[69 + 12] = 0x12, "does not name algorithm 0x0012"),
        (|log| log.truncate(100), "event 0 of the log, at byte 69"),
    ] {
        let said = with(change);
        assert!(said.contains(reason), "{reason}: {said}");
    }
    let twice = header_of(&[(11, 32), (11, 32)]);
    assert!(EventLog::parse(&twice).is_err());
}

#[test]
fn no_bytes_at_all_make_the_reader_fail_in_another_way_than_with_an_error() {
    let log = sample();
    for length in 0..log.len() {
        // Whole events may end anywhere; half ones may not.
        if let Ok(read) = EventLog::parse(&log[..length]) {
            assert!(read.events.len() < 2);
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut bytes = log.clone();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state >> 32).unwrap() % bytes.len();
            bytes[at] = state.to_le_bytes()[0];
        }
        if let Ok(read) = EventLog::parse(&bytes) {
            for bank in read.banks.clone() {
                assert_eq!(read.replay(bank).len(), REGISTERS);
            }
        }
    }
}

#[test]
fn a_log_that_never_ends_is_cut_off() {
    let mut log = header_of(&[(4, 20), (11, 32)]);
    for _ in 0..=EVENTS_MAX {
        add(&mut log, 1, EV_SEPARATOR, b"");
    }
    let error = EventLog::parse(&log).unwrap_err().to_string();
    assert!(error.contains("more than 4096 events"), "{error}");
}
