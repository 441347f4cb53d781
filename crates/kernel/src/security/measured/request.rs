//! What people ask of the TPM, and what has come of it.
//!
//! Limits: `TPM_REQUESTS_MAX` at the same time.

use super::boot::{MeasuredBoot, Root};
use super::record::{Kept, Record};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::base::time::Duration;
use crate::base::token::Secret;
use crate::drivers::tpm::client::{Answer, Job, JobId, Nonce, TpmError};
use crate::limits::TPM_REQUESTS_MAX;

/// A quote has to be made by a slow device, behind others.
pub const LIMIT: Duration = Duration::from_secs(60);
/// In the range of the owner's own indices (TCG Registry of Reserved TPM 2.0 Handles, 2.2).
pub const NV_INDEX: u32 = 0x0180_5250;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The registers as they are now.
    Pcrs,
    /// Whether log and registers fit.
    Verify,
    Quote(Nonce),
    /// Keeps what is in force now.
    Store,
    /// Reads what was kept.
    Load,
}

/// One that runs or waits to be told.
pub(super) struct Request {
    id: OperationId,
    pub wish: Wish,
    state: RequestState,
    /// The log when the TPM had answered.
    pub log_events: usize,
    pub log_bytes: usize,
}

enum RequestState {
    /// For the boot to be measured.
    Waits,
    Runs(JobId),
    Done(Result<Answer, TpmError>),
    /// There is no TPM, and none is needed for this.
    Software,
}

#[derive(Default)]
pub(super) struct Requests {
    all: Vec<Request, TPM_REQUESTS_MAX>,
    refused: u64,
}

impl Requests {
    pub fn usage(&self) -> Usage {
        Usage::of("TPM_REQUESTS_MAX", TPM_REQUESTS_MAX)
            .used(self.all.len() as u64)
            .refused(self.refused)
    }
}

impl MeasuredBoot {
    const FULL: &str = "too much is asked of the TPM; wait until some of it is answered";
    const NO_TPM: &str = "the registers are software (not attested): nothing here can sign or keep anything; boot on a machine with a TPM";

    /// Begins with what somebody asks for. `in_force` is what would be kept.
    pub fn start(
        &mut self,
        id: OperationId,
        wish: Wish,
        in_force: &Record,
        owner: Option<&Secret>,
    ) -> Result<(), &'static str> {
        if self.requests.all.is_full() {
            self.requests.refused += 1;
            return Err(Self::FULL);
        }
        let state = match (self.root(), &wish) {
            (Root::Tpm, _) => {
                let job = self.job_of(&wish, in_force, owner);
                let job = self.client.request(job).map_err(|_| Self::FULL)?;
                RequestState::Runs(job)
            }
            (Root::Sought | Root::Software(_), Wish::Pcrs | Wish::Verify) => RequestState::Waits,
            (Root::Sought | Root::Software(_), _) => return Err(Self::NO_TPM),
        };
        let request = Request {
            id,
            wish,
            state,
            log_events: self.log().len(),
            log_bytes: self.log().bytes().len(),
        };
        // Its room was looked at above.
        let _ = self.requests.all.push(request);
        self.answer_from_memory();
        Ok(())
    }

    /// Registers in memory can be read once all is in them.
    pub(super) fn answer_from_memory(&mut self) {
        if !self.is_settled() {
            return;
        }
        for request in self.requests.all.iter_mut() {
            if let RequestState::Waits = request.state {
                request.state = RequestState::Software;
            }
        }
    }

    fn job_of(&self, wish: &Wish, in_force: &Record, owner: Option<&Secret>) -> Job {
        match wish {
            Wish::Pcrs | Wish::Verify => Job::ReadPcrs,
            Wish::Quote(nonce) => Job::Quote {
                nonce: nonce.clone(),
            },
            Wish::Store => {
                let before = self.kept().record().map_or(0, |record| record.stored);
                let record = Record {
                    // It was read from outside.
                    stored: before.saturating_add(1),
                    ..*in_force
                };
                Job::NvStore {
                    index: NV_INDEX,
                    owner: owner.cloned(),
                    data: record.emit(),
                }
            }
            Wish::Load => Job::NvLoad { index: NV_INDEX },
        }
    }

    pub(super) fn on_request_done(&mut self, job: JobId, result: Result<Answer, TpmError>) {
        let (events, bytes) = (self.log().len(), self.log().bytes().len());
        let mut all = self.requests.all.iter_mut();
        let is_of = |request: &&mut Request| matches!(request.state, RequestState::Runs(running) if running == job);
        let Some(request) = all.find(is_of) else {
            return;
        };
        (request.log_events, request.log_bytes) = (events, bytes);
        let wish = request.wish.clone();
        let is_stored = wish == Wish::Store && result.is_ok();
        if wish == Wish::Load {
            self.kept = Kept::of(&result);
        }
        request.state = RequestState::Done(result);
        if is_stored {
            // What it holds is what it says.
            self.look_at_kept();
        }
    }
}

impl Performer for MeasuredBoot {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let is_done = |request: &Request| {
            let runs = matches!(request.state, RequestState::Waits | RequestState::Runs(_));
            request.id == id && !runs
        };
        let Some(index) = self.requests.all.iter().position(is_done) else {
            return false;
        };
        let Some(request) = self.requests.all.remove(index) else {
            return false;
        };
        match &request.state {
            RequestState::Waits | RequestState::Runs(_) => {}
            RequestState::Software => {
                let pcrs = self.log().expected().shown();
                self.report_pcrs(&request, &pcrs, report);
            }
            RequestState::Done(Ok(answer)) => self.report_answer(&request, answer, report),
            RequestState::Done(Err(error)) => report.fail(format_args!("{error}")),
        }
        true
    }

    fn forget(&mut self, id: OperationId) {
        let mut all = self.requests.all.iter();
        if let Some(index) = all.position(|request| request.id == id) {
            self.requests.all.remove(index);
        }
    }
}
