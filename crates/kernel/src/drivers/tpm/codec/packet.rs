//! The frame of commands and answers (TPM 2.0 Library, part 1, 18).

use super::bytes::{Malformed, Reader, Writer};
use super::codes::{CommandCode, tag};
use super::response_code::ResponseCode;
use super::session::{AuthArea, Authorisation};

pub const HEADER_BYTES: usize = 10;
/// Handles that a command of ours has at most.
pub const HANDLES_MAX: usize = 2;

/// A command's meaning: handles and parameters. Both directions of it.
pub trait Request<'a>: Sized {
    const CODE: CommandCode;
    /// Handles of the command, and of its answer.
    const HANDLES: usize;
    const ANSWER_HANDLES: usize = 0;

    /// As many as `HANDLES`; the rest is ignored.
    fn handles(&self) -> [u32; HANDLES_MAX] {
        [0; HANDLES_MAX]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>);

    fn parse(handles: [u32; HANDLES_MAX], parameters: Reader<'a>) -> Result<Self, Malformed>;
}

/// Writes a whole command. `None` when it does not fit, which no sane one does not.
pub fn emit<'a, R: Request<'a>>(
    request: &R,
    authorisation: &mut Authorisation<'_>,
    buffer: &mut [u8],
) -> Option<usize> {
    let mut out = Writer::new(buffer);
    out.u16(match authorisation {
        Authorisation::None => tag::NO_SESSIONS,
        _ => tag::SESSIONS,
    });
    out.u32(0);
    out.u32(R::CODE.number());
    let handles = request.handles();
    handles[..R::HANDLES]
        .iter()
        .for_each(|handle| out.u32(*handle));
    let area = authorisation.reserve(&mut out);
    let start = out.length();
    request.emit_parameters(&mut out);
    authorisation.seal(R::CODE, &handles[..R::HANDLES], area, start, &mut out);
    let length = out.length();
    out.put(2, &(length as u32).to_be_bytes());
    out.finish()
}

/// A command as it came, its frame checked.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    pub code: u32,
    has_sessions: bool,
    body: Reader<'a>,
}

/// A command cut into its parts.
#[derive(Clone, Debug)]
pub struct CommandParts<'a> {
    pub handles: [u32; HANDLES_MAX],
    pub authorisation: Option<AuthArea<'a>>,
    pub parameters: &'a [u8],
}

impl<'a> Command<'a> {
    pub fn new_checked(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (tag, code) = frame(bytes, &mut reader)?;
        Ok(Self {
            code,
            has_sessions: tag == tag::SESSIONS,
            body: reader,
        })
    }

    pub fn parts(&self, handle_count: usize) -> Result<CommandParts<'a>, Malformed> {
        let mut reader = self.body.clone();
        let mut handles = [0; HANDLES_MAX];
        for handle in handles.iter_mut().take(handle_count) {
            *handle = reader.u32("handle")?;
        }
        let authorisation = match self.has_sessions {
            true => {
                let bytes = reader.u32("authorisation size")? as usize;
                let mut area = Reader::new(reader.bytes(bytes, "authorisation size")?);
                let authorisation = AuthArea::parse_command(&mut area)?;
                area.finish("authorisation size")?;
                Some(authorisation)
            }
            false => None,
        };
        Ok(CommandParts {
            handles,
            authorisation,
            parameters: reader.rest(),
        })
    }

    pub fn parse<R: Request<'a>>(&self) -> Result<(R, Option<AuthArea<'a>>), Malformed> {
        if self.code != R::CODE.number() {
            return Err(Malformed("command code"));
        }
        let parts = self.parts(R::HANDLES)?;
        let request = R::parse(parts.handles, Reader::new(parts.parameters))?;
        Ok((request, parts.authorisation))
    }
}

/// An answer as it came, its frame checked.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    pub code: ResponseCode,
    has_sessions: bool,
    body: Reader<'a>,
}

/// A good answer cut into its parts.
#[derive(Clone, Debug)]
pub struct ResponseParts<'a> {
    /// The one handle that answers of ours have.
    pub handle: Option<u32>,
    pub parameters: &'a [u8],
    pub authorisation: Option<AuthArea<'a>>,
}

impl<'a> Response<'a> {
    pub fn new_checked(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (tag, code) = frame(bytes, &mut reader)?;
        let code = ResponseCode(code);
        // A failed command's answer is its header and nothing else (part 1, 18.5).
        let is_whole = code.is_success() || reader.rest().is_empty();
        if !is_whole || (!code.is_success() && tag == tag::SESSIONS) {
            return Err(Malformed("more than a response code in a refusal"));
        }
        Ok(Self {
            code,
            has_sessions: tag == tag::SESSIONS,
            body: reader,
        })
    }

    pub fn parts(&self, handle_count: usize) -> Result<ResponseParts<'a>, Malformed> {
        let mut reader = self.body.clone();
        let handle = match handle_count {
            0 => None,
            _ => Some(reader.u32("handle")?),
        };
        if !self.has_sessions {
            return Ok(ResponseParts {
                handle,
                parameters: reader.rest(),
                authorisation: None,
            });
        }
        let bytes = reader.u32("parameter size")? as usize;
        let parameters = reader.bytes(bytes, "parameter size")?;
        let authorisation = AuthArea::parse_response(&mut reader)?;
        reader.finish("bytes behind the answer")?;
        Ok(ResponseParts {
            handle,
            parameters,
            authorisation: Some(authorisation),
        })
    }
}

/// Writes an answer that refuses.
pub fn emit_refusal(code: ResponseCode, buffer: &mut [u8]) -> Option<usize> {
    let mut out = Writer::new(buffer);
    out.u16(match code {
        // What is no TPM 2.0 command is answered as a TPM 1.2 does.
        ResponseCode::BAD_TAG => 0x00c4,
        _ => tag::NO_SESSIONS,
    });
    out.u32(HEADER_BYTES as u32);
    out.u32(code.0);
    out.finish()
}

/// The tag and the code behind the length, which must be that of all bytes.
fn frame(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(u16, u32), Malformed> {
    let tag = reader.u16("tag")?;
    let length = reader.u32("length")?;
    let code = reader.u32("code")?;
    let is_old_refusal = tag == 0x00c4 && bytes.len() == HEADER_BYTES;
    if !matches!(tag, tag::NO_SESSIONS | tag::SESSIONS) && !is_old_refusal {
        return Err(Malformed("tag"));
    }
    match usize::try_from(length) == Ok(bytes.len()) {
        true => Ok((tag, code)),
        false => Err(Malformed("length")),
    }
}
