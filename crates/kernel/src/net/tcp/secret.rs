//! Numbers that outsiders must not guess: first sequence numbers, ports, clocks.
//!
//! RFC 6528 and RFC 6056 ask for a keyed hash of the endpoints; it is SipHash-2-4 as
//! Aumasson and Bernstein published it.

use super::flow::Flow;
use core::net::IpAddr;

/// What a number is for; the same endpoints give unrelated numbers for each.
#[derive(Clone, Copy)]
pub enum Purpose {
    FirstSequence = 1,
    PortOffset = 2,
    Clock = 3,
}

#[derive(Clone, Debug)]
pub struct Secret {
    low: u64,
    high: u64,
}

impl Secret {
    pub fn new(key: [u8; 16]) -> Self {
        let number = u128::from_le_bytes(key);
        Self {
            low: number as u64,
            high: (number >> 64) as u64,
        }
    }

    pub fn number(&self, purpose: Purpose, flow: &Flow) -> u64 {
        let mut message = [0; 40];
        message[0] = purpose as u8;
        message[1] = flow.tenant.index() as u8;
        message[2..18].copy_from_slice(&octets(flow.local.address));
        message[18..34].copy_from_slice(&octets(flow.remote.address));
        message[34..36].copy_from_slice(&flow.local.port.to_be_bytes());
        message[36..38].copy_from_slice(&flow.remote.port.to_be_bytes());
        self.hash(&message)
    }

    fn hash(&self, message: &[u8]) -> u64 {
        let mut state = [
            self.low ^ 0x736f_6d65_7073_6575,
            self.high ^ 0x646f_7261_6e64_6f6d,
            self.low ^ 0x6c79_6765_6e65_7261,
            self.high ^ 0x7465_6462_7974_6573,
        ];
        let words = message.chunks_exact(8);
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        last[7] = message.len() as u8;
        for word in words.chain([&last[..]]) {
            let word = word
                .first_chunk()
                .map_or(0, |word| u64::from_le_bytes(*word));
            state[3] ^= word;
            rounds(&mut state, 2);
            state[0] ^= word;
        }
        state[2] ^= 0xff;
        rounds(&mut state, 4);
        state[0] ^ state[1] ^ state[2] ^ state[3]
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn rounds(state: &mut [u64; 4], count: usize) {
    let [a, b, c, d] = state;
    for _ in 0..count {
        *a = a.wrapping_add(*b);
        *b = b.rotate_left(13) ^ *a;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*d);
        *d = d.rotate_left(16) ^ *c;
        *a = a.wrapping_add(*d);
        *d = d.rotate_left(21) ^ *a;
        *c = c.wrapping_add(*b);
        *b = b.rotate_left(17) ^ *c;
        *c = c.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        let bytes = core::array::from_fn::<u8, 16, _>(|index| index as u8);
        let secret = Secret::new(bytes);
        assert_eq!(secret.hash(&[]), 0x726f_db47_dd0e_0e31);
        assert_eq!(secret.hash(&bytes[..15]), 0xa129_ca61_49be_45e5);
    }
}
