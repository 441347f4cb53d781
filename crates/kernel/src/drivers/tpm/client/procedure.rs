//! What all procedures share: a command, its answer, the next command.

use super::job::{Answer, Job, TpmError};
use super::nv_load::NvLoad;
use super::nv_write::NvOwned;
use super::pcrs::{Extend, ReadPcrs};
use super::quote::Quote;
use super::random::Random;
use super::start::Start;
use crate::base::digest::{Digest, sha256};
use crate::drivers::tpm::codec::bank::BankSet;
use crate::drivers::tpm::codec::codes::CommandCode;
use crate::drivers::tpm::codec::packet::{self, Request, ResponseParts};
use crate::drivers::tpm::codec::session::Authorisation;
use crate::invariant;
use alloc::boxed::Box;

/// The answer to the last command; `None` when there was none.
pub type Came<'a> = Option<Result<ResponseParts<'a>, TpmError>>;

/// A command that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    pub code: CommandCode,
    pub bytes: usize,
    pub answer_handles: usize,
}

pub enum Next {
    Send(Pending),
    End(Result<Answer, TpmError>),
}

impl From<TpmError> for Next {
    fn from(error: TpmError) -> Self {
        Self::End(Err(error))
    }
}

/// What a procedure writes its commands with.
pub struct Outgoing<'a> {
    pub buffer: &'a mut [u8],
    pub nonces: &'a mut Nonces,
    /// Banks in use.
    pub banks: BankSet,
}

impl Outgoing<'_> {
    pub fn plain<'r, R: Request<'r>>(&mut self, request: &R) -> Next {
        self.send(request, &mut Authorisation::None)
    }

    /// For what has no secret but wants an authorisation.
    pub fn open<'r, R: Request<'r>>(&mut self, request: &R) -> Next {
        self.send(request, &mut Authorisation::EmptyPassword)
    }

    pub fn send<'r, R: Request<'r>>(
        &mut self,
        request: &R,
        authorisation: &mut Authorisation<'_>,
    ) -> Next {
        let bytes = packet::emit(request, authorisation, self.buffer);
        invariant!(bytes.is_some(), "a TPM command does not fit its buffer");
        Next::Send(Pending {
            code: R::CODE,
            bytes: bytes.unwrap_or_default(),
            answer_handles: R::ANSWER_HANDLES,
        })
    }
}

/// Numbers that are used once, from a seed that nobody can guess.
pub struct Nonces {
    seed: Digest,
    used: u64,
}

impl Nonces {
    pub const fn new(seed: Digest) -> Self {
        Self { seed, used: 0 }
    }

    pub fn next(&mut self) -> Digest {
        self.used += 1;
        sha256(&[b"rayos tpm nonce", &self.seed, &self.used.to_be_bytes()])
    }
}

/// One job on its way.
pub enum Procedure {
    Start(Start),
    Extend(Extend),
    ReadPcrs(Box<ReadPcrs>),
    Random(Random),
    Quote(Box<Quote>),
    NvOwned(Box<NvOwned>),
    NvLoad(NvLoad),
}

impl Procedure {
    pub fn of(job: Job) -> Self {
        match job {
            Job::Extend { pcr, digests } => Self::Extend(Extend { pcr, digests }),
            Job::ReadPcrs => Self::ReadPcrs(Box::default()),
            Job::Random { bytes } => Self::Random(Random::new(bytes)),
            Job::Quote { nonce } => Self::Quote(Box::new(Quote::new(nonce))),
            Job::NvStore { index, owner, data } => {
                Self::NvOwned(Box::new(NvOwned::store(index, owner, data)))
            }
            Job::NvLoad { index } => Self::NvLoad(NvLoad::new(index)),
            Job::NvRemove { index, owner } => {
                Self::NvOwned(Box::new(NvOwned::remove(index, owner)))
            }
        }
    }

    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        match self {
            Self::Start(procedure) => procedure.step(came, out),
            Self::Extend(procedure) => procedure.step(came, out),
            Self::ReadPcrs(procedure) => procedure.step(came, out),
            Self::Random(procedure) => procedure.step(came, out),
            Self::Quote(procedure) => procedure.step(came, out),
            Self::NvOwned(procedure) => procedure.step(came, out),
            Self::NvLoad(procedure) => procedure.step(came, out),
        }
    }
}
