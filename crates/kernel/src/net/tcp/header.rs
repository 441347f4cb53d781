//! The TCP header with its options: read once from a segment, written once into one.

use super::sequence::Sequence;

pub const HEADER_BYTES: usize = 20;
/// The header's length is counted in 15 words at most.
pub const HEADER_BYTES_MAX: usize = 60;
/// Timestamps in every segment, with what aligns them.
pub const TIMESTAMPS_BYTES: usize = 12;
/// As many as fit beside timestamps.
pub const SACK_BLOCKS_SENT_MAX: usize = 3;
const SACK_BLOCKS_READ_MAX: usize = 4;
/// RFC 7323, section 2.3: larger shifts mean this one.
const WINDOW_SHIFT_MAX: u8 = 14;

pub mod flags {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
}

/// A run of the stream, the end not included.
pub type Range = (Sequence, Sequence);

/// The sender's clock, and the one of ours that it has seen last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timestamps {
    pub value: u32,
    pub echo: u32,
}

/// What stands in a header, whichever way it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    pub sequence: Sequence,
    pub acknowledgement: Sequence,
    pub flags: u8,
    pub window: u16,
    pub segment_bytes_max: Option<u16>,
    pub window_shift: Option<u8>,
    pub is_sack_permitted: bool,
    pub timestamps: Option<Timestamps>,
    pub sack: SackBlocks,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SackBlocks {
    ranges: [Range; SACK_BLOCKS_READ_MAX],
    count: usize,
}

impl SackBlocks {
    /// A block more than there is room for is left out: the next segment tells it again.
    pub fn push(&mut self, range: Range) {
        if let Some(place) = self.ranges.get_mut(self.count) {
            *place = range;
            self.count += 1;
        }
    }

    pub fn as_slice(&self) -> &[Range] {
        &self.ranges[..self.count]
    }
}

/// A header that contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl Header {
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Sequence numbers that a segment with this header and so much payload takes.
    pub const fn sequence_length(&self, payload: usize) -> usize {
        payload + self.has(flags::SYN) as usize + self.has(flags::FIN) as usize
    }

    /// `bytes` is the whole header and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let Some((fixed, options)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Malformed);
        };
        if usize::from(fixed[12] >> 4) * 4 != bytes.len() {
            return Err(Malformed);
        }
        let mut header = Self {
            sequence: sequence_at(&fixed[4..]),
            acknowledgement: sequence_at(&fixed[8..]),
            flags: fixed[13],
            window: u16::from_be_bytes([fixed[14], fixed[15]]),
            ..Self::default()
        };
        header.parse_options(options)?;
        Ok(header)
    }

    fn parse_options(&mut self, mut rest: &[u8]) -> Result<(), Malformed> {
        // Nearly every segment: two fillers, timestamps, nothing else.
        if let [1, 1, 8, 10, numbers @ ..] = rest
            && numbers.len() == 8
        {
            self.timestamps = Some(timestamps_of(numbers));
            return Ok(());
        }
        while let [kind, tail @ ..] = rest {
            match kind {
                0 => break,
                1 => rest = tail,
                _ => {
                    let length = usize::from(*tail.first().ok_or(Malformed)?);
                    if length < 2 || length > rest.len() {
                        return Err(Malformed);
                    }
                    self.take_option(*kind, &rest[2..length])?;
                    rest = &rest[length..];
                }
            }
        }
        Ok(())
    }

    fn take_option(&mut self, kind: u8, body: &[u8]) -> Result<(), Malformed> {
        match (kind, body) {
            (2, [high, low]) => self.segment_bytes_max = Some(u16::from_be_bytes([*high, *low])),
            (3, [shift]) => self.window_shift = Some((*shift).min(WINDOW_SHIFT_MAX)),
            (4, []) => self.is_sack_permitted = true,
            (5, blocks) if !blocks.is_empty() && blocks.len() % 8 == 0 => {
                for block in blocks.chunks_exact(8) {
                    self.sack
                        .push((sequence_at(block), sequence_at(&block[4..])));
                }
            }
            (8, numbers) if numbers.len() == 8 => self.timestamps = Some(timestamps_of(numbers)),
            (2..=5 | 8, _) => return Err(Malformed),
            // What is not known is passed over (RFC 9293, section 3.1).
            _ => {}
        }
        Ok(())
    }

    /// Writes the header; its checksum stays 0. Returns its bytes.
    pub fn emit<'a>(
        &self,
        source_port: u16,
        destination_port: u16,
        buffer: &'a mut [u8; HEADER_BYTES_MAX],
    ) -> &'a [u8] {
        buffer[0..2].copy_from_slice(&source_port.to_be_bytes());
        buffer[2..4].copy_from_slice(&destination_port.to_be_bytes());
        buffer[4..8].copy_from_slice(&self.sequence.number().to_be_bytes());
        buffer[8..12].copy_from_slice(&self.acknowledgement.number().to_be_bytes());
        buffer[13] = self.flags;
        buffer[14..16].copy_from_slice(&self.window.to_be_bytes());
        buffer[16..20].fill(0);
        let mut writer = Writer {
            buffer,
            length: HEADER_BYTES,
        };
        self.emit_options(&mut writer);
        let length = writer.length;
        buffer[12] = (length as u8 / 4) << 4;
        &buffer[..length]
    }

    fn emit_options(&self, writer: &mut Writer<'_>) {
        if let Some(bytes) = self.segment_bytes_max {
            writer.put(&[2, 4]);
            writer.put(&bytes.to_be_bytes());
        }
        match (self.is_sack_permitted, self.timestamps) {
            (true, Some(_)) => writer.put(&[4, 2]),
            (true, None) => writer.put(&[1, 1, 4, 2]),
            (false, Some(_)) => writer.put(&[1, 1]),
            (false, None) => {}
        }
        if let Some(timestamps) = self.timestamps {
            writer.put(&[8, 10]);
            writer.put(&timestamps.value.to_be_bytes());
            writer.put(&timestamps.echo.to_be_bytes());
        }
        if let Some(shift) = self.window_shift {
            writer.put(&[1, 3, 3, shift]);
        }
        let blocks = self.sack.as_slice();
        let blocks = &blocks[..blocks.len().min(SACK_BLOCKS_SENT_MAX)];
        if !blocks.is_empty() {
            writer.put(&[1, 1, 5, 2 + 8 * blocks.len() as u8]);
            for (start, end) in blocks {
                writer.put(&start.number().to_be_bytes());
                writer.put(&end.number().to_be_bytes());
            }
        }
    }
}

/// All that we send at once fits: 20 + 4 + 12 + 4 in a SYN, 20 + 12 + 28 in any other.
struct Writer<'a> {
    buffer: &'a mut [u8; HEADER_BYTES_MAX],
    length: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.buffer[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }
}

fn sequence_at(bytes: &[u8]) -> Sequence {
    Sequence::new(number_at(bytes))
}

/// The number in the first four bytes; 0 when there are fewer, which no caller hands in.
fn number_at(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |word| u32::from_be_bytes(*word))
}

fn timestamps_of(numbers: &[u8]) -> Timestamps {
    Timestamps {
        value: number_at(numbers),
        echo: number_at(&numbers[4..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use smoltcp::wire::{TcpOption, TcpPacket};

    fn syn() -> Header {
        Header {
            sequence: Sequence::new(0x0102_0304),
            flags: flags::SYN,
            window: 0xfaf0,
            segment_bytes_max: Some(1460),
            window_shift: Some(7),
            is_sack_permitted: true,
            timestamps: Some(Timestamps { value: 9, echo: 0 }),
            ..Header::default()
        }
    }

    #[test]
    fn a_syn_is_written_as_it_is_read() {
        let golden = [
            0x04, 0xd2, 0x00, 0x50, 1, 2, 3, 4, 0, 0, 0, 0, 0xa0, 0x02, 0xfa, 0xf0, 0, 0, 0, 0, 2,
            4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7,
        ];
        let mut buffer = [0xa5; HEADER_BYTES_MAX];
        assert_eq!(syn().emit(1234, 80, &mut buffer), golden);
        assert_eq!(Header::parse(&golden), Ok(syn()));
    }

    #[test]
    fn blocks_and_timestamps_are_read_by_somebody_elses_parser() {
        let mut header = Header {
            flags: flags::ACK,
            timestamps: Some(Timestamps { value: 1, echo: 2 }),
            ..Header::default()
        };
        for start in [10, 30, 50] {
            header
                .sack
                .push((Sequence::new(start), Sequence::new(start + 10)));
        }
        let mut buffer = [0xa5; HEADER_BYTES_MAX];
        let bytes = header.emit(1, 2, &mut buffer);
        assert_eq!(bytes.len(), HEADER_BYTES_MAX);
        assert_eq!(Header::parse(bytes), Ok(header));
        let packet = TcpPacket::new_checked(bytes).unwrap();
        let mut options = packet.options();
        let mut blocks = [None; 3];
        while !options.is_empty() {
            let (rest, option) = TcpOption::parse(options).unwrap();
            if let TcpOption::SackRange(ranges) = option {
                blocks = ranges;
            }
            options = rest;
        }
        assert_eq!(blocks, [Some((10, 20)), Some((30, 40)), Some((50, 60))]);
    }

    #[test]
    fn impossible_lengths_are_malformed() {
        let mut buffer = [0; HEADER_BYTES_MAX];
        let whole = syn().emit(1, 2, &mut buffer).to_vec();
        for length in 0..whole.len() {
            assert_eq!(Header::parse(&whole[..length]), Err(Malformed));
        }
        for (at, value) in [(21, 0), (21, 1), (21, 5), (25, 3), (27, 9), (39, 3)] {
            let mut bad = whole.clone();
            bad[at] = value;
            let expected = if at == 39 { Ok(()) } else { Err(Malformed) };
            assert_eq!(Header::parse(&bad).map(|_| ()), expected, "{at}");
        }
        let mut cut = whole.clone();
        cut[38] = 40;
        assert_eq!(Header::parse(&cut), Err(Malformed));
    }

    #[test]
    fn random_bytes_reach_no_panic() {
        let mut prng = Prng::new(1);
        let mut bytes = [0; 64];
        for _ in 0..200_000 {
            prng.fill(&mut bytes);
            let words = prng.below(16) as u8;
            bytes[12] = words << 4;
            let _ = Header::parse(&bytes[..usize::from(words) * 4]);
        }
    }
}
