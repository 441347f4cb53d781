//! A bank of registers in memory: SHA-256, what a TPM's bank must be equal to.

use super::format::{Banks, EV_NO_ACTION, Event};
use crate::base::digest::{DIGEST_BYTES, Digest, sha256};
use crate::base::hash::Algorithm;

/// Registers of a TPM for PCs; the last eight are for debugging and a late launch.
pub const PCRS: usize = 24;
const STARTUP_LOCALITY: &[u8] = b"StartupLocality\0";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bank([Digest; PCRS]);

impl Bank {
    /// As a TPM's after it was switched on (PC Client Platform TPM Profile, 4.6).
    pub const fn new() -> Self {
        let mut registers = [[0; DIGEST_BYTES]; PCRS];
        let mut index = 17;
        while index < 23 {
            registers[index] = [0xff; DIGEST_BYTES];
            index += 1;
        }
        Self(registers)
    }

    pub fn get(&self, pcr: usize) -> Option<&Digest> {
        self.0.get(pcr)
    }

    pub fn shown<const N: usize>(&self) -> [Digest; N] {
        core::array::from_fn(|pcr| self.0.get(pcr).copied().unwrap_or_default())
    }

    /// Old and new, hashed: so neither order nor number of extensions can be forged.
    pub fn extend(&mut self, pcr: usize, digest: &[u8]) {
        if let Some(register) = self.0.get_mut(pcr) {
            *register = sha256(&[&register[..], digest]);
        }
    }

    /// Does what the event says it has done; false for one that extends nothing.
    pub fn replay(&mut self, event: &Event<'_>, banks: &Banks) -> bool {
        let pcr = event.pcr as usize;
        if event.kind == EV_NO_ACTION {
            // A TPM that was started by another than the processor says so (10.4.5.3).
            if pcr == 0
                && let Some([locality]) = event.data.strip_prefix(STARTUP_LOCALITY)
            {
                self.0[0] = [0; DIGEST_BYTES];
                self.0[0][DIGEST_BYTES - 1] = *locality;
            }
            return false;
        }
        let digest = event.digest(banks, Algorithm::Sha256);
        digest.is_some_and(|digest| {
            self.extend(pcr, digest);
            true
        })
    }
}

impl Default for Bank {
    fn default() -> Self {
        Self::new()
    }
}
