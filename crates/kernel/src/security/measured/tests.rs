//! What a log promises: others can read it, and no change of it stays unseen.

use super::bank::Bank;
use super::format::{self, Banks, EV_ACTION, EV_IPL, EV_NO_ACTION, EV_SEPARATOR, LogError};
use super::log::{AdoptError, EventLog};
use super::verify::{Misfit, verify};
use crate::base::digest::{Digest, sha256};
use crate::base::fixed::Full;
use crate::base::hash::Algorithm;
use crate::base::prng::Prng;
use crate::limits::{EVENT_LOG_EVENTS_MAX, PCRS_SHOWN};
use std::vec::Vec;

/// What a firmware with the banks of SHA-1 and SHA-256 may have logged.
fn firmware_log() -> Vec<u8> {
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256];
    let banks = Banks::of(&algorithms);
    let mut bytes = Vec::new();
    let put = &mut |part: &[u8]| bytes.extend_from_slice(part);
    format::emit_beginning(&algorithms, put);
    format::emit(0, EV_NO_ACTION, b"StartupLocality\0\x03", &banks, put);
    format::emit(0, EV_ACTION, b"a firmware", &banks, put);
    for pcr in 0..8 {
        format::emit(pcr, EV_SEPARATOR, &[0; 4], &banks, put);
    }
    bytes
}

fn filled() -> EventLog {
    let mut log = EventLog::new();
    assert_eq!(log.adopt(&firmware_log()), Ok(10));
    for (pcr, text) in [
        (4, "rayos command-line"),
        (8, "rayos kernel-code"),
        (9, "rayos ramdisk none"),
    ] {
        log.push(pcr, EV_IPL, text.as_bytes()).unwrap();
    }
    log
}

fn live(log: &EventLog) -> [Digest; PCRS_SHOWN] {
    log.expected().shown()
}

#[test]
fn the_beginning_is_what_the_profile_says() {
    let log = EventLog::new();
    let head = [
        &[0u8; 4][..],
        &[3, 0, 0, 0],
        &[0; 20],
        &[33, 0, 0, 0],
        b"Spec ID Event03\0",
        &[0, 0, 0, 0, 0, 2, 0, 2],
        &[1, 0, 0, 0, 0x0b, 0, 32, 0, 0],
    ]
    .concat();
    assert_eq!(log.bytes(), head);
}

#[test]
fn an_event_is_written_and_read_as_the_profile_says() {
    let mut log = EventLog::new();
    let begin = log.bytes().len();
    log.push(8, EV_IPL, b"abc").unwrap();
    let event = [
        &[8u8, 0, 0, 0, 0x0d, 0, 0, 0, 1, 0, 0, 0, 0x0b, 0][..],
        &sha256(&[b"abc"]),
        &[3, 0, 0, 0, b'a', b'b', b'c'],
    ]
    .concat();
    assert_eq!(&log.bytes()[begin..], event);
    let read = log.events().next().unwrap();
    assert_eq!((read.pcr, read.kind, read.text()), (8, EV_IPL, Some("abc")));
    let digest = read.digest(log.banks(), Algorithm::Sha256);
    assert_eq!(digest, Some(&sha256(&[b"abc"])[..]));
    assert_eq!(read.digest(log.banks(), Algorithm::Sha1), None);
}

#[test]
fn registers_depend_on_order_and_number_of_extensions() {
    let extended = |digests: &[&[u8]]| {
        let mut bank = Bank::new();
        digests
            .iter()
            .for_each(|digest| bank.extend(8, &sha256(&[digest])));
        *bank.get(8).unwrap()
    };
    let both = sha256(&[&sha256(&[&[0; 32], &sha256(&[b"a"])]), &sha256(&[b"b"])]);
    assert_eq!(extended(&[b"a", b"b"]), both);
    assert_ne!(extended(&[b"b", b"a"]), both);
    assert_ne!(extended(&[b"a", b"a"]), [0; 32]);
}

#[test]
fn a_firmware_s_log_is_gone_on_with_in_all_its_banks() {
    let log = filled();
    assert_eq!((log.firmware_events(), log.len()), (10, 13));
    assert!(log.bytes().starts_with(&firmware_log()));
    let last = log.events().last().unwrap();
    for bank in [Algorithm::Sha1, Algorithm::Sha256] {
        let digest = bank.hash(&[b"rayos ramdisk none"]);
        assert_eq!(last.digest(log.banks(), bank), Some(digest.as_bytes()));
    }
    // The TPM was started by another than the processor: register 0 did not begin at zero.
    let mut bank = Bank::new();
    bank.extend(0, &sha256(&[b"a firmware"]));
    bank.extend(0, &sha256(&[&[0; 4]]));
    assert_ne!(log.expected().get(0), bank.get(0));
    assert_eq!(verify(&log, &live(&log)), Ok(()));
}

#[test]
fn what_is_no_log_is_refused_and_leaves_the_old_one() {
    let mut log = filled();
    let before = log.bytes().to_vec();
    let whole = firmware_log();
    let mut legacy = whole.clone();
    legacy[4] = 8;
    let sm3 = |bytes: &mut Vec<u8>, at: usize| bytes[at] = 0x12;
    let mut strange = whole.clone();
    sm3(&mut strange, 32 + 28);
    for (bytes, error) in [
        (
            &whole[..whole.len() - 1],
            AdoptError::Damaged(LogError::Short),
        ),
        (&[][..], AdoptError::Damaged(LogError::Short)),
        (&legacy, AdoptError::Damaged(LogError::NotCryptoAgile)),
        (&strange, AdoptError::UnknownBank),
    ] {
        assert_eq!(log.adopt(bytes), Err(error));
    }
    // SHA-256 with digests of twenty bytes: what is written behind them could not be read.
    let mut short_digests = EventLog::new().bytes().to_vec();
    short_digests[32 + 30] = 20;
    let wrong = AdoptError::Damaged(LogError::WrongBanks);
    assert_eq!(log.adopt(&short_digests), Err(wrong));
    let mut sha1_only = Vec::new();
    format::emit_beginning(&[Algorithm::Sha1], &mut |part| {
        sha1_only.extend_from_slice(part)
    });
    assert_eq!(log.adopt(&sha1_only), Err(AdoptError::NoSha256));
    // Events of ours would not be found again behind a beginning that lies about their size.
    let mut short = Vec::new();
    format::emit_beginning(&[Algorithm::Sha256], &mut |part| {
        short.extend_from_slice(part)
    });
    short[32 + 30] = 20;
    let mut none = Vec::new();
    format::emit_beginning(&[], &mut |part| none.extend_from_slice(part));
    for bytes in [short, none] {
        let wrong = AdoptError::Damaged(LogError::WrongBanks);
        assert_eq!(log.adopt(&bytes), Err(wrong));
    }
    assert_eq!(log.bytes(), before);
}

#[test]
fn a_full_log_refuses_and_counts() {
    let mut log = EventLog::new();
    for _ in 0..EVENT_LOG_EVENTS_MAX {
        log.push(12, EV_IPL, b"rayos audit").unwrap();
    }
    let expected = live(&log);
    assert_eq!(log.push(12, EV_IPL, b"one more"), Err(Full));
    assert_eq!((log.refused(), live(&log)), (1, expected));
    assert!(!log.has_room(0, 0));
    log.begin(&[Algorithm::Sha256]);
    assert!(!log.has_room(usize::MAX / 4, 0) && log.has_room(1000, 60));
}

#[test]
fn every_changed_byte_of_an_event_is_found_at_that_event() {
    let whole = filled();
    let begin = {
        let mut events = format::read(whole.bytes()).unwrap();
        let mut starts = std::vec![whole.bytes().len() - events.rest().len()];
        while events.next().is_some() {
            starts.push(whole.bytes().len() - events.rest().len());
        }
        starts
    };
    let registers = live(&whole);
    for at in begin[0]..whole.bytes().len() {
        let changed = begin.iter().rposition(|start| *start <= at).unwrap();
        let mut log = filled();
        log.bytes_mut()[at] ^= 1;
        let misfit = verify(&log, &registers).unwrap_err();
        assert_eq!(misfit.event(), Some(changed), "byte {at}: {misfit:?}");
    }
}

#[test]
fn what_was_extended_behind_the_log_s_back_is_named_by_its_register() {
    let log = filled();
    let mut registers = live(&log);
    registers[8] = sha256(&[b"something"]);
    let foreign = |pcr, after| Err(Misfit::ForeignExtend { pcr, after });
    assert_eq!(verify(&log, &registers), foreign(8, Some(11)));
    let mut registers = live(&log);
    registers[15] = sha256(&[b"something"]);
    assert_eq!(verify(&log, &registers), foreign(15, None));
}

#[test]
fn a_lost_or_doubled_end_is_found() {
    let whole = filled();
    let registers = live(&whole);
    let last = {
        let mut events = format::read(whole.bytes()).unwrap();
        for _ in 1..whole.len() {
            events.next();
        }
        events.rest().to_vec()
    };
    let mut lost = filled();
    let kept = lost.bytes().len() - last.len();
    lost.bytes_mut().truncate(kept);
    let lengths = |read| Err(Misfit::WrongLength { logged: 13, read });
    assert_eq!(verify(&lost, &registers), lengths(12));
    let mut doubled = filled();
    doubled.bytes_mut().extend_from_slice(&last);
    assert_eq!(verify(&doubled, &registers), lengths(14));
}

#[test]
fn ten_thousand_damaged_logs_are_read_to_their_end() {
    let whole = filled();
    let registers = live(&whole);
    let mut prng = Prng::new(11);
    let (mut refused, mut adopted, mut found) = (0, 0, 0);
    for _ in 0..10_000 {
        let mut bytes = whole.bytes().to_vec();
        damage(&mut bytes, &mut prng);
        let mut log = EventLog::new();
        match log.adopt(&bytes) {
            Ok(events) => {
                adopted += 1;
                assert!(events <= EVENT_LOG_EVENTS_MAX && log.events().count() == events);
                let _ = log.push(8, EV_IPL, b"rayos behind it");
                assert_eq!(verify(&log, &live(&log)), Ok(()));
            }
            Err(_) => refused += 1,
        }
        let mut log = filled();
        *log.bytes_mut() = bytes;
        found += u32::from(verify(&log, &registers).is_err());
    }
    std::println!("{refused} refused, {adopted} gone on with, {found} found out");
    assert!(refused > 1_000 && adopted > 1_000 && found > 5_000);
}

/// Changes, cuts, repeats or stretches some of it.
fn damage(bytes: &mut Vec<u8>, prng: &mut Prng) {
    for _ in 0..1 + prng.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = prng.below(bytes.len() as u64) as usize;
        match prng.below(6) {
            0 => bytes[at] = prng.next_u64() as u8,
            1 => bytes[at] ^= 1 << prng.below(8),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..(at + prng.below(40) as usize).min(bytes.len()))),
            4 => {
                let end = (at + prng.below(200) as usize).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let end = (at + 4).min(bytes.len());
                bytes[at..end].fill(0xff);
            }
        }
    }
}
