//! The queues of all disks: requests to the right one, answers to owners.

use super::queue::BlockQueue;
use super::schedulers::{IoKind, Policy};
use super::{IoDone, IoError, IoRequest, Submit};
use crate::base::disk::{DiskFacts, Disks, SECTOR_BYTES};
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use crate::limits::{DISKS_MAX, TENANTS_MAX};
use alloc::boxed::Box;

/// What a disk gets that nobody has chosen one for: the only one that knows of both
/// priorities and deadlines.
const USUAL: Policy = Policy::MqDeadline;

/// What people change of the queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Policy {
        disk: usize,
        policy: Policy,
    },
    /// Requests that the disk is given at the same time, if it takes so many.
    Depth {
        disk: usize,
        depth: usize,
    },
    /// Of a tenant on each disk; `None` lifts it.
    Limit {
        tenant: Tenant,
        bytes_per_s: Option<u64>,
    },
}

pub struct Queues {
    /// By the disk's place; made when there is a disk for the first time.
    queues: [Option<Box<BlockQueue>>; DISKS_MAX],
    /// Of the disks that are there now.
    facts: [Option<DiskFacts>; DISKS_MAX],
    policies: [Policy; DISKS_MAX],
    /// Bytes a second that a tenant has of each disk.
    limits: [Option<u64>; TENANTS_MAX],
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            queues: Default::default(),
            facts: [None; DISKS_MAX],
            policies: [USUAL; DISKS_MAX],
            limits: [None; TENANTS_MAX],
        }
    }
}

impl Queues {
    /// Takes what the disks have answered, and notes which disks there are.
    pub fn receive(&mut self, now: Instant, disks: &mut dyn Disks) {
        for index in 0..DISKS_MAX {
            let Some(disk) = disks.disk(index) else {
                self.facts[index] = None;
                continue;
            };
            if self.queues[index].is_none() {
                self.queues[index] = Some(self.new_queue(now, self.policies[index]));
            }
            let Some(queue) = &mut self.queues[index] else {
                continue;
            };
            while let Some(done) = disk.completed() {
                queue.on_done(now, done);
            }
            // One that was unplugged is there until its last answers are taken.
            self.facts[index] = Some(disk.facts()).filter(|facts| facts.requests_max > 0);
        }
    }

    /// Gives to each disk what it takes.
    pub fn send(&mut self, now: Instant, disks: &mut dyn Disks) {
        for (index, queue) in self.queues.iter_mut().enumerate() {
            if let Some(queue) = queue {
                let is_there = self.facts[index].is_some();
                queue.step(now, disks.disk(index).filter(|_| is_there));
            }
        }
    }

    /// The next request that has ended, of any disk.
    pub fn take_done(&mut self) -> Option<IoDone> {
        let mut queues = self.queues.iter_mut().flatten();
        queues.find_map(|queue| queue.take_done())
    }

    pub fn queue(&self, disk: usize) -> Option<&BlockQueue> {
        self.queues.get(disk)?.as_deref()
    }

    pub fn queue_mut(&mut self, disk: usize) -> Option<&mut BlockQueue> {
        self.queues.get_mut(disk)?.as_deref_mut()
    }

    #[inline(never)]
    fn new_queue(&self, now: Instant, policy: Policy) -> Box<BlockQueue> {
        let mut queue = Box::new(BlockQueue::new(policy.scheduler()));
        for tenant in Tenant::all() {
            let limit = self.limits[tenant.index()];
            if limit.is_some() {
                queue.limits_mut().set(now, tenant, limit);
            }
        }
        queue
    }

    /// Which scheduler a disk has; `None` where there is no such place.
    pub fn policy(&self, disk: usize) -> Option<Policy> {
        self.policies.get(disk).copied()
    }

    pub fn apply(&mut self, now: Instant, change: Change) -> Result<(), &'static str> {
        const GONE: &str = "the disk is gone; see disk list";
        match change {
            Change::Policy { disk, policy } => {
                let queue = self.queue_mut(disk).ok_or(GONE)?;
                queue.set_scheduler(now, policy.scheduler());
                self.policies[disk] = policy;
            }
            Change::Depth { disk, depth } => self.queue_mut(disk).ok_or(GONE)?.set_depth(depth),
            Change::Limit {
                tenant,
                bytes_per_s,
            } => self.set_limit(now, tenant, bytes_per_s),
        }
        Ok(())
    }

    /// Bytes a second that a tenant may move on each disk; `None`: as many as it can.
    pub fn limit(&self, tenant: Tenant) -> Option<u64> {
        self.limits[tenant.index()]
    }

    fn set_limit(&mut self, now: Instant, tenant: Tenant, bytes_per_s: Option<u64>) {
        self.limits[tenant.index()] = bytes_per_s;
        for queue in self.queues.iter_mut().flatten() {
            queue.limits_mut().set(now, tenant, bytes_per_s);
        }
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let queues = self.queues.iter().flatten();
        queues.filter_map(|queue| queue.next_deadline(now)).min()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        for queue in self.queues.iter().flatten() {
            visit(&queue.usage());
        }
    }
}

impl Submit for Queues {
    fn facts(&self, disk: usize) -> Option<DiskFacts> {
        *self.facts.get(disk)?
    }

    fn space(&self, disk: usize) -> usize {
        match self.facts(disk) {
            Some(_) => self.queue(disk).map_or(0, BlockQueue::space),
            None => 0,
        }
    }

    fn submit(&mut self, now: Instant, request: IoRequest) -> Result<(), (IoError, IoRequest)> {
        let Some(facts) = self.facts(request.disk) else {
            return Err((IoError::NoDisk, request));
        };
        let bytes_max = facts.transfer_bytes_max;
        let is_transfer = IoKind::of(request.operation) != IoKind::Other;
        let bytes = request.sectors.saturating_mul(SECTOR_BYTES as u64);
        if is_transfer && bytes > bytes_max as u64 {
            return Err((IoError::TooLong { bytes_max }, request));
        }
        match self.queue_mut(request.disk) {
            Some(queue) => queue.submit(now, request),
            None => Err((IoError::NoDisk, request)),
        }
    }
}
