//! The hash algorithms of a TPM's banks, by their TCG numbers.

use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// Bytes of the longest digest.
pub const DIGEST_BYTES_MAX: usize = 64;

/// An algorithm that this kernel can compute (TCG Algorithm Registry, 6.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    pub const fn id(self) -> u16 {
        match self {
            Self::Sha1 => 0x0004,
            Self::Sha256 => 0x000b,
            Self::Sha384 => 0x000c,
            Self::Sha512 => 0x000d,
        }
    }

    pub fn of_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.id() == id)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of all parts, one behind the other.
    pub fn hash(self, parts: &[&[u8]]) -> AnyDigest {
        fn all<D: sha2::Digest>(parts: &[&[u8]], digest: &mut [u8]) {
            let mut hasher = D::new();
            parts.iter().for_each(|part| hasher.update(part));
            digest.copy_from_slice(&hasher.finalize());
        }
        let mut bytes = [0; DIGEST_BYTES_MAX];
        let digest = &mut bytes[..self.digest_bytes()];
        match self {
            Self::Sha1 => all::<Sha1>(parts, digest),
            Self::Sha256 => all::<Sha256>(parts, digest),
            Self::Sha384 => all::<Sha384>(parts, digest),
            Self::Sha512 => all::<Sha512>(parts, digest),
        }
        AnyDigest {
            bytes,
            length: self.digest_bytes() as u8,
        }
    }
}

/// A digest of any of the algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnyDigest {
    bytes: [u8; DIGEST_BYTES_MAX],
    length: u8,
}

impl AnyDigest {
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::{Hex, sha256};
    use std::string::ToString;

    #[test]
    fn digests_are_those_of_the_standard() {
        let text =
            |algorithm: Algorithm| Hex(algorithm.hash(&[b"ab", b"c"]).as_bytes()).to_string();
        assert_eq!(
            text(Algorithm::Sha1),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(text(Algorithm::Sha256), Hex(&sha256(&[b"abc"])).to_string());
        assert!(text(Algorithm::Sha384).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
        assert!(text(Algorithm::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
        for algorithm in Algorithm::ALL {
            assert_eq!(text(algorithm).len(), 2 * algorithm.digest_bytes());
            assert_eq!(Algorithm::of_id(algorithm.id()), Some(algorithm));
        }
    }
}
