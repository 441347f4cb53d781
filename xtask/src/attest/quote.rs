//! What a TPM signed (TPMS_ATTEST), the key that it signed with, and the forms in which tpm2-tools want both.

use anyhow::{Context, ensure};

use super::bank::{Bank, sha256};
use super::event_log::REGISTERS;
use super::reader::Reader;

/// "This was made inside a TPM" (TPM 2.0 Library, part 2, section 6.2).
const GENERATED: u32 = 0xff54_4347;
const ATTEST_QUOTE: u16 = 0x8018;
const SELECTIONS_MAX: u32 = 16;

const ALGORITHM_ECC: u16 = 0x0023;
const ALGORITHM_NULL: u16 = 0x0010;
const ALGORITHM_ECDSA: u16 = 0x0018;
const CURVE_P256: u16 = 0x0003;
const COORDINATE_BYTES: usize = 32;

/// Bits of a key's attributes (part 2, section 8.3).
const ATTRIBUTES: &[(u32, &str)] = &[
    (1 << 1, "fixedTPM"),
    (1 << 4, "fixedParent"),
    (1 << 5, "sensitiveDataOrigin"),
    (1 << 16, "restricted"),
    (1 << 18, "sign"),
];

/// The registers that a quote is about, of one bank, in ascending order.
pub type Registers = Vec<(usize, [u8; 32])>;

/// A quote, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    pub nonce: &'a [u8],
    /// How often the TPM was reset, and restarted since.
    pub resets: u32,
    pub restarts: u32,
    /// Banks by their numbers, with the registers of each.
    pub selection: Vec<(u16, Vec<usize>)>,
    /// The hash of all selected registers, one behind the other.
    pub digest: &'a [u8],
}

impl<'a> Quote<'a> {
    pub fn parse(message: &'a [u8]) -> anyhow::Result<Quote<'a>> {
        let mut reader = Reader::new(message);
        ensure!(
            reader.u32_be()? == GENERATED,
            "the message was not made inside a TPM"
        );
        ensure!(
            reader.u16_be()? == ATTEST_QUOTE,
            "the message is not a quote"
        );
        reader.sized_be().context("the signer's name")?;
        let nonce = reader.sized_be().context("the nonce")?;
        // The TPM's clock.
        reader.u64_be()?;
        let (resets, restarts) = (reader.u32_be()?, reader.u32_be()?);
        // Whether the clock never went backwards, and the firmware's version.
        reader.u8()?;
        reader.u64_be()?;
        let count = reader.u32_be()?;
        ensure!(
            count <= SELECTIONS_MAX,
            "the quote selects from {count} banks"
        );
        let mut selection = Vec::new();
        for _ in 0..count {
            let bank = reader.u16_be()?;
            let bytes = reader.u8()?;
            let bits = reader.take(usize::from(bytes))?;
            ensure!(
                bits.len() * 8 <= 32,
                "the quote selects from {} registers",
                bits.len() * 8
            );
            let is_set = |register: &usize| bits[register / 8] & 1 << (register % 8) != 0;
            selection.push((bank, (0..bits.len() * 8).filter(is_set).collect()));
        }
        let digest = reader.sized_be().context("the registers' digest")?;
        ensure!(reader.is_at_end(), "there are bytes behind the quote");
        Ok(Quote {
            nonce,
            resets,
            restarts,
            selection,
            digest,
        })
    }

    /// Why the quote is not about this nonce and these registers of the SHA-256 bank.
    pub fn problem(&self, nonce: &[u8], registers: &Registers) -> Option<String> {
        if self.nonce != nonce {
            return Some("it answers another nonce".to_string());
        }
        let numbers: Vec<usize> = registers.iter().map(|(number, _)| *number).collect();
        if self.selection != [(Bank::Sha256.number(), numbers)] {
            return Some("it is about other registers than those that came with it".to_string());
        }
        let values: Vec<u8> = registers.iter().flat_map(|(_, value)| *value).collect();
        if self.digest != sha256(&values) {
            return Some("the registers had other values when it was signed".to_string());
        }
        None
    }
}

/// The public part of an attestation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    attributes: u32,
    point: [[u8; COORDINATE_BYTES]; 2],
}

impl Key {
    /// Takes a TPM2B_PUBLIC apart.
    pub fn parse(public: &[u8]) -> anyhow::Result<Key> {
        let mut outer = Reader::new(public);
        let mut reader = Reader::new(outer.sized_be()?);
        ensure!(outer.is_at_end(), "there are bytes behind the key");
        ensure!(
            reader.u16_be()? == ALGORITHM_ECC,
            "the key is not on an elliptic curve"
        );
        reader.u16_be().context("the name's algorithm")?;
        let attributes = reader.u32_be()?;
        reader.sized_be().context("the key's policy")?;
        ensure!(
            reader.u16_be()? == ALGORITHM_NULL,
            "a key that signs needs no cipher"
        );
        match reader.u16_be()? {
            ALGORITHM_NULL => {}
            ALGORITHM_ECDSA => {
                reader.u16_be()?;
            }
            other => anyhow::bail!("the key signs by algorithm {other:#06x} and not by ECDSA"),
        }
        ensure!(
            reader.u16_be()? == CURVE_P256,
            "the key is not on the curve P-256"
        );
        ensure!(
            reader.u16_be()? == ALGORITHM_NULL,
            "a key that signs derives nothing"
        );
        let point = [coordinate(&mut reader)?, coordinate(&mut reader)?];
        ensure!(reader.is_at_end(), "there are bytes behind the key's point");
        Ok(Key { attributes, point })
    }

    /// What the key does not promise: without these, somebody could have it sign what no TPM measured.
    pub fn missing_attributes(&self) -> Vec<&'static str> {
        let missing = ATTRIBUTES
            .iter()
            .filter(|(bit, _)| self.attributes & bit == 0);
        missing.map(|(_, name)| *name).collect()
    }

    /// As OpenSSL and everybody else want it (RFC 5480).
    pub fn pem(&self) -> String {
        /// SubjectPublicKeyInfo of a point on P-256 that is not compressed, up to the point.
        const BEFORE: &[u8] = &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ];
        let text = base64(&[BEFORE, &self.point[0], &self.point[1]].concat());
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }
}

fn coordinate(reader: &mut Reader<'_>) -> anyhow::Result<[u8; COORDINATE_BYTES]> {
    let bytes = reader.sized_be().context("a coordinate")?;
    let blank = COORDINATE_BYTES
        .checked_sub(bytes.len())
        .context("a coordinate is too long")?;
    let mut coordinate = [0; COORDINATE_BYTES];
    coordinate[blank..].copy_from_slice(bytes);
    Ok(coordinate)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0, |sum, index| {
            sum << 8 | usize::from(*chunk.get(index).unwrap_or(&0))
        });
        for index in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * index) & 63];
            text.push(if index <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

/// Registers as `tpm2_quote -o` writes them and `tpm2_checkquote -f` reads them: its structures as they lie in the
/// memory of a machine with its low byte first, a TPML_PCR_SELECTION, a count, and lists of eight digests each.
pub fn registers_file(registers: &Registers) -> Vec<u8> {
    const SELECTIONS: usize = 16;
    const DIGESTS_OF_LIST: usize = 8;
    const DIGEST_BYTES_MAX: usize = 64;
    let mut file = 1_u32.to_le_bytes().to_vec();
    file.extend(Bank::Sha256.number().to_le_bytes());
    let mut bits = [0_u8; REGISTERS / 8];
    for (number, _) in registers {
        bits[number / 8] |= 1 << (number % 8);
    }
    file.push(3);
    file.extend(bits);
    file.resize(4 + SELECTIONS * 8, 0);
    let lists = registers.chunks(DIGESTS_OF_LIST);
    file.extend((lists.len() as u32).to_le_bytes());
    for list in lists {
        file.extend((list.len() as u32).to_le_bytes());
        let end = file.len() + DIGESTS_OF_LIST * (2 + DIGEST_BYTES_MAX);
        for (_, value) in list {
            file.extend((value.len() as u16).to_le_bytes());
            file.extend(value);
            file.resize(file.len() + DIGEST_BYTES_MAX - value.len(), 0);
        }
        file.resize(end, 0);
    }
    file
}

#[cfg(test)]
mod tests;
