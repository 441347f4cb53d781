//! GUIDs as partition tables hold them: the first three fields lie reversed.

use crate::base::prng::Prng;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Guid([u8; 16]);

impl Guid {
    pub const ZERO: Self = Self([0; 16]);

    /// From its usual writing, as five numbers.
    pub const fn new(a: u32, b: u16, c: u16, d: u16, e: u64) -> Self {
        let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
        let (d, e) = (d.to_be_bytes(), e.to_be_bytes());
        Self([
            a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], e[2], e[3], e[4], e[5],
            e[6], e[7],
        ])
    }

    /// A random one of this generator.
    pub fn drawn(prng: &mut Prng) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&prng.next_u64().to_le_bytes());
        bytes[8..].copy_from_slice(&prng.next_u64().to_le_bytes());
        Self::random(bytes)
    }

    /// A random one (RFC 9562, version 4) from 16 random bytes.
    pub const fn random(mut bytes: [u8; 16]) -> Self {
        bytes[7] = bytes[7] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    pub fn read(bytes: &[u8], at: usize) -> Self {
        Self(bytes[at..].first_chunk().copied().unwrap_or_default())
    }

    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, rest @ ..] = self.0;
        let a = u32::from_le_bytes([a0, a1, a2, a3]);
        let (b, c) = (u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1]));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:02x}{:02x}-", rest[0], rest[1])?;
        rest[2..]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
