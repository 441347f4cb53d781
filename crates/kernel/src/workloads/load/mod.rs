//! Loads: real operations on devices on behalf of tenants, counted and timed.
//!
//! They show that quotas hold and that a tenant over its own slows nobody else. A load
//! asks at its own pace and does not wait for what is refused.
//!
//! Limits: one load a tenant; `LOAD_BUFFERS_MAX` reads at the same time.
//! Invariants: what a load holds is given back when it ends; tenants take turns, so
//! that in a step each of them does as much as the others.

mod order;
mod run;

pub use order::{AMOUNT_MAX, Order, READ_BYTES, SECONDS_MAX, Work};

use crate::base::buffer::Buffer;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::drivers::handlers::DeviceHandlers;
use crate::limits::{LOAD_BUFFERS_MAX, LOAD_OPERATIONS_A_STEP, TENANTS_MAX};
use crate::net::outlet::Outlet;
use crate::storage::io::{IoDone, Submit};
use run::Run;

/// How often a load looks whether it is time for more.
const CADENCE: Duration = Duration::from_millis(1);

#[derive(Default)]
pub struct Loads {
    runs: [Option<Run>; TENANTS_MAX],
    /// Those that no disk has.
    buffers: Vec<Buffer, LOAD_BUFFERS_MAX>,
    buffers_total: usize,
    buffers_refused: u64,
}

/// What a person wants done to loads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadChange {
    Start(Order),
    Stop(Tenant),
}

/// What has become of a load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadView {
    pub order: Order,
    pub is_running: bool,
    pub elapsed: Duration,
    /// Operations that were done, and their bytes.
    pub done: u64,
    pub bytes: u64,
    /// Denied for want of a capability, or by a quota.
    pub denied: u64,
    /// Not done for another reason: no memory was free, no way led there.
    pub failed: u64,
}

impl Loads {
    pub const RUNS: &str = "the tenant has a load that runs; stop it first";
    pub const NONE: &str = "the tenant has no load that runs; see device load";

    /// Gives it memory for reads that disks reach, once for each at a time.
    pub fn add_buffer(&mut self, buffer: Buffer) {
        // What is given beyond the capacity is not used.
        self.buffers_total += usize::from(self.buffers.push(buffer).is_ok());
    }

    /// Begins a load; the last one of the tenant is forgotten.
    pub fn start(&mut self, now: Instant, order: Order) -> Result<(), &'static str> {
        if self.is_busy(order.tenant) {
            return Err(Self::RUNS);
        }
        self.runs[order.tenant.index()] = Some(Run::new(now, order));
        Ok(())
    }

    /// Does what a person wants done.
    pub fn apply(&mut self, now: Instant, change: LoadChange) -> Result<(), &'static str> {
        match change {
            LoadChange::Start(order) => self.start(now, order),
            LoadChange::Stop(tenant) => self.stop(tenant),
        }
    }

    /// Ends the load of a tenant before its time.
    pub fn stop(&mut self, tenant: Tenant) -> Result<(), &'static str> {
        match &mut self.runs[tenant.index()] {
            Some(run) if run.is_running() => {
                run.stop();
                Ok(())
            }
            _ => Err(Self::NONE),
        }
    }

    /// Does a load of the tenant run, or is a disk still at work for it?
    pub fn is_busy(&self, tenant: Tenant) -> bool {
        self.runs[tenant.index()].as_ref().is_some_and(Run::is_busy)
    }

    /// Does what it is time for, but on disks; a share a tenant.
    pub fn step(&mut self, now: Instant, outlet: &mut Outlet<'_>) {
        for run in self.runs.iter_mut().flatten() {
            run.maybe_end(now, outlet);
        }
        for _ in 0..LOAD_OPERATIONS_A_STEP {
            let runs = self.runs.iter_mut().flatten();
            let due = runs.filter(|run| !run.is_of_disk());
            let due = due.filter(|run| run.is_running());
            let mut is_any = false;
            for run in due {
                is_any |= run.maybe_operate(now, outlet);
            }
            if !is_any {
                break;
            }
        }
    }

    /// As `step`, on disks.
    pub fn step_disks(&mut self, now: Instant, handlers: &mut DeviceHandlers, io: &mut dyn Submit) {
        for _ in 0..LOAD_OPERATIONS_A_STEP {
            let runs = self.runs.iter_mut().flatten();
            let mut is_any = false;
            for run in runs.filter(|run| run.is_of_disk() && run.is_running()) {
                let has_buffer = !self.buffers.is_empty();
                let has_read = run.maybe_read(now, handlers, io, &mut self.buffers);
                self.buffers_refused += u64::from(has_read && !has_buffer);
                is_any |= has_read;
            }
            if !is_any {
                break;
            }
        }
    }

    /// Takes the answer to a read of a load.
    pub fn on_done(&mut self, done: IoDone, handlers: &mut DeviceHandlers) {
        let tenant = Tenant::new(done.request.tag.number as usize);
        if let Some(run) = tenant.and_then(|tenant| self.runs[tenant.index()].as_mut()) {
            run.on_read(&done, handlers);
        }
        if let Some(buffer) = done.request.data {
            let kept = self.buffers.push(buffer);
            crate::invariant!(
                kept.is_ok(),
                "a disk gives back more buffers than it was given"
            );
        }
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let is_any = self.runs.iter().flatten().any(Run::is_running);
        is_any.then(|| now + CADENCE)
    }

    /// The newest load of each tenant.
    pub fn view(&self, now: Instant) -> impl Iterator<Item = LoadView> {
        self.runs.iter().flatten().map(move |run| run.view(now))
    }

    pub fn usage(&self) -> Usage {
        let used = self.buffers_total - self.buffers.len();
        Usage::of("LOAD_BUFFERS_MAX", LOAD_BUFFERS_MAX)
            .used(used as u64)
            .refused(self.buffers_refused)
    }
}
