//! Random bytes from the TPM.

use super::job::{Answer, RANDOM_BYTES_MAX, TpmError};
use super::procedure::{Came, Next, Outgoing};
use crate::base::fixed::Vec;
use crate::drivers::tpm::codec::bytes::Malformed;
use crate::drivers::tpm::codec::simple::{GetRandom, parse_one_sized};

pub struct Random {
    wanted: usize,
    bytes: Vec<u8, RANDOM_BYTES_MAX>,
}

impl Random {
    pub const fn new(wanted: usize) -> Self {
        Self {
            wanted,
            bytes: Vec::new(),
        }
    }

    /// An answer may have fewer bytes than were asked for, but brings one at least.
    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        if self.wanted > RANDOM_BYTES_MAX {
            return TpmError::TooManyBytes.into();
        }
        let taken = match came {
            None => Ok(()),
            Some(Ok(parts)) => self.take(parts.parameters),
            Some(Err(error)) => Err(error),
        };
        if let Err(error) = taken {
            return error.into();
        }
        match self.wanted - self.bytes.len() {
            0 => Next::End(Ok(Answer::Random(self.bytes.clone()))),
            missing => out.plain(&GetRandom {
                bytes: missing as u16,
            }),
        }
    }

    fn take(&mut self, parameters: &[u8]) -> Result<(), TpmError> {
        let bytes = parse_one_sized(parameters, "random bytes")?;
        let missing = self.wanted - self.bytes.len();
        if bytes.is_empty() || bytes.len() > missing {
            return Err(Malformed("random bytes").into());
        }
        let added = self.bytes.extend_from_slice(bytes);
        added.map_err(|_| Malformed("random bytes").into())
    }
}
