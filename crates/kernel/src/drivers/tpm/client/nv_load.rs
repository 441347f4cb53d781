//! Reading what was stored in the TPM.

use super::job::{Answer, NvData, TpmError};
use super::procedure::{Came, Next, Outgoing};
use crate::drivers::tpm::codec::bytes::Malformed;
use crate::drivers::tpm::codec::codes::CommandCode;
use crate::drivers::tpm::codec::nv::{NvPublic, NvRead, NvReadPublic, parse_public};
use crate::drivers::tpm::codec::packet::ResponseParts;
use crate::drivers::tpm::codec::response_code::ResponseCode;
use crate::drivers::tpm::codec::simple::parse_one_sized;
use crate::limits::TPM_NV_BYTES;
use alloc::boxed::Box;

pub struct NvLoad {
    index: u32,
    /// Known once the index was asked about.
    public: Option<NvPublic>,
}

impl NvLoad {
    pub const fn new(index: u32) -> Self {
        Self {
            index,
            public: None,
        }
    }

    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        let index = self.index;
        let result = match (came, self.public) {
            (None, _) => return out.plain(&NvReadPublic { index }),
            (Some(came), None) => look_at(index, came),
            (Some(Ok(parts)), Some(public)) => return Next::End(loaded(&parts, &public)),
            (Some(Err(error)), Some(_)) => Err(error),
        };
        match result {
            Ok(None) => TpmError::NotStored { index }.into(),
            Ok(Some(public)) if !public.is_written() => TpmError::NotStored { index }.into(),
            Ok(Some(public)) => {
                self.public = Some(public);
                out.open(&NvRead {
                    by: index,
                    index,
                    bytes: length(&public),
                    offset: 0,
                })
            }
            Err(error) => error.into(),
        }
    }
}

fn length(public: &NvPublic) -> u16 {
    public.bytes.min(TPM_NV_BYTES as u16)
}

fn loaded(parts: &ResponseParts<'_>, public: &NvPublic) -> Result<Answer, TpmError> {
    let data = parse_one_sized(parts.parameters, "NV data")?;
    let mut kept: Box<NvData> = Box::default();
    let is_whole = data.len() == usize::from(length(public));
    match is_whole && kept.extend_from_slice(data).is_ok() {
        true => Ok(Answer::NvLoaded(kept)),
        false => Err(Malformed("NV data").into()),
    }
}

/// What an index is, from the answer to `NvReadPublic`; `None` when it is missing.
pub fn look_at(
    index: u32,
    came: Result<ResponseParts<'_>, TpmError>,
) -> Result<Option<NvPublic>, TpmError> {
    let parts = match came {
        Ok(parts) => parts,
        Err(TpmError::Refused {
            command: CommandCode::NvReadPublic,
            code,
        }) if code.kind() == ResponseCode::HANDLE => return Ok(None),
        Err(error) => return Err(error),
    };
    let public = parse_public(parts.parameters)?;
    if public.index != index {
        return Err(Malformed("NV index").into());
    }
    match public.is_owned() {
        true => Ok(Some(public)),
        false => Err(TpmError::Foreign { index }),
    }
}
