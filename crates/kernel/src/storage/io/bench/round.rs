//! One scheduler under one workload on one model, with the real queue.

use super::disk::{ModelDisk, SECTORS};
use super::workload::{Pace, Places, SHARES, Stream, Workload};
use crate::base::buffer::Buffer;
use crate::base::disk::{DiskOperation, SECTOR_BYTES};
use crate::base::fixed::Vec;
use crate::base::histogram::Histogram;
use crate::base::prng::Prng;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::storage::io::model::ModelKind;
use crate::storage::io::schedulers::Policy;
use crate::storage::io::{BlockQueue, IoRequest, IoTag, Owner};
use alloc::boxed::Box;

const STREAMS_MAX: usize = 4;
/// Bits of a request's number that say whose it is; the others say when it came.
const STREAM_BITS: u32 = 2;

/// What is compared with what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    pub policy: Policy,
    pub workload: Workload,
    pub kind: ModelKind,
}

pub struct Round {
    setting: Setting,
    queue: BlockQueue,
    disk: ModelDisk,
    prng: Prng,
    /// Simulated; it begins with the round.
    now: Instant,
    states: Vec<State, STREAMS_MAX>,
    /// Of requests that are timed, and of the others.
    latencies: Histogram,
    others: Histogram,
    outcome: Outcome,
}

/// How far a stream is.
struct State {
    under_way: usize,
    /// Where the next request is, for one that goes through its part of the disk.
    place: u64,
    /// When the next comes at the earliest.
    next_at: Instant,
}

/// What a round has shown. Times are the model's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub setting: Setting,
    pub requests: u64,
    pub bytes: u64,
    pub took: Duration,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    pub others_p99: Option<Duration>,
    /// Requests that went to the disk with another one.
    pub merged: u64,
    /// Requests with a deadline that have ended, and those that ended after it.
    pub wanted: u64,
    pub missed: u64,
    /// Bytes of each stream, as far as there are so many.
    pub shares: [u64; SHARES.len()],
    /// What the machine's own processor needed for all of it, which is measured.
    pub worked: Duration,
}

impl Round {
    #[inline(never)]
    pub fn boxed(setting: Setting) -> Box<Self> {
        let streams = setting.workload.streams();
        let mut states = Vec::new();
        for index in 0..streams.len().min(STREAMS_MAX) {
            // As many as there is room for.
            let _ = states.push(State {
                under_way: 0,
                place: SECTORS / STREAMS_MAX as u64 * index as u64,
                next_at: Instant::ZERO,
            });
        }
        Box::new(Self {
            setting,
            queue: BlockQueue::new(setting.policy.scheduler()),
            disk: ModelDisk::new(setting.kind),
            // The same for all, so that all are asked for the same.
            prng: Prng::new(1),
            now: Instant::ZERO,
            states,
            latencies: Histogram::default(),
            others: Histogram::default(),
            outcome: Outcome {
                setting,
                requests: 0,
                bytes: 0,
                took: Duration::ZERO,
                p50: None,
                p99: None,
                others_p99: None,
                merged: 0,
                wanted: 0,
                missed: 0,
                shares: [0; SHARES.len()],
                worked: Duration::ZERO,
            },
        })
    }

    pub const fn is_over(&self) -> bool {
        let Setting { workload, kind, .. } = self.setting;
        self.outcome.requests >= workload.requests(kind)
    }

    /// Until something happens next, and what happens then.
    pub fn event(&mut self) {
        for index in 0..self.states.len() {
            self.ask(index);
        }
        self.queue.step(self.now, Some(&mut self.disk));
        // What is due and found no place comes when there is one.
        let arrivals = self.states.iter().map(|state| state.next_at);
        let next = [self.disk.next_end(), self.queue.next_deadline(self.now)];
        let next = arrivals
            .filter(|at| *at > self.now)
            .chain(next.into_iter().flatten())
            .min();
        crate::invariant!(
            next.is_some_and(|next| next > self.now),
            "simulated time stands still"
        );
        self.now = next.unwrap_or(self.now);
        self.disk.advance(self.now);
        while let Some(done) = crate::base::disk::Disk::completed(&mut self.disk) {
            self.queue.on_done(self.now, done);
        }
        while let Some(done) = self.queue.take_done() {
            crate::invariant!(done.result.is_ok(), "a model has failed a request");
            self.on_done(&done.request);
        }
    }

    /// Puts the requests of a stream into the queue that are to come now.
    fn ask(&mut self, index: usize) {
        let stream = &self.setting.workload.streams()[index];
        while self.queue.space() > 0 {
            let state = &mut self.states[index];
            let arrived = match stream.pace {
                Pace::AtOnce(most) if state.under_way < most && state.next_at <= self.now => {
                    self.now
                }
                Pace::Every { hdd, ssd } if state.next_at <= self.now => {
                    let due = state.next_at;
                    let gap = match self.setting.kind {
                        ModelKind::Hdd => hdd,
                        ModelKind::Ssd => ssd,
                    };
                    state.next_at = due + gap;
                    due
                }
                _ => return,
            };
            state.under_way += 1;
            let request = self.request(index, stream, arrived);
            let taken = self.queue.submit(self.now, request);
            crate::invariant!(taken.is_ok(), "a queue with space is full");
        }
    }

    fn request(&mut self, index: usize, stream: &Stream, arrived: Instant) -> IoRequest {
        let state = &mut self.states[index];
        let sector = match stream.places {
            Places::Random => self.prng.below(SECTORS / stream.sectors) * stream.sectors,
            Places::Sequential => {
                let place = state.place % SECTORS;
                state.place = place + stream.sectors;
                place
            }
        };
        let operation = match self.prng.below(8) < stream.writes {
            true => DiskOperation::Write,
            false => DiskOperation::Read,
        };
        IoRequest {
            disk: 0,
            tag: IoTag {
                owner: Owner::Bench,
                number: arrived.as_nanos() << STREAM_BITS | index as u64,
            },
            operation,
            sector,
            sectors: stream.sectors,
            // A model looks at no data, so none is there; requests are merged all the same.
            data: Some(Buffer::new(&mut [], 0)),
            priority: stream.priority,
            deadline: stream.wanted_within.map(|within| arrived + within),
            tenant: Tenant::new(stream.tenant).unwrap_or(Tenant::KERNEL),
        }
    }

    fn on_done(&mut self, request: &IoRequest) {
        if self.is_over() {
            // What ends at the same moment as the last one is not counted.
            return;
        }
        let index = request.tag.number as usize % STREAMS_MAX;
        let arrived = Instant::from_nanos(request.tag.number >> STREAM_BITS);
        let bytes = request.sectors * SECTOR_BYTES as u64;
        let stream = &self.setting.workload.streams()[index];
        let state = &mut self.states[index];
        state.under_way -= 1;
        if stream.thinks > Duration::ZERO {
            state.next_at = self.now + stream.thinks;
        }
        if arrived >= Instant::ZERO + self.setting.workload.timed_from() {
            let latencies = match stream.is_timed {
                true => &mut self.latencies,
                false => &mut self.others,
            };
            latencies.add(self.now.since(arrived));
        }
        let outcome = &mut self.outcome;
        outcome.requests += 1;
        outcome.bytes += bytes;
        outcome.took = self.now.since(Instant::ZERO);
        if let Some(share) = outcome.shares.get_mut(index) {
            *share += bytes;
        }
        if let Some(deadline) = request.deadline {
            outcome.wanted += 1;
            outcome.missed += u64::from(self.now > deadline);
        }
    }

    /// The machine's processor has worked so long on it.
    pub fn add_work(&mut self, worked: Duration) {
        let sum = self.outcome.worked.as_nanos() + worked.as_nanos();
        self.outcome.worked = Duration::from_nanos(sum);
    }

    pub fn outcome(&self) -> Outcome {
        Outcome {
            p50: self.latencies.per_mille(500),
            p99: self.latencies.per_mille(990),
            others_p99: self.others.per_mille(990),
            merged: self.queue.view().counts.merged,
            ..self.outcome
        }
    }
}
