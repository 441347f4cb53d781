//! What stands in front of a frame in its buffer (virtio 1.2, 5.1.6).

use crate::base::network_port::{Checksums, Offload};

pub const BYTES: usize = 12;

/// The device or the host still has to store the checksum.
const NEEDS_CHECKSUM: u8 = 1;
/// The device has looked at the checksum.
const DATA_VALID: u8 = 2;

const SEGMENTS_NONE: u8 = 0;
const SEGMENTS_TCP4: u8 = 1;
const SEGMENTS_TCP6: u8 = 4;

/// Writes what is to be done with the frame on its way out.
pub fn emit(header: &mut [u8; BYTES], offload: Offload) {
    let words = match offload {
        Offload::Nothing => [0; 4],
        Offload::Checksum { start, offset } => [0, 0, start, offset],
        Offload::Segments {
            start,
            offset,
            headers_bytes,
            segment_bytes,
            ..
        } => [headers_bytes, segment_bytes, start, offset],
    };
    let (flags, segments) = match offload {
        Offload::Nothing => (0, SEGMENTS_NONE),
        Offload::Checksum { .. } => (NEEDS_CHECKSUM, SEGMENTS_NONE),
        Offload::Segments { is_ipv6: false, .. } => (NEEDS_CHECKSUM, SEGMENTS_TCP4),
        Offload::Segments { is_ipv6: true, .. } => (NEEDS_CHECKSUM, SEGMENTS_TCP6),
    };
    let [a, b, c, d] = words.map(u16::to_le_bytes);
    *header = [
        flags, segments, a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1], 0, 0,
    ];
}

/// What a received frame's header says of its checksums.
pub const fn checksums(header: &[u8; BYTES]) -> Checksums {
    match header[0] & (NEEDS_CHECKSUM | DATA_VALID) {
        0 => Checksums::Unchecked,
        _ => Checksums::Trusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emitted(offload: Offload) -> [u8; BYTES] {
        let mut header = [0xa5; BYTES];
        emit(&mut header, offload);
        header
    }

    #[test]
    fn a_header_has_the_bytes_of_the_standard() {
        assert_eq!(emitted(Offload::Nothing), [0; BYTES]);
        let checksum = Offload::Checksum {
            start: 34,
            offset: 16,
        };
        assert_eq!(emitted(checksum), [1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0]);
        let segments = Offload::Segments {
            start: 54,
            offset: 16,
            headers_bytes: 74,
            segment_bytes: 0x05a0,
            is_ipv6: true,
        };
        let expected = [1, 4, 74, 0, 0xa0, 0x05, 54, 0, 16, 0, 0, 0];
        assert_eq!(emitted(segments), expected);
    }

    #[test]
    fn only_a_flag_makes_a_checksum_trusted() {
        let mut header = [0; BYTES];
        assert_eq!(checksums(&header), Checksums::Unchecked);
        header[0] = 4;
        assert_eq!(checksums(&header), Checksums::Unchecked);
        for flags in [1, 2, 3] {
            header[0] = flags;
            assert_eq!(checksums(&header), Checksums::Trusted);
        }
    }
}
