//! Telling the sender of a packet that the firewall does not want it.

use super::icmp::Trouble;
use super::inlet::{Inlet, Place};
use super::ip::{HOP_LIMIT, IpHeader};
use super::outlet::Content;
use super::packet::protocol;
use super::transport::Transport;
use smoltcp::wire::{TcpPacket, TcpSeqNumber};

const TCP_HEADER_BYTES: usize = 20;

impl Inlet<'_> {
    /// A reset for TCP, an ICMP error for others.
    pub(super) fn reject(
        &mut self,
        place: &Place,
        header: &IpHeader,
        packet: &[u8],
        read: &Transport,
    ) {
        if header.protocol != protocol::TCP {
            self.out.report(place, packet, Trouble::Prohibited);
            return;
        }
        let payload = packet.get(header.payload_start..).unwrap_or_default();
        let Ok(segment) = TcpPacket::new_checked(payload) else {
            return;
        };
        if segment.rst() || place.is_group {
            return;
        }
        let now = self.out.now;
        if self.out.stack.icmp_errors.take(now, 1).is_err() {
            self.out.stack.icmp_errors_withheld += 1;
            return;
        }
        let Some(leg) = self.out.leg_from(place, header.destination, header.source) else {
            return;
        };
        let content = Content {
            protocol: protocol::TCP,
            hop_limit: HOP_LIMIT,
            congestion: 0,
            bytes: TCP_HEADER_BYTES,
        };
        let (from, to) = (read.destination_port, read.source_port);
        self.out.send_if_possible(&leg, content, &mut |bytes| {
            bytes.fill(0);
            let mut reset = TcpPacket::new_unchecked(bytes);
            reset.set_header_len(TCP_HEADER_BYTES as u8);
            reset.set_src_port(from);
            reset.set_dst_port(to);
            reset.set_rst(true);
            // As for a port that is closed (RFC 9293 3.10.7.1).
            if segment.ack() {
                reset.set_seq_number(segment.ack_number());
            } else {
                let length = segment.segment_len();
                reset.set_seq_number(TcpSeqNumber(0));
                reset.set_ack_number(segment.seq_number() + length);
                reset.set_ack(true);
            }
        });
    }
}
