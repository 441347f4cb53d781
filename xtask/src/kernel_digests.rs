//! What a kernel measures of itself, calculated from its file.

use anyhow::{Context, bail, ensure};
use object::{Object, ObjectSegment, SegmentFlags, elf};
use rayos_kernel::base::boot_inputs::Measured;

/// Digests over what the file holds of the loaded segments, in the order of their addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KernelDigests {
    /// Of those that cannot be written.
    pub code: Measured,
    /// Of those that can.
    pub data: Measured,
}

/// The digests of a kernel, with or without its symbols.
pub fn of(file: &[u8]) -> anyhow::Result<KernelDigests> {
    let object = object::File::parse(file).context("the kernel is no object file")?;
    let mut segments = Vec::new();
    for segment in object.segments() {
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
            bail!("the kernel is no ELF file");
        };
        let bytes = segment
            .data()
            .context("a segment of the kernel is not in its file")?;
        segments.push((segment.address(), p_flags.0 & elf::PF_W.0 != 0, bytes));
    }
    ensure!(!segments.is_empty(), "the kernel has nothing to load");
    segments.sort_by_key(|(address, ..)| *address);
    let digest = |is_writable| {
        let wanted = segments.iter().filter(|segment| segment.1 == is_writable);
        let parts: Vec<&[u8]> = wanted.map(|(.., bytes)| *bytes).collect();
        Measured::of(&parts.concat())
    };
    Ok(KernelDigests {
        code: digest(false),
        data: digest(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: u32 = 1;
    const NOTE: u32 = 4;

    /// An executable of program headers alone: type, flags, address, bytes in the file, bytes in memory.
    fn executable(headers: &[(u32, u32, u64, &[u8], u64)]) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        for word in [0u64, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        let count = headers.len() as u16;
        file.extend([0; 4]);
        for half in [64u16, 56, count, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        let mut at = 64 + 56 * u64::from(count);
        for (kind, flags, address, bytes, memory) in headers {
            file.extend(kind.to_le_bytes());
            file.extend(flags.to_le_bytes());
            for word in [at, *address, *address, bytes.len() as u64, *memory, 1] {
                file.extend(word.to_le_bytes());
            }
            at += bytes.len() as u64;
        }
        headers.iter().for_each(|header| file.extend(header.3));
        file
    }

    #[test]
    fn segments_count_by_address_as_far_as_the_file_goes() {
        let file = executable(&[
            (LOAD, 6, 0x3000, b"data", 0x1000),
            (LOAD, 5, 0x2000, b"text", 4),
            (NOTE, 4, 0x1000, b"note", 4),
            (LOAD, 4, 0x1000, b"rodata", 6),
        ]);
        let digests = of(&file).unwrap();
        assert_eq!(digests.code, Measured::of(b"rodatatext"));
        assert_eq!(digests.data, Measured::of(b"data"));
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        assert!(of(b"no kernel").is_err());
        assert!(of(&executable(&[])).is_err());
    }
}
