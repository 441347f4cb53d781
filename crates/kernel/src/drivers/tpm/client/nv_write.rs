//! Storing bytes in the TPM and removing them, as its owner.
//!
//! The secret never crosses the bus: a session proves that both sides know it. The
//! session is closed by its last command, or by itself when something fails.

use super::job::{Answer, TpmError};
use super::nv_load::look_at;
use super::procedure::{Came, Next, Outgoing};
use crate::base::token::Secret;
use crate::drivers::tpm::codec::codes::{CommandCode, handle};
use crate::drivers::tpm::codec::nv::{
    NvDefineSpace, NvPublic, NvReadPublic, NvUndefineSpace, NvWrite,
};
use crate::drivers::tpm::codec::packet::{Request, ResponseParts};
use crate::drivers::tpm::codec::session::{Authorisation, Session, StartAuthSession};
use crate::drivers::tpm::codec::simple::FlushContext;
use crate::limits::TPM_NV_BYTES;

pub struct NvOwned {
    stage: Stage,
    public: NvPublic,
    owner: Option<Secret>,
    /// What is to be written; `None` to remove the index.
    data: Option<[u8; TPM_NV_BYTES]>,
    is_new: bool,
    /// As long as the TPM holds it.
    session: Option<Session>,
    result: Result<(), TpmError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Look,
    Open,
    Define,
    Write,
    Remove,
    Close,
    End,
}

impl NvOwned {
    pub const fn store(index: u32, owner: Option<Secret>, data: [u8; TPM_NV_BYTES]) -> Self {
        Self::new(index, owner, Some(data))
    }

    pub const fn remove(index: u32, owner: Option<Secret>) -> Self {
        Self::new(index, owner, None)
    }

    const fn new(index: u32, owner: Option<Secret>, data: Option<[u8; TPM_NV_BYTES]>) -> Self {
        Self {
            stage: Stage::Begin,
            public: NvPublic::owned(index, TPM_NV_BYTES as u16),
            owner,
            data,
            is_new: false,
            session: None,
            result: Ok(()),
        }
    }

    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        let result = match came {
            None => Ok(Stage::Look),
            // Whether it could be closed changes nothing about what was done.
            Some(_) if self.stage == Stage::Close => Ok(Stage::End),
            Some(came) => self.on_answer(came),
        };
        self.stage = result.unwrap_or_else(|error| {
            self.result = Err(error);
            Stage::Close
        });
        self.send(out)
    }

    fn send(&mut self, out: &mut Outgoing<'_>) -> Next {
        let (by, index) = (handle::OWNER, self.public.index);
        let data = self.data.unwrap_or([0; TPM_NV_BYTES]);
        match self.stage {
            Stage::Begin | Stage::Look => out.plain(&NvReadPublic { index }),
            Stage::Open => {
                let nonce = out.nonces.next();
                out.plain(&StartAuthSession { nonce })
            }
            Stage::Define => {
                let public = self.public;
                self.authorised(&NvDefineSpace { by, public }, true, out)
            }
            Stage::Write => {
                let request = NvWrite {
                    by,
                    index,
                    data: &data,
                    offset: 0,
                };
                self.authorised(&request, false, out)
            }
            Stage::Remove => self.authorised(&NvUndefineSpace { by, index }, false, out),
            Stage::Close => match self.session.take() {
                Some(session) => out.plain(&FlushContext {
                    handle: session.handle,
                }),
                None => self.end(),
            },
            Stage::End => self.end(),
        }
    }

    fn authorised<'r, R: Request<'r>>(
        &mut self,
        request: &R,
        is_continued: bool,
        out: &mut Outgoing<'_>,
    ) -> Next {
        let Some(session) = &mut self.session else {
            return self.end();
        };
        let nonce = out.nonces.next();
        let name = self.public.name();
        let mut authorisation = Authorisation::Session {
            session,
            secret: self.owner.as_ref().map_or(&[], Secret::expose),
            index_name: &name,
            nonce,
            is_continued,
        };
        out.send(request, &mut authorisation)
    }

    fn end(&self) -> Next {
        Next::End(self.result.map(|()| match self.data {
            Some(_) => Answer::NvStored {
                is_new: self.is_new,
            },
            None => Answer::NvRemoved,
        }))
    }

    /// What comes next.
    fn on_answer(&mut self, came: Result<ResponseParts<'_>, TpmError>) -> Result<Stage, TpmError> {
        match self.stage {
            Stage::Look => self.on_look(came),
            Stage::Open => {
                let parts = came?;
                self.session = Some(Session::parse(parts.handle, parts.parameters)?);
                Ok(match (self.data, self.is_new) {
                    (None, _) => Stage::Remove,
                    (Some(_), true) => Stage::Define,
                    (Some(_), false) => Stage::Write,
                })
            }
            Stage::Define => {
                self.check(CommandCode::NvDefineSpace, came)?;
                Ok(Stage::Write)
            }
            Stage::Write => self.check_last(CommandCode::NvWrite, came),
            Stage::Remove => self.check_last(CommandCode::NvUndefineSpace, came),
            Stage::Begin | Stage::Close | Stage::End => Ok(Stage::End),
        }
    }

    fn on_look(&mut self, came: Result<ResponseParts<'_>, TpmError>) -> Result<Stage, TpmError> {
        let index = self.public.index;
        match look_at(index, came)? {
            // Of another size: not one that this kernel has made.
            Some(public) if usize::from(public.bytes) != TPM_NV_BYTES => {
                Err(TpmError::Foreign { index })
            }
            Some(public) => {
                self.public = public;
                Ok(Stage::Open)
            }
            None if self.data.is_none() => Err(TpmError::NotStored { index }),
            None => {
                self.is_new = true;
                Ok(Stage::Open)
            }
        }
    }

    /// The last command's session is gone with it.
    fn check_last(
        &mut self,
        code: CommandCode,
        came: Result<ResponseParts<'_>, TpmError>,
    ) -> Result<Stage, TpmError> {
        self.check(code, came)?;
        self.session = None;
        Ok(Stage::End)
    }

    /// Was it the TPM that answered?
    fn check(
        &mut self,
        code: CommandCode,
        came: Result<ResponseParts<'_>, TpmError>,
    ) -> Result<(), TpmError> {
        let parts = came?;
        let secret = self.owner.as_ref().map_or(&[][..], Secret::expose);
        let session = self.session.as_mut().ok_or(TpmError::Forged)?;
        match session.is_answer_right(code, secret, &parts) {
            true => Ok(()),
            false => Err(TpmError::Forged),
        }
    }
}
