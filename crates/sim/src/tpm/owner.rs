//! A simulated TPM's owner: who proves to know the secret, by HMAC.

use super::{Body, plain, sized, with_session};
use rayos_kernel::base::digest::{Digest, sha256};
use rayos_kernel::drivers::tpm::codec::codes::{CommandCode, handle};
use rayos_kernel::drivers::tpm::codec::response_code::ResponseCode;
use rayos_kernel::drivers::tpm::codec::session::{AuthArea, Session, command_hash, response_hash};

/// Sessions that fit.
const SESSIONS_MAX: usize = 3;
/// The session stays for a next command.
const CONTINUE: u8 = 1;

pub struct Owner {
    secret: Vec<u8>,
    sessions: Vec<Session>,
}

/// How somebody has proved to be the owner.
pub enum Proof {
    Password,
    Session { handle: u32, attributes: u8 },
}

impl Owner {
    pub fn new(secret: &[u8]) -> Self {
        Self {
            secret: secret.to_vec(),
            sessions: Vec::new(),
        }
    }

    pub fn forget_sessions(&mut self) {
        self.sessions.clear();
    }

    pub fn start_session(&mut self, nonce: Digest, random: u64) -> Body {
        if self.sessions.len() == SESSIONS_MAX {
            return Err(ResponseCode::SESSION_HANDLES);
        }
        let is_free = |handle: &u32| self.sessions.iter().all(|own| own.handle != *handle);
        let first = u32::from(handle::HMAC_SESSION) << 24;
        let handle = (first..).find(is_free).unwrap_or(first);
        let own_nonce = fresh_nonce(random);
        let session = Session::new(handle, &own_nonce);
        let mut session = session.ok_or(ResponseCode::SESSION_MEMORY)?;
        session.nonce_caller = nonce;
        self.sessions.push(session);
        let mut body = handle.to_be_bytes().to_vec();
        body.extend(sized(&own_nonce));
        Ok(plain(&body))
    }

    pub fn flush(&mut self, handle: u32) -> Result<(), ResponseCode> {
        let place = self.sessions.iter().position(|own| own.handle == handle);
        let place = place.ok_or(ResponseCode::HANDLE.about_parameter(1))?;
        self.sessions.remove(place);
        Ok(())
    }

    pub fn check(
        &mut self,
        code: CommandCode,
        handles: &[u32],
        index_name: &[u8],
        parameters: &[u8],
        area: &AuthArea<'_>,
    ) -> Result<Proof, ResponseCode> {
        let wrong = ResponseCode::BAD_AUTH.about_session(1);
        if area.handle == handle::PASSWORD {
            let is_right = area.hmac == self.secret;
            return is_right.then_some(Proof::Password).ok_or(wrong);
        }
        let sessions = &mut self.sessions;
        let session = sessions.iter_mut().find(|own| own.handle == area.handle);
        let session = session.ok_or(ResponseCode::HANDLE.about_session(1))?;
        let hash = command_hash(code, handles, index_name, parameters);
        match session.is_command_right(&self.secret, &hash, area) {
            true => Ok(Proof::Session {
                handle: area.handle,
                attributes: area.attributes,
            }),
            false => Err(wrong),
        }
    }

    /// A good answer without parameters, with the proof that it is the TPM's own.
    pub fn sign(&mut self, code: CommandCode, proof: &Proof, random: u64) -> Vec<u8> {
        let Proof::Session { handle, attributes } = *proof else {
            let area = AuthArea {
                handle: 0,
                nonce: &[],
                attributes: CONTINUE,
                hmac: &[],
            };
            return with_session(&[], &area);
        };
        let nonce = fresh_nonce(random);
        let hash = response_hash(code, &[]);
        let session = self.sessions.iter_mut().find(|own| own.handle == handle);
        let hmac = session.map_or([0; 32], |session| {
            session.response_hmac(&self.secret, &hash, &nonce, attributes)
        });
        if attributes & CONTINUE == 0 {
            self.sessions.retain(|own| own.handle != handle);
        }
        let area = AuthArea {
            handle: 0,
            nonce: &nonce,
            attributes,
            hmac: &hmac,
        };
        with_session(&[], &area)
    }
}

fn fresh_nonce(random: u64) -> Digest {
    sha256(&[b"simulated nonce", &random.to_be_bytes()])
}
