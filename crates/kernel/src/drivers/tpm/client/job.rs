//! What can be wanted of a TPM, and what comes of it.

use crate::base::digest::Digest;
use crate::base::fixed::Vec;
use crate::base::time::Duration;
use crate::base::token::Secret;
use crate::base::tpm::TpmFault;
use crate::drivers::tpm::codec::attest::{MESSAGE_BYTES_MAX, NONCE_BYTES_MAX, SIGNATURE_BYTES_MAX};
use crate::drivers::tpm::codec::bank::{Bank, BankDigests};
use crate::drivers::tpm::codec::bytes::Malformed;
use crate::drivers::tpm::codec::codes::CommandCode;
use crate::drivers::tpm::codec::key::PUBLIC_BYTES_MAX;
use crate::drivers::tpm::codec::response_code::ResponseCode;
use crate::limits::{PCRS_SHOWN, TPM_NV_BYTES};
use alloc::boxed::Box;
use core::fmt;

/// Random bytes of one job: what the smallest TPM gives in one answer.
pub const RANDOM_BYTES_MAX: usize = 32;

/// The number of a job; never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct JobId(pub(super) u64);

/// What is kept without power.
pub type NvData = Vec<u8, TPM_NV_BYTES>;
pub type Nonce = Vec<u8, NONCE_BYTES_MAX>;

#[derive(Clone, Debug)]
pub enum Job {
    /// A digest must be given for each bank that is in use.
    Extend {
        pcr: u32,
        digests: BankDigests,
    },
    /// PCRs 0 to 15 of the SHA-256 bank, all of one moment.
    ReadPcrs,
    /// At most `RANDOM_BYTES_MAX`.
    Random {
        bytes: usize,
    },
    /// PCRs 0 to 15 of the SHA-256 bank, signed.
    Quote {
        nonce: Nonce,
    },
    /// Keeps bytes without power; makes the index first, where it is missing.
    NvStore {
        index: u32,
        owner: Option<Secret>,
        data: [u8; TPM_NV_BYTES],
    },
    NvLoad {
        index: u32,
    },
    NvRemove {
        index: u32,
        owner: Option<Secret>,
    },
}

impl Job {
    /// How long it may take once it has begun.
    pub(super) const fn duration_max(&self) -> Duration {
        match self {
            // Its key is made anew, which some TPMs take long for.
            Self::Quote { .. } => Duration::from_secs(120),
            _ => Duration::from_secs(30),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Extended,
    Pcrs(Box<PcrReport>),
    Random(Vec<u8, RANDOM_BYTES_MAX>),
    Quote(Box<QuoteReport>),
    NvStored {
        /// The index was not there before.
        is_new: bool,
    },
    NvLoaded(Box<NvData>),
    NvRemoved,
}

/// The SHA-256 bank at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PcrReport {
    pub update_counter: u32,
    pub values: [Digest; PCRS_SHOWN],
}

/// What a verifier needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuoteReport {
    pub nonce: Nonce,
    /// `TPMS_ATTEST`
    pub message: Vec<u8, MESSAGE_BYTES_MAX>,
    /// `TPMT_SIGNATURE`
    pub signature: Vec<u8, SIGNATURE_BYTES_MAX>,
    /// `TPM2B_PUBLIC`
    pub public: Vec<u8, PUBLIC_BYTES_MAX>,
    /// The values that were signed.
    pub pcrs: PcrReport,
}

/// Why a job was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TpmError {
    Absent,
    Fault(TpmFault),
    Malformed(Malformed),
    Refused {
        command: CommandCode,
        code: ResponseCode,
    },
    /// An answer's HMAC is not that of one who knows the owner's secret.
    Forged,
    /// Something else changes the PCRs all the time.
    Unsteady,
    /// The job's time is over.
    Late,
    NoDigestFor(Bank),
    NoSha256Bank,
    TooManyBytes,
    /// Nothing was stored under this index.
    NotStored {
        index: u32,
    },
    /// The index is somebody else's.
    Foreign {
        index: u32,
    },
}

impl From<Malformed> for TpmError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<TpmFault> for TpmError {
    fn from(fault: TpmFault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for TpmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no TPM, or it is left alone; see status"),
            Self::Fault(fault) => write!(f, "{fault}"),
            Self::Malformed(malformed) => write!(f, "{malformed}; try again"),
            // The owner's secret has no part in making a key.
            Self::Refused {
                command: CommandCode::CreatePrimary,
                code,
            } if code.is_wrong_secret() => f.write_str(
                "the TPM's endorsement hierarchy has an authorisation, and keys are made without one; \
                 remove it with tpm2_changeauth -c endorsement",
            ),
            Self::Refused { command, code } => write!(f, "{}: {code}", command.name()),
            Self::Forged => f.write_str(
                "the answer is not the TPM's own: somebody between it and the processor changes it",
            ),
            Self::Unsteady => f.write_str("the PCRs change while they are read; try again"),
            Self::Late => f.write_str("the TPM took too long; try again"),
            Self::NoDigestFor(bank) => {
                write!(
                    f,
                    "the TPM has a {} bank, and no digest for it",
                    bank.name()
                )
            }
            Self::NoSha256Bank => f.write_str(
                "the TPM has no SHA-256 bank in use; switch it on in the firmware's setup",
            ),
            Self::TooManyBytes => write!(f, "at most {RANDOM_BYTES_MAX} bytes at a time"),
            Self::NotStored { index } => {
                write!(
                    f,
                    "nothing is stored in the TPM under {index:#010x}; store it first"
                )
            }
            Self::Foreign { index } => write!(
                f,
                "NV index {index:#010x} was made by another system; remove it with tpm2_nvundefine"
            ),
        }
    }
}
