//! Measured boot: what was booted goes into a TPM's registers and into a log.
//!
//! Six phases, in order; no command is taken before the last is over. Whatever is
//! measured goes the same way: the TPM is asked to extend, and when it has, the event
//! goes into the log. So the log and the registers say the same at every moment.
//! Without a TPM, or from the moment on in which it fails, the log's own replay is
//! the bank of registers; that is called `software (not attested)` everywhere.
//!
//! Limits: `EVENT_LOG_EVENTS_MAX`; `TPM_JOBS_MAX` measurements that wait.
//! Invariants: nothing is extended that has no place in the log; events are logged in
//! the order in which they were measured.

use super::code_hash::CodeHash;
use super::log::EventLog;
use super::measurement::{DATA_BYTES_MAX, MeasureError, Measurement, pcr};
use super::phase::{Phase, Phases};
use super::record::Kept;
use super::request::{NV_INDEX, Requests};
use crate::base::boot_inputs::BootInputs;
use crate::base::digest::{Digest, Hex};
use crate::base::fixed::{Queue, Text, Vec};
use crate::base::hash::Algorithm;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::base::tpm::TpmPort;
use crate::drivers::tpm::client::{Answer, Client, ClientState, ClientView, Job, JobId, TpmError};
use crate::drivers::tpm::codec::bank::BankDigests;
use crate::limits::{PCRS_SHOWN, TPM_JOBS_MAX};
use crate::security::policy::Policy;
use alloc::boxed::Box;

/// Bytes of a sentence about why there is no TPM, or none any more.
pub const REASON_BYTES: usize = 120;
pub type Reason = Text<REASON_BYTES>;

/// Where the registers are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Root {
    /// Nobody knows yet.
    Sought,
    Tpm,
    /// In memory, and why.
    Software(Reason),
}

/// How far the boot's own measurements have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The TPM is started, and what is in its registers is read.
    Starting,
    /// The kernel's code is being hashed; all else waits for it.
    Hashing,
    /// All is measured; some of it is on its way.
    Measuring,
    Settled,
}

/// Why a machine with a TPM is not attested.
pub const NOT_MEASURED: &str = "not attested: something was not measured";
const MORE_THAN_LOGGED: &str = "not attested: the registers held more than the firmware's log says";

/// How long a boot waits for its TPM, a very slow one included.
const BOOT_PATIENCE: Duration = Duration::from_secs(20);
/// Random bytes that the kernel takes from the TPM at the start.
const FRESH_BYTES: usize = 32;

/// How many measurements there are up to this one.
pub type Sequence = u64;

pub struct MeasuredBoot {
    pub(super) client: Box<Client>,
    pub(super) log: EventLog,
    root: Root,
    phases: Phases,
    stage: Stage,
    code: CodeHash,
    /// Measured and not yet logged, oldest first, with the work that the TPM does for it.
    waiting: Box<Queue<(Option<JobId>, Measurement), TPM_JOBS_MAX>>,
    reading: Option<JobId>,
    /// The registers before anything of ours was in them.
    found: Option<[Digest; PCRS_SHOWN]>,
    inputs: BootInputs,
    path: &'static str,
    pub(super) requests: Requests,
    pub(super) kept: Kept,
    keeping: Option<JobId>,
    news: Option<Reason>,
    /// Why the firmware's log was not gone on with, where there was one.
    firmware_problem: Option<&'static str>,
    /// Why the TPM does not vouch for all that was booted.
    doubt: Option<&'static str>,
    is_lost: bool,
    /// The policy that is in force, by its version and digest.
    in_force: Option<(u64, Digest)>,
    /// The one that was measured last.
    policy: Option<(u64, Digest)>,
    /// One that never will be, for the log is full.
    unmeasured: Option<(u64, Digest)>,
    logged: Sequence,
    entropy: Option<JobId>,
    /// Random bytes that nobody has taken yet.
    fresh: Option<[u8; FRESH_BYTES]>,
    refused: u64,
    /// When the boot goes on without a TPM that has not done its part.
    give_up_at: Option<Instant>,
}

impl MeasuredBoot {
    /// Takes all the memory that it will ever use.
    #[inline(never)]
    pub fn new(inputs: BootInputs, path: &'static str, seed: Digest) -> Box<Self> {
        Box::new(Self {
            client: Box::new(Client::new(seed)),
            log: EventLog::new(),
            root: Root::Sought,
            phases: Phases::default(),
            stage: Stage::Starting,
            code: CodeHash::new(),
            waiting: Box::default(),
            reading: None,
            found: None,
            inputs,
            path,
            requests: Requests::default(),
            kept: Kept::Unknown,
            keeping: None,
            news: None,
            firmware_problem: None,
            doubt: None,
            is_lost: false,
            in_force: None,
            policy: None,
            unmeasured: None,
            logged: 0,
            entropy: None,
            fresh: None,
            refused: 0,
            give_up_at: None,
        })
    }

    /// Goes on with what there is to do now.
    pub fn step(&mut self, now: Instant, port: Option<&mut dyn TpmPort>, policy: &Policy) {
        let is_there = port.is_some();
        self.in_force = Some((policy.version(), *policy.digest()));
        self.client.step(now, port);
        while let Some((id, result)) = self.client.take_done() {
            self.on_done(now, id, result);
        }
        if let ClientState::Failed(error) = self.client.state() {
            self.on_tpm_lost(now, &error);
        }
        let give_up_at = *self.give_up_at.get_or_insert(now + BOOT_PATIENCE);
        if now >= give_up_at && !self.is_settled() {
            self.on_tpm_lost(now, &TpmError::Late);
        }
        match self.stage {
            Stage::Starting => self.find_registers(now, is_there),
            Stage::Hashing => self.hash(now, policy),
            Stage::Measuring if self.waiting.is_empty() => self.become_settled(now),
            Stage::Measuring => {}
            Stage::Settled => self.maybe_measure_policy(now),
        }
    }

    /// When it wants to be stepped though nothing happens.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        match self.stage {
            Stage::Hashing => Some(now),
            Stage::Measuring if self.waiting.is_empty() => Some(now),
            Stage::Settled => self.client.next_deadline(now),
            _ => self
                .client
                .next_deadline(now)
                .into_iter()
                .chain(self.give_up_at)
                .min(),
        }
    }

    /// Looks whether there is a TPM, and reads what it holds.
    fn find_registers(&mut self, now: Instant, is_there: bool) {
        if !is_there {
            let reason = Text::cut_from("this machine has no TPM, or it is left alone");
            return self.begin(now, Root::Software(reason));
        }
        match self.client.state() {
            ClientState::Ready if self.found.is_some() => self.begin(now, Root::Tpm),
            ClientState::Ready if self.reading.is_none() => {
                // The first work of all: there is room for it.
                self.reading = self.client.request(Job::ReadPcrs).ok();
                let bytes = FRESH_BYTES;
                self.entropy = self.client.request(Job::Random { bytes }).ok();
                self.look_at_kept();
            }
            _ => {}
        }
    }

    /// Asks the TPM for what it has kept of the policy.
    pub(super) fn look_at_kept(&mut self) {
        let index = NV_INDEX;
        self.keeping = self.client.request(Job::NvLoad { index }).ok();
    }

    /// It is known where the registers are.
    fn begin(&mut self, now: Instant, root: Root) {
        let is_tpm = root == Root::Tpm;
        match is_tpm {
            true => {
                let mut banks = Vec::<Algorithm, { Algorithm::ALL.len() }>::new();
                for bank in self.client.banks().iter() {
                    // As many as there are.
                    let _ = banks.push(bank);
                }
                self.log.begin(&banks);
            }
            false => self.log.begin(&[Algorithm::Sha256]),
        }
        let firmware_log = core::mem::take(&mut self.inputs.firmware_log);
        let mut is_adopted = false;
        // A log without the registers that it is about says nothing that could be checked.
        if is_tpm && !firmware_log.is_empty() {
            match self.log.adopt(&firmware_log) {
                Ok(_) => is_adopted = true,
                Err(error) => self.firmware_problem = Some(error.reason()),
            }
        }
        // What else was extended nobody can replay, so the log and the registers never fit.
        if is_tpm && self.found != Some(self.log.expected().shown()) {
            self.doubt = Some(MORE_THAN_LOGGED);
            self.news = Some(Text::cut_from(MORE_THAN_LOGGED));
        }
        self.root = root;
        if !is_adopted {
            self.expect(now, Measurement::loader(self.path));
            for pcr in 0..8 {
                self.expect(now, Measurement::separator(pcr));
            }
        }
        self.phases.end(Phase::Firmware, now);
        self.measure_settings(now);
        self.stage = Stage::Hashing;
    }

    fn measure_settings(&mut self, now: Instant) {
        let line = self.inputs.command_line;
        self.expect(
            now,
            Measurement::of(pcr::CONFIGURATION, "command-line", &line),
        );
        let token = match &self.inputs.token {
            Some(fingerprint) => Measurement::new(
                pcr::CONFIGURATION,
                format_args!("rayos token fingerprint={}", Hex(fingerprint)),
            ),
            None => Measurement::new(pcr::CONFIGURATION, format_args!("rayos token none")),
        };
        self.expect(now, token.ending(Phase::Configuration));
    }

    /// Hashes a slice of the code, and at its end measures all that is left.
    fn hash(&mut self, now: Instant, policy: &Policy) {
        let Some(code) = self.code.step(&self.inputs.code) else {
            return;
        };
        self.expect(now, Measurement::of(pcr::KERNEL, "kernel-code", &code));
        let data = Measurement::of_some(pcr::KERNEL, "kernel-data", self.inputs.data.as_ref());
        self.expect(now, data.ending(Phase::Kernel));
        let ramdisk = Measurement::of_some(pcr::RAMDISK, "ramdisk", self.inputs.ramdisk.as_ref());
        self.expect(now, ramdisk.ending(Phase::Ramdisk));
        self.policy = self.in_force;
        let measurement = Measurement::policy(policy.version(), policy.digest());
        self.expect(now, measurement.ending(Phase::Policy));
        self.stage = Stage::Measuring;
    }

    /// Measures what boot must measure.
    fn expect(&mut self, now: Instant, measurement: Measurement) {
        if let Err(error) = self.measure(now, measurement) {
            self.doubt = Some(NOT_MEASURED);
            self.news = Some(Text::cut_from(error.reason()));
        }
    }

    fn become_settled(&mut self, now: Instant) {
        self.stage = Stage::Settled;
        self.phases.end(Phase::Running, now);
        self.answer_from_memory();
    }

    /// Measures the policy if it is another than the one that was measured last.
    fn maybe_measure_policy(&mut self, now: Instant) {
        if [self.policy, self.unmeasured].contains(&self.in_force) {
            return;
        }
        let Some((version, digest)) = self.in_force else {
            return;
        };
        match self.measure(now, Measurement::policy(version, &digest)) {
            Ok(_) => self.policy = self.in_force,
            // A full log stays full; that was counted once.
            Err(MeasureError::LogFull) => self.unmeasured = self.in_force,
            Err(MeasureError::TooMany) => {}
        }
    }

    /// Extends a register and logs it. Whatever is asked of the TPM later finds it done.
    pub fn measure(
        &mut self,
        now: Instant,
        measurement: Measurement,
    ) -> Result<Sequence, MeasureError> {
        let (waiting, bytes) = (self.waiting.len(), measurement.data().len());
        if !self.log.has_room(bytes.max(DATA_BYTES_MAX), waiting) {
            self.log.on_refused();
            return Err(MeasureError::LogFull);
        }
        if self.waiting.space() == 0 {
            self.refused += 1;
            return Err(MeasureError::TooMany);
        }
        let job = match self.root {
            Root::Tpm => Some(self.extend(&measurement)?),
            _ => None,
        };
        // Its room was looked at above.
        let _ = self.waiting.push((job, measurement));
        self.log_what_is_done(now);
        Ok(self.logged + self.waiting.len() as u64)
    }

    fn extend(&mut self, measurement: &Measurement) -> Result<JobId, MeasureError> {
        let banks = self.client.banks();
        let digests = BankDigests::of_data(banks, measurement.data());
        let pcr = u32::from(measurement.pcr);
        let job = self.client.request(Job::Extend { pcr, digests });
        job.map_err(|_| MeasureError::TooMany)
    }

    /// Logs what needs no TPM any more, up to the first that waits for one.
    fn log_what_is_done(&mut self, now: Instant) {
        while matches!(self.waiting.front(), Some((None, _)))
            && let Some((_, measurement)) = self.waiting.pop()
        {
            let kept = self
                .log
                .push(measurement.pcr, measurement.kind, measurement.data());
            crate::invariant!(kept.is_ok(), "a measurement has lost its place in the log");
            self.logged += 1;
            if let Some(phase) = measurement.ends {
                self.phases.end(phase, now);
            }
        }
    }

    fn on_done(&mut self, now: Instant, id: JobId, result: Result<Answer, TpmError>) {
        let extending = self.waiting.front().and_then(|(job, _)| *job);
        let id = Some(id);
        if extending == id {
            match result {
                Ok(_) => self.on_extended(now),
                Err(error) => self.on_tpm_lost(now, &error),
            }
        } else if self.reading == id {
            match result {
                Ok(Answer::Pcrs(pcrs)) => self.found = Some(pcrs.values),
                Ok(_) => {}
                Err(error) => self.on_tpm_lost(now, &error),
            }
        } else if self.entropy == id {
            if let Ok(Answer::Random(bytes)) = result {
                self.fresh = bytes[..].try_into().ok();
            }
        } else if self.keeping == id {
            self.kept = Kept::of(&result);
        } else if let Some(id) = id {
            self.on_request_done(id, result);
        }
    }

    fn on_extended(&mut self, now: Instant) {
        if let Some((job, _)) = self.waiting.front_mut() {
            *job = None;
        }
        self.log_what_is_done(now);
    }

    /// The TPM does not do what it is asked: from now on the registers are in memory.
    fn on_tpm_lost(&mut self, now: Instant, error: &TpmError) {
        let reason = Text::format(format_args!("the TPM failed: {error}"));
        match self.root {
            Root::Sought => self.begin(now, Root::Software(reason.clone())),
            Root::Tpm => self.root = Root::Software(reason.clone()),
            Root::Software(_) => return,
        }
        self.is_lost = true;
        self.news = Some(reason);
        self.waiting.iter_mut().for_each(|(job, _)| *job = None);
        self.log_what_is_done(now);
    }

    /// May commands be taken? With a TPM only when all is measured: it would vouch for what
    /// they did to the machine before. Without one nobody vouches for anything.
    pub fn is_open(&self) -> bool {
        self.is_settled() || matches!(self.root, Root::Software(_))
    }

    /// Has everything been measured that the machine was booted from?
    pub fn is_settled(&self) -> bool {
        self.stage == Stage::Settled
    }

    /// Does a TPM vouch for all of it?
    pub fn is_attested(&self) -> bool {
        let is_whole = self.doubt.is_none() && self.log.refused() == 0;
        self.is_settled() && self.root == Root::Tpm && is_whole
    }

    /// Why it does not, where it could.
    pub const fn doubt(&self) -> Option<&'static str> {
        self.doubt
    }

    /// Was there a TPM that failed?
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// How many measurements are in the log.
    pub const fn logged(&self) -> Sequence {
        self.logged
    }

    /// Of the policy that was measured last.
    pub fn policy_digest(&self) -> Option<Digest> {
        self.policy.map(|(_, digest)| digest)
    }

    /// Was this policy in force when it was looked last?
    pub fn is_in_force(&self, digest: &Digest) -> bool {
        self.in_force.is_some_and(|(_, own)| own == *digest)
    }

    /// Random bytes of the TPM, once.
    pub fn take_fresh(&mut self) -> Option<[u8; FRESH_BYTES]> {
        self.fresh.take()
    }

    /// Bad news about the TPM, once.
    pub fn take_news(&mut self) -> Option<Reason> {
        self.news.take()
    }

    pub const fn log(&self) -> &EventLog {
        &self.log
    }

    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// What the TPM has kept of the policy.
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    pub fn tpm(&self) -> ClientView {
        self.client.view()
    }

    pub fn phases(&self) -> impl Iterator<Item = (Phase, Option<Instant>)> {
        Phase::ALL
            .into_iter()
            .map(|phase| (phase, self.phases.ended(phase)))
    }

    /// What became of the firmware's log.
    pub const fn firmware_log_name(&self) -> &'static str {
        match self.firmware_problem {
            Some(reason) => reason,
            None if self.log.firmware_events() > 0 => "gone on with",
            None => "none",
        }
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        self.log.visit_usages(visit);
        visit(&self.client.usage());
        visit(
            &Usage::of("TPM_JOBS_MAX", TPM_JOBS_MAX)
                .used(self.waiting.len() as u64)
                .refused(self.refused),
        );
        visit(&self.requests.usage());
    }
}
