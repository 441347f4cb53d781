//! Quotes: PCRs signed by the TPM (part 3, 18.4; part 2, 10.12).

use super::bytes::{Malformed, Reader, Writer};
use super::codes::{CommandCode, algorithm, tag};
use super::packet::{HANDLES_MAX, Request};
use super::pcr::PcrSelection;
use crate::base::digest::DIGEST_BYTES;

/// "\xffTCG": nobody but a TPM signs what begins with it.
const GENERATED: u32 = 0xff54_4347;
/// Bytes of a nonce (`TPM2B_DATA` of a TPM that knows SHA-512).
pub const NONCE_BYTES_MAX: usize = 64;
pub const MESSAGE_BYTES_MAX: usize = 256;
pub const SIGNATURE_BYTES_MAX: usize = 128;
/// Half of a signature on the curve P-256.
const SIGNATURE_PART_BYTES_MAX: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote<'a> {
    pub key: u32,
    pub nonce: &'a [u8],
    pub selection: PcrSelection,
}

impl<'a> Request<'a> for Quote<'a> {
    const CODE: CommandCode = CommandCode::Quote;
    const HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.key, 0]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.sized(self.nonce);
        // The key has a scheme of its own.
        out.u16(algorithm::NULL);
        self.selection.emit(out);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'a>) -> Result<Self, Malformed> {
        let nonce = reader.sized("nonce")?;
        if reader.u16("signing scheme")? != algorithm::NULL {
            return Err(Malformed("signing scheme"));
        }
        let selection = PcrSelection::parse(&mut reader)?;
        reader.finish("PCR selection")?;
        Ok(Self {
            key: handles[0],
            nonce,
            selection,
        })
    }
}

/// The answer: what was signed, and the signature, as they came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted<'a> {
    /// A `TPMS_ATTEST`.
    pub message: &'a [u8],
    /// A `TPMT_SIGNATURE`.
    pub signature: &'a [u8],
}

impl<'a> Quoted<'a> {
    pub fn parse(parameters: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(parameters);
        let message = reader.sized("quote")?;
        let signature = reader.rest();
        check_signature(signature)?;
        match message.len() <= MESSAGE_BYTES_MAX {
            true => Ok(Self { message, signature }),
            false => Err(Malformed("quote")),
        }
    }

    pub fn emit(&self, out: &mut Writer<'_>) {
        out.sized(self.message);
        out.bytes(self.signature);
    }
}

/// ECDSA with SHA-256: two numbers, which only a verifier can judge.
fn check_signature(signature: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(signature);
    let scheme = reader.u16("signature scheme")?;
    let hash = reader.u16("signature hash")?;
    if (scheme, hash) != (algorithm::ECDSA, algorithm::SHA256) {
        return Err(Malformed("signature scheme"));
    }
    for _ in 0..2 {
        let part = reader.sized("signature")?;
        if part.is_empty() || part.len() > SIGNATURE_PART_BYTES_MAX {
            return Err(Malformed("signature"));
        }
    }
    reader.finish("signature")
}

/// What a TPM says of its PCRs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attest<'a> {
    /// The name of the key's hierarchy, mixed with the key's own.
    pub signer: &'a [u8],
    pub nonce: &'a [u8],
    pub clock_ms: u64,
    pub reset_count: u32,
    pub restart_count: u32,
    pub is_clock_safe: bool,
    pub firmware_version: u64,
    pub selection: PcrSelection,
    /// Over the selected PCRs, one behind the other.
    pub pcr_digest: [u8; DIGEST_BYTES],
}

impl<'a> Attest<'a> {
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        if reader.u32("quote magic")? != GENERATED {
            return Err(Malformed("quote magic"));
        }
        if reader.u16("quote type")? != tag::ATTEST_QUOTE {
            return Err(Malformed("quote type"));
        }
        let signer = reader.sized("quote signer")?;
        let nonce = reader.sized("quote nonce")?;
        let clock_ms = reader.u64("quote clock")?;
        let reset_count = reader.u32("quote clock")?;
        let restart_count = reader.u32("quote clock")?;
        let is_clock_safe = reader.u8("quote clock")?;
        let firmware_version = reader.u64("quote firmware")?;
        let selection = PcrSelection::parse(&mut reader)?;
        let pcr_digest = reader.sized("quote digest")?.try_into();
        reader.finish("quote digest")?;
        match (pcr_digest, is_clock_safe) {
            (Ok(pcr_digest), 0 | 1) => Ok(Self {
                signer,
                nonce,
                clock_ms,
                reset_count,
                restart_count,
                is_clock_safe: is_clock_safe == 1,
                firmware_version,
                selection,
                pcr_digest,
            }),
            _ => Err(Malformed("quote digest")),
        }
    }

    pub fn emit(&self, out: &mut Writer<'_>) {
        out.u32(GENERATED);
        out.u16(tag::ATTEST_QUOTE);
        out.sized(self.signer);
        out.sized(self.nonce);
        out.u64(self.clock_ms);
        out.u32(self.reset_count);
        out.u32(self.restart_count);
        out.u8(u8::from(self.is_clock_safe));
        out.u64(self.firmware_version);
        self.selection.emit(out);
        out.sized(&self.pcr_digest);
    }
}
