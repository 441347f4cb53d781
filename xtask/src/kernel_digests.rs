//! What the kernel must find when it measures itself, out of its executable.

use anyhow::{Context, ensure};
use object::elf;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, ReadRef};
use sha2::{Digest, Sha256};

/// A digest, and of how many bytes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    pub digest: [u8; 32],
    pub bytes: u64,
}

/// Digests over what the file holds of the loaded segments, in the order of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelDigests {
    /// Of those that cannot be written.
    pub code: Measured,
    /// Of those that can.
    pub data: Measured,
}

/// The digests of a kernel, with or without its symbols.
pub fn of(file: &[u8]) -> anyhow::Result<KernelDigests> {
    Ok(KernelDigests {
        code: digest_of(file, false)?,
        data: digest_of(file, true)?,
    })
}

fn digest_of(bytes: &[u8], is_writable: bool) -> anyhow::Result<Measured> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let headers = file.elf_header().program_headers(endian, bytes)?;
    let mut loaded: Vec<_> = headers
        .iter()
        .filter(|header| header.p_type(endian) == elf::PT_LOAD)
        .filter(|header| (header.p_flags(endian).0 & elf::PF_W.0 != 0) == is_writable)
        .map(|header| {
            (
                header.p_vaddr(endian),
                header.p_offset(endian),
                header.p_filesz(endian),
            )
        })
        .collect();
    loaded.sort_unstable();
    ensure!(
        !loaded.is_empty(),
        "the kernel does not load both code and data"
    );
    let mut hasher = Sha256::new();
    let mut count = 0;
    for (_, offset, length) in loaded {
        let segment = bytes.read_bytes_at(offset, length);
        hasher.update(
            segment
                .ok()
                .context("a segment of the kernel is not in its file")?,
        );
        count += length;
    }
    Ok(Measured {
        digest: hasher.finalize().into(),
        bytes: count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An executable with three loaded segments, whose headers are not in the order of their addresses.
    fn executable() -> Vec<u8> {
        const HEADER: u64 = 64;
        const ENTRY: u64 = 56;
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend([2_u16, 62].map(u16::to_le_bytes).concat());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([0_u64, HEADER, 0].map(u64::to_le_bytes).concat());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend([64_u16, 56, 3, 0, 0, 0].map(u16::to_le_bytes).concat());
        let start = HEADER + 3 * ENTRY;
        for (flags, offset, address, count) in [
            (elf::PF_R.0, 4, 0x2000_u64, 2_u64),
            (elf::PF_R.0 | elf::PF_X.0, 0, 0x1000, 4),
            (elf::PF_R.0 | elf::PF_W.0, 6, 0x3000, 3),
        ] {
            bytes.extend([elf::PT_LOAD.0, flags].map(u32::to_le_bytes).concat());
            let fields = [start + offset, address, address, count, count + 9, 1];
            bytes.extend(fields.map(u64::to_le_bytes).concat());
        }
        bytes.extend(b"codereDAT");
        bytes
    }

    #[test]
    fn segments_are_hashed_in_the_order_of_their_addresses_and_by_what_may_be_written() {
        let digests = of(&executable()).unwrap();
        assert_eq!(digests.code.bytes, 6);
        assert_eq!(
            digests.code.digest,
            <[u8; 32]>::from(Sha256::digest(b"codere"))
        );
        assert_eq!(digests.data.bytes, 3);
        assert_eq!(
            digests.data.digest,
            <[u8; 32]>::from(Sha256::digest(b"DAT"))
        );
    }

    #[test]
    fn a_cut_or_spoiled_executable_is_an_error() {
        let whole = executable();
        for length in 0..whole.len() {
            assert!(of(&whole[..length]).is_err(), "{length}");
        }
        for at in 0..whole.len() {
            let mut spoiled = whole.clone();
            spoiled[at] ^= 0xff;
            // Some bytes mean nothing; whatever they are, there is an answer.
            let _ = of(&spoiled);
        }
    }
}
