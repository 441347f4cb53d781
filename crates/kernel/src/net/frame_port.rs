//! The other end's port in a frame, for rights that hold for some ports only.

use super::ip::IpHeader;
use super::packet::{Direction, protocol};
use super::stack::ETHERNET_HEADER_BYTES;
use smoltcp::wire::{EthernetFrame, EthernetProtocol};

/// No port, and in no range of ports.
const UNREADABLE: u16 = 0;

/// `None` for what has no port: other protocols, and fragments behind the first one.
///
/// What should have one and cannot be read has port 0.
pub fn others_port(frame: &[u8], direction: Direction) -> Option<u16> {
    let Ok(frame) = EthernetFrame::new_checked(frame) else {
        return Some(UNREADABLE);
    };
    if !matches!(
        frame.ethertype(),
        EthernetProtocol::Ipv4 | EthernetProtocol::Ipv6
    ) {
        return None;
    }
    let packet = frame.into_inner().get(ETHERNET_HEADER_BYTES..);
    let packet = packet.unwrap_or_default();
    let Ok(header) = IpHeader::parse(packet) else {
        return Some(UNREADABLE);
    };
    let is_later = header.fragment.is_some_and(|fragment| fragment.offset > 0);
    if is_later || !matches!(header.protocol, protocol::TCP | protocol::UDP) {
        return None;
    }
    let own = packet.get(header.payload_start..header.end);
    let port = match (own, direction) {
        (Some([_, _, high, low, ..]), Direction::Out) => u16::from_be_bytes([*high, *low]),
        (Some([high, low, _, _, ..]), Direction::In) => u16::from_be_bytes([*high, *low]),
        _ => UNREADABLE,
    };
    Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::vec::Vec;

    /// An IPv6 packet with that next header and payload, in a frame.
    fn frame(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = std::vec![0; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend((payload.len() as u16).to_be_bytes());
        frame.extend([next, 64]);
        frame.extend([0xfe; 32]);
        frame.extend(payload);
        frame
    }

    fn ports(frame: &[u8]) -> [Option<u16>; 2] {
        [Direction::In, Direction::Out].map(|direction| others_port(frame, direction))
    }

    #[test]
    fn it_is_where_an_arrived_frame_comes_from_and_where_a_sent_one_goes() {
        let udp = [0x12, 0x34, 0, 80, 0, 9, 0, 0, 1];
        for next in [protocol::UDP, protocol::TCP] {
            assert_eq!(ports(&frame(next, &udp)), [Some(0x1234), Some(80)]);
        }
        // ICMP and ARP have none.
        assert_eq!(ports(&frame(protocol::ICMPV6, &udp)), [None; 2]);
        let mut arp = frame(protocol::UDP, &udp);
        arp[12..14].copy_from_slice(&[8, 6]);
        assert_eq!(ports(&arp), [None; 2]);
    }

    #[test]
    fn only_the_first_fragment_has_one() {
        let piece = |offset: u8| {
            [
                17,
                0,
                0,
                offset | 1,
                0,
                0,
                0,
                7,
                0x12,
                0x34,
                0,
                80,
                0,
                0,
                0,
                0,
            ]
        };
        assert_eq!(ports(&frame(44, &piece(0))), [Some(0x1234), Some(80)]);
        assert_eq!(ports(&frame(44, &piece(8))), [None; 2]);
    }

    #[test]
    fn what_cannot_be_read_is_in_no_range_and_nothing_makes_it_fail() {
        assert_eq!(ports(&[]), [Some(0); 2]);
        assert_eq!(ports(&frame(protocol::UDP, &[1, 2, 3])), [Some(0); 2]);
        let mut cut = frame(protocol::UDP, &[1; 12]);
        cut.truncate(60);
        assert_eq!(ports(&cut), [Some(0); 2]);
        let mut prng = Prng::new(5);
        for _ in 0..20_000 {
            let mut bytes = frame(protocol::UDP, &[0x77; 40]);
            for _ in 0..prng.below(6) {
                let place = prng.below(bytes.len() as u64) as usize;
                bytes[place] = prng.below(256) as u8;
            }
            bytes.truncate(prng.below(bytes.len() as u64 + 1) as usize);
            ports(&bytes);
        }
    }
}
