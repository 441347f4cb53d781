//! Commands of a word or two: start, end, self test, random bytes, flush.

use super::bytes::{Malformed, Reader, Writer};
use super::codes::CommandCode;
use super::packet::{HANDLES_MAX, Request};

/// Part 3, 9.3: the first command after power came on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Startup {
    /// Begin anew, instead of taking up what a shutdown left.
    pub is_clear: bool,
}

impl Request<'_> for Startup {
    const CODE: CommandCode = CommandCode::Startup;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u16(u16::from(!self.is_clear));
    }

    fn parse(_: [u32; HANDLES_MAX], reader: Reader<'_>) -> Result<Self, Malformed> {
        let is_clear = parse_is_clear(reader, "startup type")?;
        Ok(Self { is_clear })
    }
}

/// Part 3, 9.4: the last command before power goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shutdown {
    /// The next start begins anew, and nothing is kept for it.
    pub is_clear: bool,
}

impl Request<'_> for Shutdown {
    const CODE: CommandCode = CommandCode::Shutdown;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u16(u16::from(!self.is_clear));
    }

    fn parse(_: [u32; HANDLES_MAX], reader: Reader<'_>) -> Result<Self, Malformed> {
        let is_clear = parse_is_clear(reader, "shutdown type")?;
        Ok(Self { is_clear })
    }
}

/// A `TPM_SU` and nothing else: 0 to begin anew, 1 to go on with a state that was kept.
fn parse_is_clear(mut reader: Reader<'_>, name: &'static str) -> Result<bool, Malformed> {
    let kind = reader.u16(name)?;
    reader.finish(name)?;
    match kind {
        0 | 1 => Ok(kind == 0),
        _ => Err(Malformed(name)),
    }
}

/// Part 3, 10.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelfTest {
    /// All of it, also what was tested before.
    pub is_full: bool,
}

impl Request<'_> for SelfTest {
    const CODE: CommandCode = CommandCode::SelfTest;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u8(u8::from(self.is_full));
    }

    fn parse(_: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let is_full = reader.u8("full test")?;
        reader.finish("full test")?;
        match is_full {
            0 | 1 => Ok(Self {
                is_full: is_full == 1,
            }),
            _ => Err(Malformed("full test")),
        }
    }
}

/// Part 3, 16.1; the answer is one `TPM2B_DIGEST`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GetRandom {
    pub bytes: u16,
}

impl Request<'_> for GetRandom {
    const CODE: CommandCode = CommandCode::GetRandom;
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u16(self.bytes);
    }

    fn parse(_: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let bytes = reader.u16("bytes")?;
        reader.finish("bytes")?;
        Ok(Self { bytes })
    }
}

/// Reads an answer that is one `TPM2B` and nothing else.
pub fn parse_one_sized<'a>(
    parameters: &'a [u8],
    name: &'static str,
) -> Result<&'a [u8], Malformed> {
    let mut reader = Reader::new(parameters);
    let bytes = reader.sized(name)?;
    reader.finish(name)?;
    Ok(bytes)
}

/// Part 3, 28.4: a key or a session leaves the TPM's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlushContext {
    pub handle: u32,
}

impl Request<'_> for FlushContext {
    const CODE: CommandCode = CommandCode::FlushContext;
    // What is flushed is a parameter, not a handle that could be authorised.
    const HANDLES: usize = 0;

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.u32(self.handle);
    }

    fn parse(_: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let handle = reader.u32("handle")?;
        reader.finish("handle")?;
        Ok(Self { handle })
    }
}
