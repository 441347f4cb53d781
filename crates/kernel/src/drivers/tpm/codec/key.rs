//! The key that quotes are signed with (TPM 2.0 Library, part 3, 24.1).
//!
//! It is derived from the endorsement hierarchy's seed and this template, so it is
//! the same one in every boot of the same TPM.

use super::bytes::{Malformed, Reader, Writer};
use super::codes::{CommandCode, algorithm, curve, handle};
use super::packet::{HANDLES_MAX, Request};
use crate::base::fixed::Vec;

/// Bits of `TPMA_OBJECT` (part 2, 8.3).
mod attribute {
    pub const FIXED_TPM: u32 = 1 << 1;
    pub const FIXED_PARENT: u32 = 1 << 4;
    pub const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
    pub const USER_WITH_AUTH: u32 = 1 << 6;
    pub const NO_DICTIONARY_ATTACK: u32 = 1 << 10;
    pub const RESTRICTED: u32 = 1 << 16;
    pub const SIGN: u32 = 1 << 18;
}

/// It signs what the TPM itself says, and nothing that somebody else hands in.
const QUOTE_KEY_ATTRIBUTES: u32 = attribute::SIGN
    | attribute::RESTRICTED
    | attribute::FIXED_TPM
    | attribute::FIXED_PARENT
    | attribute::SENSITIVE_DATA_ORIGIN
    | attribute::USER_WITH_AUTH
    | attribute::NO_DICTIONARY_ATTACK;

/// Bytes of a `TPM2B_PUBLIC` that is kept; those of our template have 90.
pub const PUBLIC_BYTES_MAX: usize = 256;
/// Bytes of a coordinate on the curve P-256.
const COORDINATE_BYTES_MAX: usize = 32;

/// Makes the key of the template in the endorsement hierarchy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CreatePrimary;

impl Request<'_> for CreatePrimary {
    const CODE: CommandCode = CommandCode::CreatePrimary;
    const HANDLES: usize = 1;
    const ANSWER_HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [handle::ENDORSEMENT, 0]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        // TPM2B_SENSITIVE_CREATE: neither authorisation nor data.
        let place = out.begin_sized();
        out.sized(&[]);
        out.sized(&[]);
        out.end_sized(place);
        let place = out.begin_sized();
        emit_template(&[], &[], out);
        out.end_sized(place);
        // Nothing outside of the key is bound to its making.
        out.sized(&[]);
        out.u32(0);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        if handles[0] != handle::ENDORSEMENT {
            return Err(Malformed("hierarchy"));
        }
        let sensitive = reader.sized("sensitive part")?;
        let public = reader.sized("key template")?;
        let outside = reader.sized("outside information")?;
        let pcrs = reader.u32("PCR selection")?;
        reader.finish("PCR selection")?;
        let (x, y) = parse_template(public)?;
        match sensitive == [0; 4] && outside.is_empty() && pcrs == 0 && x.is_empty() && y.is_empty()
        {
            true => Ok(Self),
            false => Err(Malformed("key template")),
        }
    }
}

/// A `TPMT_PUBLIC`: an ECDSA key on P-256 with SHA-256.
fn emit_template(x: &[u8], y: &[u8], out: &mut Writer<'_>) {
    out.u16(algorithm::ECC);
    out.u16(algorithm::SHA256);
    out.u32(QUOTE_KEY_ATTRIBUTES);
    out.sized(&[]);
    out.u16(algorithm::NULL);
    out.u16(algorithm::ECDSA);
    out.u16(algorithm::SHA256);
    out.u16(curve::NIST_P256);
    out.u16(algorithm::NULL);
    out.sized(x);
    out.sized(y);
}

/// The coordinates of a public part that is of our template.
fn parse_template(public: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    const NAME: &str = "key is not of our template";
    let mut fixed = [0; 32];
    let mut out = Writer::new(&mut fixed);
    emit_template(&[], &[], &mut out);
    let length = out.length() - 4;
    let mut reader = Reader::new(public);
    if reader.bytes(length, NAME)? != &fixed[..length] {
        return Err(Malformed(NAME));
    }
    let x = reader.sized(NAME)?;
    let y = reader.sized(NAME)?;
    reader.finish(NAME)?;
    match x.len().max(y.len()) <= COORDINATE_BYTES_MAX {
        true => Ok((x, y)),
        false => Err(Malformed(NAME)),
    }
}

/// The key that a TPM has made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteKey {
    pub handle: u32,
    /// Its whole `TPM2B_PUBLIC`.
    pub public: Vec<u8, PUBLIC_BYTES_MAX>,
}

impl QuoteKey {
    /// The answer to `CreatePrimary`.
    pub fn parse(handle: Option<u32>, parameters: &[u8]) -> Result<Self, Malformed> {
        let handle = handle
            .filter(|handle| handle.to_be_bytes()[0] == handle::TRANSIENT)
            .ok_or(Malformed("key handle"))?;
        let mut reader = Reader::new(parameters);
        let inside = reader.sized("public key")?;
        let (x, y) = parse_template(inside)?;
        if x.is_empty() || y.is_empty() {
            return Err(Malformed("public key"));
        }
        reader.sized("creation data")?;
        reader.sized("creation digest")?;
        reader.u16("creation ticket")?;
        reader.u32("creation ticket")?;
        reader.sized("creation ticket")?;
        reader.sized("key name")?;
        reader.finish("key name")?;
        let mut public = Vec::new();
        let whole = parameters.get(..2 + inside.len()).unwrap_or_default();
        match public.extend_from_slice(whole) {
            Ok(()) => Ok(Self { handle, public }),
            Err(_) => Err(Malformed("public key")),
        }
    }
}
