//! The policy's record in the TPM: what was in force when somebody stored it.
//!
//! It outlives reboots and disks, so a machine that comes back with another policy,
//! or an older one, is found out.

use crate::base::digest::{DIGEST_BYTES, Digest, sha256};
use crate::drivers::tpm::client::{Answer, TpmError};
use crate::limits::TPM_NV_BYTES;
use core::fmt;

const MAGIC: &[u8; 8] = b"RAYOSPOL";
const FORMAT: u32 = 1;
const SUM_AT: usize = TPM_NV_BYTES - DIGEST_BYTES;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record {
    pub policy_version: u64,
    pub policy_digest: Digest,
    /// The audit trail's head and its length at that time.
    pub audit_head: Digest,
    pub audit_entries: u64,
    /// How often something was stored, over all boots.
    pub stored: u64,
}

/// Why bytes are no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// Nothing was ever stored there.
    Empty,
    /// It is not ours, or of another version of the kernel.
    Foreign,
    Damaged,
}

impl RecordError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Empty => "nothing was stored there yet",
            Self::Foreign => "what is stored there is no record of this kernel",
            Self::Damaged => "the record is damaged: its checksum does not fit",
        }
    }
}

/// What is known of the record that the TPM keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Nobody has asked the TPM yet, or there is none.
    Unknown,
    Record(Record),
    Bad(RecordError),
    Unreadable(TpmError),
}

impl Kept {
    pub fn of(result: &Result<Answer, TpmError>) -> Self {
        match result {
            Ok(Answer::NvLoaded(bytes)) => match bytes[..].try_into().map(Record::parse) {
                Ok(Ok(record)) => Self::Record(record),
                Ok(Err(error)) => Self::Bad(error),
                Err(_) => Self::Bad(RecordError::Foreign),
            },
            Ok(_) => Self::Unknown,
            Err(TpmError::NotStored { .. }) => Self::Bad(RecordError::Empty),
            Err(error) => Self::Unreadable(*error),
        }
    }

    pub const fn record(&self) -> Option<&Record> {
        match self {
            Self::Record(record) => Some(record),
            _ => None,
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Record(_) => f.write_str("stored"),
            Self::Bad(error) => f.write_str(error.reason()),
            Self::Unreadable(error) => write!(f, "{error}"),
        }
    }
}

impl Record {
    pub fn emit(&self) -> [u8; TPM_NV_BYTES] {
        let mut bytes = [0; TPM_NV_BYTES];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        put(MAGIC);
        put(&FORMAT.to_le_bytes());
        put(&self.policy_version.to_le_bytes());
        put(&self.policy_digest);
        put(&self.audit_head);
        put(&self.audit_entries.to_le_bytes());
        put(&self.stored.to_le_bytes());
        let sum = sha256(&[&bytes[..SUM_AT]]);
        bytes[SUM_AT..].copy_from_slice(&sum);
        bytes
    }

    pub fn parse(bytes: &[u8; TPM_NV_BYTES]) -> Result<Self, RecordError> {
        if bytes.iter().all(|byte| *byte == 0) || bytes.iter().all(|byte| *byte == 0xff) {
            return Err(RecordError::Empty);
        }
        let (head, sum) = bytes.split_at(SUM_AT);
        let Some((magic, mut rest)) = head.split_at_checked(MAGIC.len()) else {
            return Err(RecordError::Foreign);
        };
        let format = take(&mut rest).map(u32::from_le_bytes);
        if magic != MAGIC || format != Some(FORMAT) {
            return Err(RecordError::Foreign);
        }
        if sha256(&[head]) != sum {
            return Err(RecordError::Damaged);
        }
        Self::read(&mut rest).ok_or(RecordError::Foreign)
    }

    fn read(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            policy_version: take(rest).map(u64::from_le_bytes)?,
            policy_digest: take(rest)?,
            audit_head: take(rest)?,
            audit_entries: take(rest).map(u64::from_le_bytes)?,
            stored: take(rest).map(u64::from_le_bytes)?,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record {
        policy_version: 7,
        policy_digest: [1; DIGEST_BYTES],
        audit_head: [2; DIGEST_BYTES],
        audit_entries: 9,
        stored: 3,
    };

    #[test]
    fn a_record_comes_back_and_a_changed_bit_is_found() {
        let bytes = RECORD.emit();
        assert_eq!(Record::parse(&bytes), Ok(RECORD));
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert!(Record::parse(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_nobody_stored_is_no_damage() {
        for empty in [[0; TPM_NV_BYTES], [0xff; TPM_NV_BYTES]] {
            assert_eq!(Record::parse(&empty), Err(RecordError::Empty));
        }
        assert_eq!(Record::parse(&[7; TPM_NV_BYTES]), Err(RecordError::Foreign));
    }
}
