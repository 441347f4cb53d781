//! Reading and extending PCRs (TPM 2.0 Library, part 3, 22).

use super::bank::{Bank, BankDigests};
use super::bytes::{Malformed, Reader, Writer};
use super::codes::CommandCode;
use super::packet::{HANDLES_MAX, Request};
use crate::base::digest::{DIGEST_BYTES, Digest};
use crate::base::fixed::Vec;

/// Bytes of a bit map: the 24 PCRs of a PC.
const SELECT_BYTES: u8 = 3;
/// What an answer carries at most (`TPML_DIGEST`).
pub const DIGESTS_A_READ: usize = 8;

/// Some PCRs of one bank, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PcrSelection {
    pub algorithm: u16,
    pub pcrs: u32,
}

impl PcrSelection {
    pub const fn sha256(pcrs: u32) -> Self {
        Self {
            algorithm: Bank::Sha256.id(),
            pcrs,
        }
    }

    pub fn emit_one(&self, out: &mut Writer<'_>) {
        out.u16(self.algorithm);
        out.u8(SELECT_BYTES);
        out.bytes(&self.pcrs.to_le_bytes()[..usize::from(SELECT_BYTES)]);
    }

    pub fn parse_one(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let algorithm = reader.u16("hash")?;
        let count = reader.u8("PCR bit map")?;
        let map = reader.bytes(usize::from(count), "PCR bit map")?;
        if map.len() > 4 {
            return Err(Malformed("PCR bit map"));
        }
        let bytes = map.iter().rev();
        let pcrs = bytes.fold(0, |pcrs, byte| pcrs << 8 | u32::from(*byte));
        Ok(Self { algorithm, pcrs })
    }

    /// As a list with one entry.
    pub fn emit(&self, out: &mut Writer<'_>) {
        out.u32(1);
        self.emit_one(out);
    }

    /// A list with one entry, or with none.
    pub fn parse(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.u32("PCR selection")? {
            0 => Ok(Self::sha256(0)),
            1 => Self::parse_one(reader),
            _ => Err(Malformed("PCR selection")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PcrRead {
    pub selection: PcrSelection,
}

impl Request<'_> for PcrRead {
    const CODE: CommandCode = CommandCode::PcrRead;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        self.selection.emit(out);
    }

    fn parse(_: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let selection = PcrSelection::parse(&mut reader)?;
        reader.finish("PCR selection")?;
        Ok(Self { selection })
    }
}

/// Values of the SHA-256 bank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PcrValues {
    /// Counts up with every change of a PCR.
    pub update_counter: u32,
    /// Whose values these are, in rising order; fewer than were asked for when there
    /// are too many for one answer.
    pub selection: PcrSelection,
    pub values: Vec<Digest, DIGESTS_A_READ>,
}

impl PcrValues {
    pub fn emit(&self, out: &mut Writer<'_>) {
        out.u32(self.update_counter);
        self.selection.emit(out);
        out.u32(self.values.len() as u32);
        self.values.iter().for_each(|value| out.sized(value));
    }

    pub fn parse(parameters: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(parameters);
        let update_counter = reader.u32("PCR update counter")?;
        let selection = PcrSelection::parse(&mut reader)?;
        let count = reader.u32("digest count")?;
        if count as usize > DIGESTS_A_READ || count != selection.pcrs.count_ones() {
            return Err(Malformed("digest count"));
        }
        let mut values = Vec::new();
        for _ in 0..count {
            let value = reader.sized("digest")?.try_into();
            let value: [u8; DIGEST_BYTES] = value.map_err(|_| Malformed("digest"))?;
            values.push(value).map_err(|_| Malformed("digest count"))?;
        }
        reader.finish("PCR values")?;
        Ok(Self {
            update_counter,
            selection,
            values,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PcrExtend {
    pub pcr: u32,
    pub digests: BankDigests,
}

impl Request<'_> for PcrExtend {
    const CODE: CommandCode = CommandCode::PcrExtend;
    const HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.pcr, 0]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        self.digests.emit(out);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let digests = BankDigests::parse(&mut reader)?;
        reader.finish("digests")?;
        Ok(Self {
            pcr: handles[0],
            digests,
        })
    }
}
