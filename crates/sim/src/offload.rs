//! What a network card does to frames on their way out: checksums, and cutting of segments.

use rayos_kernel::base::network_port::Offload;
use rayos_kernel::net::checksum::{Sum, checksum};

const ETHERNET_HEADER_BYTES: usize = 14;
const FIN_AND_PUSH: u8 = 0b0000_1001;
const FLAGS: usize = 13;

/// Hands every frame that goes over the wire to `send`.
pub fn perform(frame: &mut [u8], offload: Offload, send: &mut dyn FnMut(&[u8])) {
    match offload {
        Offload::Nothing => send(frame),
        Offload::Checksum { start, offset } => {
            complete(frame, usize::from(start), usize::from(offset));
            send(frame);
        }
        Offload::Segments {
            start,
            offset,
            headers_bytes,
            segment_bytes,
            is_ipv6,
        } => {
            let (start, offset) = (usize::from(start), usize::from(offset));
            let (headers, payload) = frame.split_at(usize::from(headers_bytes));
            let row = Row {
                headers,
                start,
                offset,
                is_ipv6,
                total: payload.len(),
            };
            let pieces = payload.chunks(usize::from(segment_bytes).max(1));
            let mut sent = 0;
            for (index, piece) in pieces.enumerate() {
                send(&row.segment(index, sent, piece));
                sent += piece.len();
            }
        }
    }
}

/// Sums from `start` on; the pseudo header's sum stands where the result belongs.
fn complete(frame: &mut [u8], start: usize, offset: usize) {
    let value = match checksum(&frame[start..]) {
        0 => u16::MAX,
        value => value,
    };
    frame[start + offset..start + offset + 2].copy_from_slice(&value.to_be_bytes());
}

struct Row<'a> {
    headers: &'a [u8],
    start: usize,
    offset: usize,
    is_ipv6: bool,
    total: usize,
}

impl Row<'_> {
    fn segment(&self, index: usize, sent: usize, piece: &[u8]) -> Vec<u8> {
        let mut frame = self.headers.to_vec();
        frame.extend_from_slice(piece);
        let tcp = self.start;
        let old = &frame[tcp + 4..tcp + 8];
        let old = old.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
        let sequence = old.wrapping_add(sent as u32);
        frame[tcp + 4..tcp + 8].copy_from_slice(&sequence.to_be_bytes());
        if sent + piece.len() < self.total {
            frame[tcp + FLAGS] &= !FIN_AND_PUSH;
        }
        let ip = &mut frame[ETHERNET_HEADER_BYTES..tcp];
        let header_bytes = ip.len();
        let transport_bytes = self.headers.len() - tcp + piece.len();
        if self.is_ipv6 {
            ip[4..6].copy_from_slice(&(transport_bytes as u16).to_be_bytes());
        } else {
            let total = (header_bytes + transport_bytes) as u16;
            ip[2..4].copy_from_slice(&total.to_be_bytes());
            let identification = u16::from_be_bytes([ip[4], ip[5]]).wrapping_add(index as u16);
            ip[4..6].copy_from_slice(&identification.to_be_bytes());
            ip[10..12].fill(0);
            let sum = checksum(ip);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        let pseudo = self.pseudo_header(&frame, transport_bytes);
        let place = tcp + self.offset;
        frame[place..place + 2].copy_from_slice(&pseudo.to_be_bytes());
        complete(&mut frame, tcp, self.offset);
        frame
    }

    fn pseudo_header(&self, frame: &[u8], transport_bytes: usize) -> u16 {
        let ip = &frame[ETHERNET_HEADER_BYTES..];
        let addresses = if self.is_ipv6 {
            &ip[8..40]
        } else {
            &ip[12..20]
        };
        let mut sum = Sum::new();
        sum.add(addresses);
        sum.add(&(transport_bytes as u32).to_be_bytes());
        sum.add(&[0, 6]);
        sum.partial()
    }
}
