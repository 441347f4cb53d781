//! Sessions that prove who commands, and that the answer is the TPM's own.
//!
//! HMAC sessions over SHA-256, neither salted nor bound (TPM 2.0 Library, part 1,
//! 19.6): whoever listens on the bus does not learn the secret, and whoever changes a
//! command or an answer is found out. A secret that can be guessed can be tried out
//! by a listener, so it should be long.

use super::bytes::{Malformed, Reader, Writer};
use super::codes::{CommandCode, algorithm, handle};
use super::packet::{HANDLES_MAX, Request, ResponseParts};
use crate::base::digest::{DIGEST_BYTES, Digest, sha256};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KIND_HMAC: u8 = 0;
/// The session stays when the command has succeeded.
const CONTINUE: u8 = 1;
/// What an answer's nonce must have at least to be worth checking.
const NONCE_BYTES_MIN: usize = 16;
/// A block of SHA-256.
const HMAC_KEY_BYTES: usize = 64;

/// Part 3, 11.1: no salt, no binding, no encryption of parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StartAuthSession {
    pub nonce: Digest,
}

impl Request<'_> for StartAuthSession {
    const CODE: CommandCode = CommandCode::StartAuthSession;
    const HANDLES: usize = 2;
    const ANSWER_HANDLES: usize = 1;

    fn handles(&self) -> [u32; HANDLES_MAX] {
        [handle::NULL, handle::NULL]
    }

    fn emit_parameters(&self, out: &mut Writer<'_>) {
        out.sized(&self.nonce);
        out.sized(&[]);
        out.u8(KIND_HMAC);
        out.u16(algorithm::NULL);
        out.u16(algorithm::SHA256);
    }

    fn parse(handles: [u32; HANDLES_MAX], mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let nonce = reader.sized("nonce")?.try_into();
        let salt = reader.sized("salt")?;
        let kind = reader.u8("session kind")?;
        let symmetric = reader.u16("session algorithm")?;
        let hash = reader.u16("session hash")?;
        reader.finish("session hash")?;
        let is_ours = handles == [handle::NULL; 2]
            && salt.is_empty()
            && (kind, symmetric, hash) == (KIND_HMAC, algorithm::NULL, algorithm::SHA256);
        match (nonce, is_ours) {
            (Ok(nonce), true) => Ok(Self { nonce }),
            _ => Err(Malformed("session")),
        }
    }
}

/// One session's part of a command or of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuthArea<'a> {
    /// Only in commands.
    pub handle: u32,
    pub nonce: &'a [u8],
    pub attributes: u8,
    /// A password where the handle says so.
    pub hmac: &'a [u8],
}

impl<'a> AuthArea<'a> {
    pub fn parse_command(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let handle = reader.u32("session handle")?;
        let area = Self::parse_response(reader)?;
        Ok(Self { handle, ..area })
    }

    pub fn parse_response(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            handle: 0,
            nonce: reader.sized("session nonce")?,
            attributes: reader.u8("session attributes")?,
            hmac: reader.sized("session HMAC")?,
        })
    }

    /// As in an answer.
    pub fn emit_response(&self, out: &mut Writer<'_>) {
        out.sized(self.nonce);
        out.u8(self.attributes);
        out.sized(self.hmac);
    }
}

/// How a command is authorised.
pub enum Authorisation<'a> {
    /// It needs nothing.
    None,
    /// With the empty password, for what has no secret.
    EmptyPassword,
    Session {
        session: &'a mut Session,
        /// The secret of the first handle.
        secret: &'a [u8],
        /// The name of the index among the handles; others are their own names.
        index_name: &'a [u8],
        /// One that was never used before.
        nonce: Digest,
        /// Does the session stay for a next command?
        is_continued: bool,
    },
}

impl Authorisation<'_> {
    /// Writes the area, with zeroes where the HMAC comes; says where it begins.
    pub(super) fn reserve(&self, out: &mut Writer<'_>) -> usize {
        let start = out.length();
        match self {
            Self::None => {}
            Self::EmptyPassword => {
                let place = out.begin_sized_u32();
                out.u32(handle::PASSWORD);
                out.sized(&[]);
                out.u8(0);
                out.sized(&[]);
                out.end_sized_u32(place);
            }
            Self::Session {
                session,
                nonce,
                is_continued,
                ..
            } => {
                let place = out.begin_sized_u32();
                out.u32(session.handle);
                out.sized(nonce);
                out.u8(attributes(*is_continued));
                out.sized(&[0; DIGEST_BYTES]);
                out.end_sized_u32(place);
            }
        }
        start
    }

    /// Puts the HMAC where there is one, now that the parameters from `start` are known.
    pub(super) fn seal(
        &mut self,
        code: CommandCode,
        handles: &[u32],
        area: usize,
        start: usize,
        out: &mut Writer<'_>,
    ) {
        // Size, handle, nonce with its length, attributes, length.
        const HMAC_AT: usize = 4 + 4 + 2 + DIGEST_BYTES + 1 + 2;
        if let Self::Session {
            session,
            secret,
            index_name,
            nonce,
            is_continued,
        } = self
        {
            let hash = command_hash(code, handles, index_name, out.written_from(start));
            session.nonce_caller = *nonce;
            let attributes = attributes(*is_continued);
            let hmac = session.command_hmac(secret, &hash, attributes);
            out.put(area + HMAC_AT, &hmac);
        }
    }
}

fn attributes(is_continued: bool) -> u8 {
    match is_continued {
        true => CONTINUE,
        false => 0,
    }
}

/// cpHash: of the code, the names and the parameters (part 1, 16.7).
pub fn command_hash(
    code: CommandCode,
    handles: &[u32],
    index_name: &[u8],
    parameters: &[u8],
) -> Digest {
    let code = code.number().to_be_bytes();
    let mut names = [[0; 4]; HANDLES_MAX];
    let mut parts: [&[u8]; 2 + HANDLES_MAX] = [&[]; 2 + HANDLES_MAX];
    parts[0] = &code;
    for (index, (name, handle)) in names.iter_mut().zip(handles).enumerate() {
        *name = handle.to_be_bytes();
        parts[1 + index] = match name[0] {
            handle::NV_INDEX => index_name,
            _ => name,
        };
    }
    parts[1 + HANDLES_MAX] = parameters;
    sha256(&parts)
}

/// rpHash of a good answer.
pub fn response_hash(code: CommandCode, parameters: &[u8]) -> Digest {
    sha256(&[&[0; 4], &code.number().to_be_bytes(), parameters])
}

/// A session that a TPM has opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    pub handle: u32,
    pub nonce_caller: Digest,
    nonce_tpm: [u8; DIGEST_BYTES],
    nonce_tpm_bytes: usize,
}

impl Session {
    /// The answer to `StartAuthSession`.
    pub fn parse(handle: Option<u32>, parameters: &[u8]) -> Result<Self, Malformed> {
        let handle = handle
            .filter(|handle| handle.to_be_bytes()[0] == handle::HMAC_SESSION)
            .ok_or(Malformed("session handle"))?;
        let nonce = super::simple::parse_one_sized(parameters, "session nonce")?;
        Self::new(handle, nonce).ok_or(Malformed("session nonce"))
    }

    /// `None` for a nonce that is too short to be one, or too long.
    pub fn new(handle: u32, nonce: &[u8]) -> Option<Self> {
        let mut session = Self {
            handle,
            nonce_caller: [0; DIGEST_BYTES],
            nonce_tpm: [0; DIGEST_BYTES],
            nonce_tpm_bytes: 0,
        };
        session.set_nonce(nonce).then_some(session)
    }

    fn set_nonce(&mut self, nonce: &[u8]) -> bool {
        let is_good = (NONCE_BYTES_MIN..=DIGEST_BYTES).contains(&nonce.len());
        if is_good {
            self.nonce_tpm[..nonce.len()].copy_from_slice(nonce);
            self.nonce_tpm_bytes = nonce.len();
        }
        is_good
    }

    fn nonce_tpm(&self) -> &[u8] {
        &self.nonce_tpm[..self.nonce_tpm_bytes]
    }

    /// Over a command: its nonce is the newer one.
    pub fn command_hmac(&self, secret: &[u8], hash: &Digest, attributes: u8) -> Digest {
        let nonces = [&self.nonce_caller, self.nonce_tpm()];
        keyed(secret, hash, nonces, attributes)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Is this command from one who knows the secret? For those that play a TPM.
    pub fn is_command_right(&mut self, secret: &[u8], hash: &Digest, area: &AuthArea<'_>) -> bool {
        let Ok(nonce) = area.nonce.try_into() else {
            return false;
        };
        self.nonce_caller = nonce;
        let nonces = [&self.nonce_caller, self.nonce_tpm()];
        let expected = keyed(secret, hash, nonces, area.attributes);
        expected.verify_slice(area.hmac).is_ok()
    }

    /// Over an answer with this nonce, for those that play a TPM.
    pub fn response_hmac(
        &mut self,
        secret: &[u8],
        hash: &Digest,
        nonce: &Digest,
        attributes: u8,
    ) -> Digest {
        self.set_nonce(nonce);
        let nonces = [self.nonce_tpm(), &self.nonce_caller];
        keyed(secret, hash, nonces, attributes)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Is this answer from one who knows the secret, and to this very command?
    ///
    /// It takes as long for a wrong HMAC as for a right one.
    pub fn is_answer_right(
        &mut self,
        code: CommandCode,
        secret: &[u8],
        parts: &ResponseParts<'_>,
    ) -> bool {
        let Some(area) = parts.authorisation else {
            return false;
        };
        if !self.set_nonce(area.nonce) {
            return false;
        }
        let hash = response_hash(code, parts.parameters);
        let nonces = [self.nonce_tpm(), &self.nonce_caller];
        let expected = keyed(secret, &hash, nonces, area.attributes);
        expected.verify_slice(area.hmac).is_ok()
    }
}

/// Newer nonce first (part 1, 19.6.8). There is no session key, so the secret is all.
fn keyed(secret: &[u8], hash: &Digest, nonces: [&[u8]; 2], attributes: u8) -> Hmac<Sha256> {
    // A key of a whole block: zeroes behind a shorter one change nothing, and no TPM
    // takes a longer secret. So a secret's trailing zeroes do not count, as it should be.
    let mut key = [0; HMAC_KEY_BYTES];
    key.iter_mut()
        .zip(secret)
        .for_each(|(to, from)| *to = *from);
    let mut hmac = Hmac::<Sha256>::new(&key.into());
    hmac.update(hash);
    nonces.into_iter().for_each(|nonce| hmac.update(nonce));
    hmac.update(&[attributes]);
    hmac
}
