//! Banks of PCRs by their hash, and a digest for each.

use super::bytes::{Malformed, Reader, Writer};
use crate::base::digest::Digest;

/// A bank whose hash this kernel can compute.
pub use crate::base::hash::Algorithm as Bank;

pub const BANKS: [Bank; 4] = Bank::ALL;

/// Some banks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BankSet(u8);

impl BankSet {
    pub const NONE: Self = Self(0);

    pub const fn with(self, bank: Bank) -> Self {
        Self(self.0 | 1 << bank as u8)
    }

    pub const fn has(self, bank: Bank) -> bool {
        self.0 & 1 << bank as u8 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Bank> {
        BANKS.into_iter().filter(move |bank| self.has(*bank))
    }
}

/// What a PCR is extended with: a digest for each bank that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BankDigests {
    pub sha1: Option<[u8; 20]>,
    pub sha256: Option<Digest>,
    pub sha384: Option<[u8; 48]>,
    pub sha512: Option<[u8; 64]>,
}

impl BankDigests {
    /// Those of the same data in each of the banks.
    pub fn of_data(banks: BankSet, data: &[u8]) -> Self {
        fn digest<const N: usize>(bank: Bank, data: &[u8]) -> Option<[u8; N]> {
            bank.hash(&[data]).as_bytes().try_into().ok()
        }
        Self {
            sha1: digest(Bank::Sha1, data),
            sha256: digest(Bank::Sha256, data),
            sha384: digest(Bank::Sha384, data),
            sha512: digest(Bank::Sha512, data),
        }
        .only(banks)
    }

    pub fn of(&self, bank: Bank) -> Option<&[u8]> {
        match bank {
            Bank::Sha1 => self.sha1.as_ref().map(|digest| &digest[..]),
            Bank::Sha256 => self.sha256.as_ref().map(|digest| &digest[..]),
            Bank::Sha384 => self.sha384.as_ref().map(|digest| &digest[..]),
            Bank::Sha512 => self.sha512.as_ref().map(|digest| &digest[..]),
        }
    }

    /// Those of `banks` only.
    pub fn only(&self, banks: BankSet) -> Self {
        Self {
            sha1: self.sha1.filter(|_| banks.has(Bank::Sha1)),
            sha256: self.sha256.filter(|_| banks.has(Bank::Sha256)),
            sha384: self.sha384.filter(|_| banks.has(Bank::Sha384)),
            sha512: self.sha512.filter(|_| banks.has(Bank::Sha512)),
        }
    }

    /// The first of `banks` that has no digest here.
    pub fn missing(&self, banks: BankSet) -> Option<Bank> {
        banks.iter().find(|bank| self.of(*bank).is_none())
    }

    /// As a `TPML_DIGEST_VALUES`.
    pub fn emit(&self, out: &mut Writer<'_>) {
        let given = || {
            BANKS
                .into_iter()
                .filter_map(|bank| Some((bank, self.of(bank)?)))
        };
        out.u32(given().count() as u32);
        for (bank, digest) in given() {
            out.u16(bank.id());
            out.bytes(digest);
        }
    }

    pub fn parse(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut digests = Self::default();
        let count = reader.u32("digest count")?;
        if count as usize > BANKS.len() {
            return Err(Malformed("digest count"));
        }
        for _ in 0..count {
            let bank = Bank::of_id(reader.u16("hash")?).ok_or(Malformed("hash"))?;
            match bank {
                Bank::Sha1 => digests.sha1 = Some(reader.array("digest")?),
                Bank::Sha256 => digests.sha256 = Some(reader.array("digest")?),
                Bank::Sha384 => digests.sha384 = Some(reader.array("digest")?),
                Bank::Sha512 => digests.sha512 = Some(reader.array("digest")?),
            }
        }
        Ok(digests)
    }
}
