//! Which bytes of a UEFI program count in its hash: all but those that a signature changes.
//!
//! Microsoft, "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE Image Hash".

use anyhow::{Context, ensure};

use super::reader::Reader;

const PE32_PLUS: u16 = 0x020b;
const SECTIONS_MAX: u16 = 96;
const SECTION_BYTES: usize = 40;

/// Places in the optional header of a 64-bit program.
const HEADERS_SIZE_AT: usize = 60;
const CHECKSUM_AT: usize = 64;
const DIRECTORIES_AT: usize = 112;
const CERTIFICATES: usize = 4;

/// The pieces in the order in which they are hashed.
pub fn pieces(program: &[u8]) -> anyhow::Result<Vec<&[u8]>> {
    let number = |at: usize| -> anyhow::Result<usize> {
        let bytes = program.get(at..).context("the program ends too early")?;
        Ok(usize::try_from(Reader::new(bytes).u32_le()?)?)
    };
    let short = |at: usize| -> anyhow::Result<u16> {
        let bytes = program.get(at..).context("the program ends too early")?;
        Reader::new(bytes).u16_le()
    };
    let piece = |from: usize, to: usize| {
        let piece = program.get(from..to);
        piece.with_context(|| format!("the program has no bytes {from} to {to}"))
    };
    ensure!(program.starts_with(b"MZ"), "it is no program for UEFI");
    let pe = number(0x3c)?;
    ensure!(
        piece(pe, pe.saturating_add(4))? == b"PE\0\0",
        "it is no program for UEFI"
    );
    let sections = short(pe + 6)?;
    ensure!(sections <= SECTIONS_MAX, "it has {sections} sections");
    let optional = pe + 24;
    ensure!(short(optional)? == PE32_PLUS, "it is no 64-bit program");
    let headers = number(optional + HEADERS_SIZE_AT)?;
    let checksum = optional + CHECKSUM_AT;
    let certificates = optional + DIRECTORIES_AT + CERTIFICATES * 8;
    let certificate_bytes = match number(optional + DIRECTORIES_AT - 4)? {
        count if count > CERTIFICATES => number(certificates + 4)?,
        _ => 0,
    };
    let mut pieces = vec![
        piece(0, checksum)?,
        piece(checksum + 4, certificates)?,
        piece(certificates + 8, headers)?,
    ];
    let table = optional + usize::from(short(pe + 20)?);
    let mut places = Vec::new();
    for index in 0..usize::from(sections) {
        let entry = table + index * SECTION_BYTES;
        places.push((number(entry + 20)?, number(entry + 16)?));
    }
    places.sort_unstable();
    let mut hashed = headers;
    for (at, bytes) in places.into_iter().filter(|(_, bytes)| *bytes > 0) {
        pieces.push(piece(at, at.saturating_add(bytes))?);
        hashed += bytes;
    }
    // What lies behind the sections counts too, up to the signatures.
    let end = program
        .len()
        .checked_sub(certificate_bytes)
        .context("its signatures are too long")?;
    if hashed < end {
        pieces.push(piece(hashed, end)?);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: usize = 0x200;

    /// A program with one section of 16 bytes, 8 bytes behind it, and a signature of 4.
    fn program() -> Vec<u8> {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(HEADERS, 0x11);
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let pe = 0x80;
        put(0x3c, &[pe as u8, 0, 0, 0]);
        put(pe, b"PE\0\0");
        put(pe + 6, &[1, 0]);
        put(pe + 20, &[240, 0]);
        let optional = pe + 24;
        put(optional, &PE32_PLUS.to_le_bytes());
        put(optional + HEADERS_SIZE_AT, &(HEADERS as u32).to_le_bytes());
        put(optional + CHECKSUM_AT, b"SUM!");
        put(optional + DIRECTORIES_AT - 4, &[16, 0, 0, 0]);
        put(
            optional + DIRECTORIES_AT + CERTIFICATES * 8,
            &[0, 0, 0, 0, 4, 0, 0, 0],
        );
        put(optional + 240 + 16, &[16, 0, 0, 0]);
        put(optional + 240 + 20, &(HEADERS as u32).to_le_bytes());
        bytes.extend([0x22; 16]);
        bytes.extend([0x33; 8]);
        bytes.extend([0x44; 4]);
        bytes
    }

    #[test]
    fn everything_counts_but_the_checksum_and_the_signatures() {
        let bytes = program();
        let hashed = pieces(&bytes).unwrap().concat();
        assert_eq!(hashed.len(), bytes.len() - 4 - 8 - 4);
        assert!(!hashed.windows(4).any(|word| word == b"SUM!"));
        assert!(!hashed.contains(&0x44));
        assert!(hashed.ends_with(&[[0x22; 8], [0x22; 8], [0x33; 8]].concat()));
    }

    #[test]
    fn a_cut_or_spoiled_program_is_an_error_or_has_other_pieces() {
        let whole = program();
        for length in 0..HEADERS + 16 {
            assert!(pieces(&whole[..length]).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            let mut spoiled = whole.clone();
            spoiled[at] ^= 0xff;
            let _ = pieces(&spoiled);
        }
    }
}
