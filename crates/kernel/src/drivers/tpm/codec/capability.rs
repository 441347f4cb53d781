//! What a TPM says of itself (TPM 2.0 Library, part 3, 30.2).

use super::bank::{Bank, BankSet};
use super::bytes::{Malformed, Reader, Writer};
use super::codes::CommandCode;
use super::packet::{HANDLES_MAX, Request};
use super::pcr::PcrSelection;
use crate::base::fixed::Text;

const CAPABILITY_PCRS: u32 = 5;
const CAPABILITY_PROPERTIES: u32 = 6;

/// The first property that is asked for: the manufacturer. The next seven are the
/// vendor's four words, its type and its firmware's two words.
pub const MANUFACTURER: u32 = 0x105;
pub const IDENTITY_PROPERTIES: u32 = 8;
const VENDOR_FIRST: u32 = 0x106;
const VENDOR_LAST: u32 = 0x109;
const FIRMWARE_HIGH: u32 = 0x10b;
const FIRMWARE_LOW: u32 = 0x10c;
/// Entries of a list that are looked at; no list of ours has more.
const ENTRIES_MAX: u32 = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Which PCRs of which banks are in use.
    Pcrs,
    /// Numbers, from this one on.
    Properties { first: u32, count: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetCapability(pub Asked);

impl Request<'_> for GetCapability {
    const CODE: CommandCode = CommandCode::GetCapability;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        let words = match self.0 {
            Asked::Pcrs => [CAPABILITY_PCRS, 0, 1],
            Asked::Properties { first, count } => [CAPABILITY_PROPERTIES, first, count],
        };
        words.into_iter().for_each(|word| out.u32(word));
    }

    fn parse(_: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let capability = reader.u32("capability")?;
        let first = reader.u32("property")?;
        let count = reader.u32("property count")?;
        reader.finish("property count")?;
        match capability {
            CAPABILITY_PCRS => Ok(Self(Asked::Pcrs)),
            CAPABILITY_PROPERTIES => Ok(Self(Asked::Properties { first, count })),
            _ => Err(Malformed("capability")),
        }
    }
}

/// Who made a TPM.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// As registered with the TCG, four letters: `IBM `, `IFX `.
    pub manufacturer: Text<4>,
    pub vendor: Text<16>,
    pub firmware_version: Option<u64>,
}

impl Identity {
    /// As the answer to `Asked::Properties`.
    pub fn parse(parameters: &[u8]) -> Result<Self, Malformed> {
        let (mut reader, count) = begin(parameters, CAPABILITY_PROPERTIES)?;
        let mut identity = Self::default();
        let (mut high, mut low) = (None, None);
        for _ in 0..count {
            let property = reader.u32("property")?;
            let value = reader.u32("property value")?;
            match property {
                MANUFACTURER => push_letters(&mut identity.manufacturer, value),
                VENDOR_FIRST..=VENDOR_LAST => push_letters(&mut identity.vendor, value),
                FIRMWARE_HIGH => high = Some(value),
                FIRMWARE_LOW => low = Some(value),
                _ => {}
            }
        }
        reader.finish("property list")?;
        if let (Some(high), Some(low)) = (high, low) {
            identity.firmware_version = Some(u64::from(high) << 32 | u64::from(low));
        }
        Ok(identity)
    }
}

/// An answer to `Asked::Properties`: numbers with their values.
pub fn emit_properties(rows: &[(u32, u32)], out: &mut Writer<'_>) {
    begin_answer(CAPABILITY_PROPERTIES, rows.len(), out);
    for (property, value) in rows {
        out.u32(*property);
        out.u32(*value);
    }
}

/// An answer to `Asked::Pcrs`.
pub fn emit_banks(selections: &[PcrSelection], out: &mut Writer<'_>) {
    begin_answer(CAPABILITY_PCRS, selections.len(), out);
    selections.iter().for_each(|one| one.emit_one(out));
}

fn begin_answer(capability: u32, entries: usize, out: &mut Writer<'_>) {
    out.u8(0);
    out.u32(capability);
    out.u32(entries as u32);
}

/// Four letters of a word; what is no visible ASCII is left out.
fn push_letters<const N: usize>(text: &mut Text<N>, word: u32) {
    for byte in word.to_be_bytes() {
        if byte.is_ascii_graphic() || byte == b' ' {
            text.push_cut(char::from(byte).encode_utf8(&mut [0; 4]));
        }
    }
}

/// Which banks have PCRs in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Banks {
    pub active: BankSet,
    /// Banks in use whose hash this kernel cannot compute.
    pub unknown: usize,
}

impl Banks {
    /// As the answer to `Asked::Pcrs`.
    pub fn parse(parameters: &[u8]) -> Result<Self, Malformed> {
        let (mut reader, count) = begin(parameters, CAPABILITY_PCRS)?;
        let mut banks = Self::default();
        for _ in 0..count {
            let selection = PcrSelection::parse_one(&mut reader)?;
            if selection.pcrs == 0 {
                continue;
            }
            match Bank::of_id(selection.algorithm) {
                Some(bank) => banks.active = banks.active.with(bank),
                None => banks.unknown += 1,
            }
        }
        reader.finish("PCR list")?;
        Ok(banks)
    }
}

/// The list behind its kind, and how long it is.
fn begin(parameters: &[u8], capability: u32) -> Result<(Reader<'_>, u32), Malformed> {
    let mut reader = Reader::new(parameters);
    let has_more = reader.u8("more data")?;
    let kind = reader.u32("capability")?;
    let count = reader.u32("list length")?;
    match has_more <= 1 && kind == capability && count <= ENTRIES_MAX {
        true => Ok((reader, count)),
        false => Err(Malformed("capability")),
    }
}
