//! Symbols: a blob written by hand is read back, and damaged ones do no harm.

use super::*;
use crate::base::prng::Prng;

const BASE: u64 = 0xffff_ffff_8020_0000;

/// Two functions with a gap between them, written by hand from the format above.
fn golden() -> Vec<u8> {
    let mut blob = Vec::new();
    blob.extend(MAGIC);
    for word in [VERSION, 0, BASE as u32, (BASE >> 32) as u32, 2, 2, 6, 0] {
        blob.extend(word.to_le_bytes());
    }
    // start, record: boot at 0x0, halt at 0x100
    for word in [0u32, 0, 0x100, 17] {
        blob.extend(word.to_le_bytes());
    }
    // paths: boot.rs, then idle.rs
    for word in [10u32, 18] {
        blob.extend(word.to_le_bytes());
    }
    let records_at = blob.len();
    blob.extend([0xc0, 0x01, 0, 5]); // boot: 0xc0 bytes, name at 0, five rows
    blob.extend([0x02, 0, 10]); // +0: boot.rs:10
    blob.extend([0x10, 3]); // +4: line 8
    blob.extend([0xc2, 0x02, 1, 11]); // +0x54: idle.rs:11
    blob.extend([0xbf, 0x01]); // +0x83: no source
    blob.extend([0x15, 2]); // +0x88: boot.rs:9
    blob.extend([0x10, 5, 1, 0x03]); // halt: 0x10 bytes, name at 5, one row: no source
    let records_bytes = (blob.len() - records_at) as u32;
    for text in ["boot", "halt", "boot.rs", "idle.rs"] {
        blob.push(text.len() as u8);
        blob.extend(text.as_bytes());
    }
    let used_bytes = blob.len() as u32;
    blob[12..16].copy_from_slice(&used_bytes.to_le_bytes());
    blob[36..40].copy_from_slice(&records_bytes.to_le_bytes());
    blob
}

fn told(symbols: &Symbols<'_>, address: u64) -> Option<String> {
    symbols.lookup(address).map(|found| found.to_string())
}

#[test]
fn an_address_is_named_with_its_line() {
    let blob = golden();
    let symbols = Symbols::parse(&blob).unwrap();
    let cases = [
        (BASE, Some("boot+0x0 at boot.rs:10")),
        (BASE + 3, Some("boot+0x3 at boot.rs:10")),
        (BASE + 4, Some("boot+0x4 at boot.rs:8")),
        (BASE + 0x53, Some("boot+0x53 at boot.rs:8")),
        (BASE + 0x54, Some("boot+0x54 at idle.rs:11")),
        (BASE + 0x83, Some("boot+0x83")),
        (BASE + 0x87, Some("boot+0x87")),
        (BASE + 0x88, Some("boot+0x88 at boot.rs:9")),
        (BASE + 0xbf, Some("boot+0xbf at boot.rs:9")),
        (BASE + 0xc0, None),
        (BASE + 0x100, Some("halt+0x0")),
        (BASE + 0x110, None),
        (BASE - 1, None),
        (0, None),
        (u64::MAX, None),
    ];
    for (address, expected) in cases {
        assert_eq!(told(&symbols, address).as_deref(), expected, "{address:#x}");
    }
    assert_eq!(symbols.function_count(), 2);
    assert_eq!(symbols.row_count(), 6);
    assert_eq!(symbols.used_bytes(), blob.len());
}

#[test]
fn a_return_address_behind_the_last_call_still_names_the_caller() {
    let blob = golden();
    let symbols = Symbols::parse(&blob).unwrap();
    let found = symbols.lookup_return_address(BASE + 0xc0).unwrap();
    assert_eq!(found.to_string(), "boot+0xc0 at boot.rs:9");
    assert_eq!(symbols.lookup_return_address(0), None);
}

#[test]
fn bytes_behind_the_blob_do_not_matter() {
    let mut blob = golden();
    blob.resize(4096, 0);
    let symbols = Symbols::parse(&blob).unwrap();
    assert_eq!(told(&symbols, BASE).unwrap(), "boot+0x0 at boot.rs:10");
}

#[test]
fn what_is_no_blob_says_why() {
    let mut section = vec![0u8; 64];
    assert_eq!(Symbols::parse(&[]).unwrap_err(), SymbolsError::NoMagic);
    assert_eq!(Symbols::parse(&section).unwrap_err(), SymbolsError::NoMagic);
    section.copy_from_slice(&unfilled()[..64]);
    assert_eq!(
        Symbols::parse(&section).unwrap_err(),
        SymbolsError::NotEmbedded
    );
    section[8] = 9;
    assert_eq!(
        Symbols::parse(&section).unwrap_err(),
        SymbolsError::UnknownVersion { found: 9 }
    );
}

#[test]
fn a_blob_cut_anywhere_is_refused() {
    let blob = golden();
    for length in 0..blob.len() {
        assert!(Symbols::parse(&blob[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_damaged_blob_gives_an_error_or_an_answer_and_never_a_panic() {
    let mut prng = Prng::new(7);
    let whole = golden();
    for _ in 0..200_000 {
        let mut blob = whole.clone();
        for _ in 0..1 + prng.below(4) {
            // Mostly behind the magic, where damage gets further.
            let position = 8 + prng.below(blob.len() as u64 - 8) as usize;
            let interesting = [0, 1, 0x7f, 0x80, 0xff, prng.next_u64() as u8];
            blob[position] = interesting[prng.below(interesting.len() as u64) as usize];
        }
        blob.truncate(blob.len() - prng.below(3) as usize);
        let Ok(symbols) = Symbols::parse(&blob) else {
            continue;
        };
        for _ in 0..8 {
            let address = BASE.wrapping_add(prng.below(0x120));
            if let Some(found) = symbols.lookup(address) {
                assert!(found.offset < 0x120);
            }
            symbols.lookup_return_address(prng.next_u64());
        }
    }
}
