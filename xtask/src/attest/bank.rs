//! The hash algorithms of PCR banks, and a register of one.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bank {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Bank {
    pub const ALL: [Bank; 4] = [Bank::Sha1, Bank::Sha256, Bank::Sha384, Bank::Sha512];

    /// The number of the algorithm in the TCG's registry.
    pub fn number(self) -> u16 {
        match self {
            Bank::Sha1 => 0x0004,
            Bank::Sha256 => 0x000b,
            Bank::Sha384 => 0x000c,
            Bank::Sha512 => 0x000d,
        }
    }

    pub fn of_number(number: u16) -> Option<Bank> {
        Bank::ALL.into_iter().find(|bank| bank.number() == number)
    }

    /// The name that tpm2-tools have for it.
    pub fn name(self) -> &'static str {
        match self {
            Bank::Sha1 => "sha1",
            Bank::Sha256 => "sha256",
            Bank::Sha384 => "sha384",
            Bank::Sha512 => "sha512",
        }
    }

    pub fn of_name(name: &str) -> Option<Bank> {
        Bank::ALL.into_iter().find(|bank| bank.name() == name)
    }

    pub fn digest_bytes(self) -> usize {
        match self {
            Bank::Sha1 => 20,
            Bank::Sha256 => 32,
            Bank::Sha384 => 48,
            Bank::Sha512 => 64,
        }
    }

    /// The hash of all parts, one behind the other.
    pub fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut hasher = D::new();
            parts.iter().for_each(|part| hasher.update(part));
            hasher.finalize().to_vec()
        }
        match self {
            Bank::Sha1 => of::<Sha1>(parts),
            Bank::Sha256 => of::<Sha256>(parts),
            Bank::Sha384 => of::<Sha384>(parts),
            Bank::Sha512 => of::<Sha512>(parts),
        }
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits of either case; none for an odd one or a stranger.
pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bank_hashes_to_its_own_size_and_is_found_by_number_and_name() {
        for bank in Bank::ALL {
            assert_eq!(bank.hash(&[b"abc"]).len(), bank.digest_bytes());
            assert_eq!(Bank::of_number(bank.number()), Some(bank));
            assert_eq!(Bank::of_name(bank.name()), Some(bank));
        }
        assert_eq!(Bank::of_number(0x12), None);
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"abc")), known);
        assert_eq!(hex(&Bank::Sha256.hash(&[b"a", b"bc"])), known);
        let known = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(hex(&Bank::Sha1.hash(&[b"abc"])), known);
    }

    #[test]
    fn digits_come_back_as_their_bytes() {
        assert_eq!(parse_hex("00aBff"), Some(vec![0, 0xab, 0xff]));
        for bad in ["0", "0g", "é"] {
            assert_eq!(parse_hex(bad), None, "{bad}");
        }
    }
}
