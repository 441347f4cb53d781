//! The digest of the kernel's own code, made in slices beside everything else.
//!
//! Nothing of it can be written to after boot, so that it is the same whenever it is
//! read; and reading all at once would take longer than a tick may.

use crate::base::boot_inputs::Measured;
use sha2::{Digest as _, Sha256};

/// Bytes of a slice: under emulation most of what deciding may take in a tick.
const SLICE_BYTES: usize = 32 * 1024;

pub struct CodeHash {
    hasher: Sha256,
    /// Bytes that were hashed, over all parts.
    done: usize,
}

impl CodeHash {
    pub fn new() -> Self {
        Self {
            hasher: Sha256::new(),
            done: 0,
        }
    }

    /// Hashes the next slice of the parts; at their end, the digest and their bytes.
    pub fn step(&mut self, parts: &[&[u8]]) -> Option<Measured> {
        let mut skip = self.done;
        for part in parts {
            if skip < part.len() {
                let end = part.len().min(skip + SLICE_BYTES);
                self.hasher.update(&part[skip..end]);
                self.done += end - skip;
                return None;
            }
            skip -= part.len();
        }
        Some(Measured {
            digest: self.hasher.clone().finalize().into(),
            bytes: self.done as u64,
        })
    }
}

impl Default for CodeHash {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::sha256;

    #[test]
    fn slices_give_the_digest_of_the_whole() {
        let (first, second) = (std::vec![7; SLICE_BYTES + 5], std::vec![9; 3]);
        let parts: [&[u8]; 3] = [&first, &[], &second];
        let mut hash = CodeHash::new();
        let mut steps = 0;
        let measured = loop {
            steps += 1;
            if let Some(end) = hash.step(&parts) {
                break end;
            }
        };
        assert_eq!(measured.digest, sha256(&parts));
        assert_eq!(measured.bytes, SLICE_BYTES as u64 + 8);
        assert_eq!(steps, 4);
    }
}
