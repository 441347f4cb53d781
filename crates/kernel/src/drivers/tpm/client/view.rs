//! What a TPM's client shows of itself.

use super::job::TpmError;
use crate::base::time::Duration;
use crate::base::tpm::TpmFacts;
use crate::drivers::tpm::codec::capability::{Banks, Identity};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientState {
    Absent,
    Starting,
    Ready,
    /// It stays so until the machine restarts.
    Failed(TpmError),
}

impl ClientState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Failed(_) => "failed",
        }
    }
}

/// What has happened since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    pub commands: u64,
    /// Commands that were sent again because the TPM was busy.
    pub retries: u64,
    /// Exchanges without a whole answer.
    pub faults: u64,
    /// Answers that made no sense.
    pub malformed: u64,
    /// Answers that refuse.
    pub refusals: u64,
    pub jobs_done: u64,
    pub jobs_failed: u64,
    /// From a command to its answer, the longest.
    pub longest: Duration,
}

#[derive(Clone, Debug)]
pub struct ClientView {
    pub state: ClientState,
    pub facts: Option<TpmFacts>,
    pub identity: Identity,
    pub banks: Banks,
    pub counters: Counters,
    pub waiting: usize,
    pub is_busy: bool,
}
