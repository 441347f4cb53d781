//! A client of one TPM: jobs go in, each comes out answered, one at a time.
//!
//! Limits: `TPM_JOBS_MAX` jobs wait, one runs, one command is under way.
//! Invariants: every job is answered once, within a bound of time; a key or a session
//! that a job has made is forgotten before the next one begins, also when it failed. A job
//! whose time is over while the TPM works for it leaves them until the TPM restarts.

pub mod job;
mod nv_load;
mod nv_write;
mod pcrs;
mod procedure;
mod quote;
mod random;
mod start;
#[cfg(test)]
mod tests;
mod verdict;
mod view;

pub use job::{Answer, Job, JobId, Nonce, NvData, PcrReport, QuoteReport, TpmError};
pub use view::{ClientState, ClientView, Counters};

use crate::base::digest::Digest;
use crate::base::fixed::{Full, Queue};
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFacts, TpmFault, TpmPort};
use crate::drivers::tpm::codec::bank::BankSet;
use crate::drivers::tpm::codec::capability::{Banks, Identity};
use crate::limits::{TPM_JOBS_MAX, TPM_MESSAGE_BYTES_MAX};
use alloc::boxed::Box;
use alloc::vec;
use procedure::{Came, Next, Nonces, Outgoing, Pending, Procedure};
use start::Start;
use verdict::{is_end, judge, may_repeat, pause};

/// Commands that may begin or end in one step.
const EVENTS_A_STEP: usize = 4;
/// How often a TPM is started before it counts as failed, and the pause between.
const STARTS_MAX: u32 = 3;
const START_PAUSE: Duration = Duration::from_millis(1000);
const START_DURATION_MAX: Duration = Duration::from_secs(90);
/// What a job that is late gets for leaving things in order.
const GRACE: Duration = Duration::from_secs(10);

struct Running {
    /// `None` for the start, which nobody asked for.
    id: Option<JobId>,
    procedure: Procedure,
    deadline: Instant,
    /// It was told that its time is over.
    is_late: bool,
}

/// The one command.
#[derive(Clone, Copy)]
enum Exchange {
    None,
    /// Waits until then.
    ToSend {
        pending: Pending,
        at: Instant,
        retries: u32,
    },
    Sent {
        pending: Pending,
        at: Instant,
        retries: u32,
    },
    /// Nobody waits for its answer any more, but the port is not free before it.
    Abandoned {
        until: Instant,
    },
}

pub struct Client {
    state: ClientState,
    facts: Option<TpmFacts>,
    identity: Identity,
    banks: Banks,
    queue: Queue<(JobId, Job), TPM_JOBS_MAX>,
    queue_high_water: usize,
    refused: u64,
    last_id: u64,
    running: Option<Running>,
    exchange: Exchange,
    /// The next start, where the last one has failed.
    starts: u32,
    start_at: Instant,
    done: Option<(JobId, Result<Answer, TpmError>)>,
    command: Box<[u8]>,
    answer: Box<[u8]>,
    nonces: Nonces,
    counters: Counters,
    /// When the port wants to be polled.
    port_deadline: Option<Instant>,
    /// Was it ever stepped? Before, nobody knows whether there is a TPM.
    is_looked_for: bool,
}

impl Client {
    /// The seed makes the nonces of sessions; nobody may be able to guess it.
    pub fn new(seed: Digest) -> Self {
        Self {
            state: ClientState::Absent,
            facts: None,
            identity: Identity::default(),
            banks: Banks::default(),
            queue: Queue::new(),
            queue_high_water: 0,
            refused: 0,
            last_id: 0,
            running: None,
            exchange: Exchange::None,
            starts: 0,
            start_at: Instant::ZERO,
            done: None,
            command: vec![0; TPM_MESSAGE_BYTES_MAX].into(),
            answer: vec![0; TPM_MESSAGE_BYTES_MAX].into(),
            nonces: Nonces::new(seed),
            counters: Counters::default(),
            port_deadline: None,
            is_looked_for: false,
        }
    }

    /// Takes a job; `take_done` has its answer one day, whatever happens.
    pub fn request(&mut self, job: Job) -> Result<JobId, Full> {
        let id = JobId(self.last_id + 1);
        if self.queue.push((id, job)).is_err() {
            self.refused += 1;
            return Err(Full);
        }
        self.last_id = id.0;
        self.queue_high_water = self.queue_high_water.max(self.queue.len());
        Ok(id)
    }

    /// Does what can be done now. No port means that there is no TPM.
    pub fn step(&mut self, now: Instant, port: Option<&mut dyn TpmPort>) {
        self.is_looked_for = true;
        let Some(port) = port else {
            return self.on_absent();
        };
        if self.state == ClientState::Absent {
            self.state = ClientState::Starting;
            (self.starts, self.start_at) = (0, now);
        }
        for _ in 0..EVENTS_A_STEP {
            if !self.advance(now, port) {
                break;
            }
        }
        let facts = port.facts();
        self.facts = Some(facts);
        self.port_deadline = port.next_deadline(now);
        if facts.is_gone && self.running.is_none() {
            self.state = ClientState::Failed(TpmError::Fault(TpmFault::Gone));
        }
    }

    /// The next job that has an answer.
    pub fn take_done(&mut self) -> Option<(JobId, Result<Answer, TpmError>)> {
        self.maybe_refuse();
        self.done.take()
    }

    /// When it wants to be stepped though nothing happens.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        if self.done.is_some() {
            return Some(now);
        }
        match (self.exchange, &self.running) {
            (Exchange::ToSend { at, .. }, Some(running)) => Some(at.min(running.deadline)),
            (Exchange::ToSend { at, .. }, None) => Some(at),
            (Exchange::Sent { .. }, running) => {
                let deadline = running.as_ref().map(|running| running.deadline);
                self.port_deadline.into_iter().chain(deadline).min()
            }
            (Exchange::Abandoned { until }, _) => {
                self.port_deadline.into_iter().chain([until]).min()
            }
            (Exchange::None, _) => match self.state {
                ClientState::Starting => Some(self.start_at),
                _ => (!self.queue.is_empty()).then_some(now),
            },
        }
    }

    pub const fn state(&self) -> ClientState {
        self.state
    }

    /// Those in use whose hash this kernel can compute.
    pub const fn banks(&self) -> BankSet {
        self.banks.active
    }

    pub fn view(&self) -> ClientView {
        ClientView {
            state: self.state,
            facts: self.facts,
            identity: self.identity.clone(),
            banks: self.banks,
            counters: self.counters,
            waiting: self.queue.len(),
            is_busy: self.running.is_some(),
        }
    }

    pub fn usage(&self) -> Usage {
        Usage {
            used: Some(self.queue.len() as u64),
            high_water: Some(self.queue_high_water as u64),
            refused: Some(self.refused),
            ..Usage::of("TPM_JOBS_MAX", TPM_JOBS_MAX)
        }
    }

    fn on_absent(&mut self) {
        self.exchange = Exchange::None;
        self.port_deadline = None;
        self.facts = None;
        self.state = ClientState::Absent;
        if let Some(running) = self.running.take() {
            self.answer_job(running.id, Err(TpmError::Fault(TpmFault::Gone)));
        }
    }

    /// Without a TPM, or with a failed one, what waits is answered as it is taken.
    fn maybe_refuse(&mut self) {
        let reason = match self.state {
            ClientState::Absent if self.is_looked_for => TpmError::Absent,
            ClientState::Failed(reason) => reason,
            _ => return,
        };
        if self.done.is_none()
            && let Some((id, _)) = self.queue.pop()
        {
            self.answer_job(Some(id), Err(reason));
        }
    }

    /// One event; false when there is nothing to do now.
    fn advance(&mut self, now: Instant, port: &mut dyn TpmPort) -> bool {
        match self.exchange {
            Exchange::None => self.maybe_begin(now),
            Exchange::ToSend {
                pending,
                at,
                retries,
            } => {
                if now < at {
                    return self.maybe_late(now);
                }
                self.send(now, port, pending, retries);
                true
            }
            Exchange::Sent {
                pending,
                at,
                retries,
            } => match port.poll(now, &mut self.answer) {
                None => self.maybe_late(now),
                Some(result) => {
                    let took = now.since(at);
                    self.counters.longest = self.counters.longest.max(took);
                    self.on_exchange(now, pending, retries, result);
                    true
                }
            },
            Exchange::Abandoned { until } => self.wait_abandoned(now, port, until),
        }
    }

    fn wait_abandoned(&mut self, now: Instant, port: &mut dyn TpmPort, until: Instant) -> bool {
        if port.poll(now, &mut self.answer).is_some() {
            self.exchange = Exchange::None;
            return true;
        }
        if now >= until {
            self.exchange = Exchange::None;
            self.state = ClientState::Failed(TpmError::Late);
        }
        false
    }

    /// Begins the start or the next job.
    fn maybe_begin(&mut self, now: Instant) -> bool {
        if self.done.is_some() {
            return false;
        }
        let running = match self.state {
            ClientState::Starting if now >= self.start_at => Running {
                id: None,
                procedure: Procedure::Start(Start::default()),
                deadline: now + START_DURATION_MAX,
                is_late: false,
            },
            ClientState::Ready => match self.queue.pop() {
                Some((id, job)) => Running {
                    id: Some(id),
                    deadline: now + job.duration_max(),
                    procedure: Procedure::of(job),
                    is_late: false,
                },
                None => return false,
            },
            _ => return false,
        };
        self.running = Some(running);
        self.feed(now, None);
        true
    }

    fn send(&mut self, now: Instant, port: &mut dyn TpmPort, pending: Pending, retries: u32) {
        self.counters.commands += 1;
        let command = &self.command[..pending.bytes];
        match port.send(now, command) {
            Ok(()) => {
                self.exchange = Exchange::Sent {
                    pending,
                    at: now,
                    retries,
                };
            }
            Err(fault) => self.on_fault(now, fault),
        }
    }

    fn on_fault(&mut self, now: Instant, fault: TpmFault) {
        self.counters.faults += 1;
        self.feed(now, Some(Err(fault.into())));
    }

    fn on_exchange(
        &mut self,
        now: Instant,
        pending: Pending,
        retries: u32,
        result: Result<usize, TpmFault>,
    ) {
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(fault) => return self.on_fault(now, fault),
        };
        // The answer leaves its place for a moment, because the next command is made from it.
        let answer = core::mem::take(&mut self.answer);
        let bytes = answer.get(..bytes).unwrap_or_default();
        match judge(pending, bytes) {
            Err(TpmError::Refused { code, .. }) if may_repeat(pending, code, retries) => {
                self.counters.retries += 1;
                self.exchange = Exchange::ToSend {
                    pending,
                    at: now + pause(retries),
                    retries: retries + 1,
                };
            }
            came => {
                match &came {
                    Err(TpmError::Refused { .. }) => self.counters.refusals += 1,
                    Err(_) => self.counters.malformed += 1,
                    Ok(_) => {}
                }
                self.feed(now, Some(came));
            }
        }
        self.answer = answer;
    }

    /// Gives the procedure what has come, and takes from it what is next.
    fn feed(&mut self, now: Instant, came: Came<'_>) {
        self.exchange = Exchange::None;
        let Some(running) = &mut self.running else {
            return;
        };
        let mut out = Outgoing {
            buffer: &mut self.command,
            nonces: &mut self.nonces,
            banks: self.banks.active,
        };
        match running.procedure.step(came, &mut out) {
            Next::Send(pending) => {
                self.exchange = Exchange::ToSend {
                    pending,
                    at: now,
                    retries: 0,
                };
            }
            Next::End(result) => self.finish(now, result),
        }
    }

    fn finish(&mut self, now: Instant, result: Result<Answer, TpmError>) {
        let Some(running) = self.running.take() else {
            return;
        };
        match running.procedure {
            Procedure::Start(start) => self.on_started(now, start, result.map(drop)),
            _ => {
                if let Err(error) = &result
                    && is_end(error)
                {
                    self.state = ClientState::Failed(*error);
                }
                self.answer_job(running.id, result);
            }
        }
    }

    fn on_started(&mut self, now: Instant, start: Start, result: Result<(), TpmError>) {
        self.starts += 1;
        match result {
            Ok(()) => {
                self.identity = start.identity;
                self.banks = start.banks;
                self.state = ClientState::Ready;
            }
            Err(error) if self.starts >= STARTS_MAX || is_end(&error) => {
                self.state = ClientState::Failed(error);
            }
            Err(_) => self.start_at = now + START_PAUSE,
        }
    }

    fn answer_job(&mut self, id: Option<JobId>, result: Result<Answer, TpmError>) {
        let Some(id) = id else { return };
        match &result {
            Ok(_) => self.counters.jobs_done += 1,
            Err(_) => self.counters.jobs_failed += 1,
        }
        self.done = Some((id, result));
    }

    /// Ends what takes too long; true when that changed something.
    fn maybe_late(&mut self, now: Instant) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        if now < running.deadline {
            return false;
        }
        match self.exchange {
            // It has sent nothing now, so it can leave things in order, once.
            Exchange::ToSend { .. } if !running.is_late => {
                running.is_late = true;
                running.deadline = now + GRACE;
                self.feed(now, Some(Err(TpmError::Late)));
            }
            Exchange::Sent { .. } => {
                self.finish(now, Err(TpmError::Late));
                self.exchange = Exchange::Abandoned { until: now + GRACE };
            }
            _ => {
                self.finish(now, Err(TpmError::Late));
                self.exchange = Exchange::None;
            }
        }
        true
    }
}
