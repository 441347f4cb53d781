//! Memory that stays without power (TPM 2.0 Library, part 3, 31).

use super::bytes::{Malformed, Reader, Writer};
use super::codes::{CommandCode, algorithm, handle};
use super::packet::{HANDLES_MAX, Request};
use crate::base::digest::{DIGEST_BYTES, sha256};

/// Bits of `TPMA_NV` (part 2, 13.4).
pub mod attribute {
    pub const OWNER_WRITE: u32 = 1 << 1;
    pub const WRITE_LOCKED: u32 = 1 << 11;
    pub const OWNER_READ: u32 = 1 << 17;
    pub const AUTH_READ: u32 = 1 << 18;
    pub const NO_DICTIONARY_ATTACK_LOCK: u32 = 1 << 25;
    pub const WRITTEN: u32 = 1 << 29;
}

/// Only the owner writes, everybody reads.
pub const OWNED_ATTRIBUTES: u32 = attribute::OWNER_WRITE
    | attribute::OWNER_READ
    | attribute::AUTH_READ
    | attribute::NO_DICTIONARY_ATTACK_LOCK;

/// Bytes of a name that is a SHA-256: the algorithm and the digest.
pub const NAME_BYTES: usize = 2 + DIGEST_BYTES;
const PUBLIC_BYTES_MAX: usize = 14;

/// What an index is, without a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvPublic {
    pub index: u32,
    pub name_algorithm: u16,
    pub attributes: u32,
    pub has_policy: bool,
    pub bytes: u16,
}

impl NvPublic {
    /// An index for the owner to write and for all to read.
    pub const fn owned(index: u32, bytes: u16) -> Self {
        Self {
            index,
            name_algorithm: algorithm::SHA256,
            attributes: OWNED_ATTRIBUTES,
            has_policy: false,
            bytes,
        }
    }

    pub fn is_written(&self) -> bool {
        self.attributes & attribute::WRITTEN != 0
    }

    /// Is it as `owned` makes it, written or not?
    pub fn is_owned(&self) -> bool {
        let own = Self::owned(self.index, self.bytes);
        let attributes = self.attributes & !attribute::WRITTEN;
        own == Self {
            attributes,
            ..*self
        }
    }

    fn emit(&self, out: &mut Writer<'_>) {
        out.u32(self.index);
        out.u16(self.name_algorithm);
        out.u32(self.attributes);
        out.sized(&[]);
        out.u16(self.bytes);
    }

    pub fn emit_sized(&self, out: &mut Writer<'_>) {
        let place = out.begin_sized();
        self.emit(out);
        out.end_sized(place);
    }

    /// The inside of a `TPM2B_NV_PUBLIC`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let index = reader.u32("NV index")?;
        let name_algorithm = reader.u16("NV name algorithm")?;
        let attributes = reader.u32("NV attributes")?;
        let policy = reader.sized("NV policy")?;
        let bytes = reader.u16("NV size")?;
        reader.finish("NV description")?;
        if index.to_be_bytes()[0] != handle::NV_INDEX {
            return Err(Malformed("NV index"));
        }
        Ok(Self {
            index,
            name_algorithm,
            attributes,
            has_policy: !policy.is_empty(),
            bytes,
        })
    }

    /// What authorisations are bound to (part 1, 16).
    pub fn name(&self) -> [u8; NAME_BYTES] {
        let mut buffer = [0; PUBLIC_BYTES_MAX];
        let mut out = Writer::new(&mut buffer);
        self.emit(&mut out);
        let digest = sha256(&[out.written_from(0)]);
        let mut name = [0; NAME_BYTES];
        name[..2].copy_from_slice(&algorithm::SHA256.to_be_bytes());
        name[2..].copy_from_slice(&digest);
        name
    }
}

/// Part 3, 31.6; the answer is the description and the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvReadPublic {
    pub index: u32,
}

impl Request<'_> for NvReadPublic {
    const CODE: CommandCode = CommandCode::NvReadPublic;
    const HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.index, 0]
    }

    fn emit_parameters(&self, _: &mut Writer<'_>) {}

    fn parse(handles: [u32; HANDLES_MAX], reader: Reader<'_>) -> Result<Self, Malformed> {
        reader.finish("parameters")?;
        Ok(Self { index: handles[0] })
    }
}

/// An answer to `NvReadPublic`. The name must be that of the description, where this
/// kernel can tell.
pub fn parse_public(parameters: &[u8]) -> Result<NvPublic, Malformed> {
    let mut reader = Reader::new(parameters);
    let public = NvPublic::parse(reader.sized("NV description")?)?;
    let name = reader.sized("NV name")?;
    reader.finish("NV name")?;
    if public.is_owned() && name != public.name() {
        return Err(Malformed("NV name"));
    }
    Ok(public)
}

/// Part 3, 31.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvDefineSpace {
    /// Who makes it: the owner.
    pub by: u32,
    pub public: NvPublic,
}

impl Request<'_> for NvDefineSpace {
    const CODE: CommandCode = CommandCode::NvDefineSpace;
    const HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.by, 0]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        // The index has no authorisation of its own: the owner's is the one that counts.
        out.sized(&[]);
        self.public.emit_sized(out);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        if !reader.sized("NV authorisation")?.is_empty() {
            return Err(Malformed("NV authorisation"));
        }
        let public = NvPublic::parse(reader.sized("NV description")?)?;
        reader.finish("NV description")?;
        Ok(Self {
            by: handles[0],
            public,
        })
    }
}

/// Part 3, 31.4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvUndefineSpace {
    pub by: u32,
    pub index: u32,
}

impl Request<'_> for NvUndefineSpace {
    const CODE: CommandCode = CommandCode::NvUndefineSpace;
    const HANDLES: usize = 2;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.by, self.index]
    }

    fn emit_parameters(&self, _: &mut Writer<'_>) {}

    fn parse(handles: [u32; HANDLES_MAX], reader: Reader<'_>) -> Result<Self, Malformed> {
        reader.finish("parameters")?;
        Ok(Self {
            by: handles[0],
            index: handles[1],
        })
    }
}

/// Part 3, 31.7.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvWrite<'a> {
    pub by: u32,
    pub index: u32,
    pub data: &'a [u8],
    pub offset: u16,
}

impl<'a> Request<'a> for NvWrite<'a> {
    const CODE: CommandCode = CommandCode::NvWrite;
    const HANDLES: usize = 2;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.by, self.index]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.sized(self.data);
        out.u16(self.offset);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'a>) -> Result<Self, Malformed> {
        let data = reader.sized("NV data")?;
        let offset = reader.u16("NV offset")?;
        reader.finish("NV offset")?;
        Ok(Self {
            by: handles[0],
            index: handles[1],
            data,
            offset,
        })
    }
}

/// Part 3, 31.13; the answer is one `TPM2B_MAX_NV_BUFFER`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NvRead {
    /// Whose authorisation it is: the index itself.
    pub by: u32,
    pub index: u32,
    pub bytes: u16,
    pub offset: u16,
}

impl Request<'_> for NvRead {
    const CODE: CommandCode = CommandCode::NvRead;
    const HANDLES: usize = 2;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [self.by, self.index]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u16(self.bytes);
        out.u16(self.offset);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let bytes = reader.u16("NV size")?;
        let offset = reader.u16("NV offset")?;
        reader.finish("NV offset")?;
        Ok(Self {
            by: handles[0],
            index: handles[1],
            bytes,
            offset,
        })
    }
}
