//! Bandwidth of tenants on one disk: who is over it waits by itself.

use crate::base::disk::SECTOR_BYTES;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::base::token_bucket::TokenBucket;
use crate::limits::{IO_MERGED_BYTES_MAX, TENANTS_MAX};
use crate::storage::io::IoRequest;

#[derive(Default)]
pub struct TenantLimits {
    buckets: [Option<TokenBucket>; TENANTS_MAX],
    /// Requests of each that are held back: those behind them wait, too.
    held_back: [usize; TENANTS_MAX],
    due_at: Option<Instant>,
}

impl TenantLimits {
    /// `None` lifts the limit.
    pub fn set(&mut self, now: Instant, tenant: Tenant, bytes_per_s: Option<u64>) {
        // A tenth of a second at once, and one request of the largest size at least.
        let burst = |rate: u64| (rate / 10).max(IO_MERGED_BYTES_MAX as u64);
        self.buckets[tenant.index()] = bytes_per_s.map(|rate| TokenBucket::new(rate, burst(rate)));
        self.due_at = Some(now);
    }

    pub fn get(&self, tenant: Tenant) -> Option<u64> {
        Some(self.buckets[tenant.index()].as_ref()?.rate_per_s())
    }

    /// May a request that has just come pass? If not, it is held back from now on.
    pub fn may_pass(&mut self, now: Instant, request: &IoRequest) -> bool {
        let index = request.tenant.index();
        if self.held_back[index] == 0 && self.take(now, request).is_ok() {
            return true;
        }
        self.held_back[index] += 1;
        self.arm(now);
        false
    }

    /// The same for one that is held back.
    pub fn may_pass_held(&mut self, now: Instant, request: &IoRequest) -> bool {
        match self.take(now, request) {
            Ok(()) => self.forget(request.tenant),
            Err(at) => {
                self.arm(at);
                return false;
            }
        }
        true
    }

    /// Nothing is held back any more, so nothing is due.
    pub const fn disarm(&mut self) {
        self.due_at = None;
    }

    /// One that was held back is no longer.
    pub const fn forget(&mut self, tenant: Tenant) {
        self.held_back[tenant.index()] -= 1;
    }

    fn arm(&mut self, at: Instant) {
        self.due_at = Some(self.due_at.map_or(at, |due| due.min(at)));
    }

    /// Is it time to look? Whoever still may not pass then arms it again.
    pub fn take_due(&mut self, now: Instant) -> bool {
        self.due_at.take_if(|at| *at <= now).is_some()
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.due_at
    }

    fn take(&mut self, now: Instant, request: &IoRequest) -> Result<(), Instant> {
        let Some(bucket) = &mut self.buckets[request.tenant.index()] else {
            return Ok(());
        };
        let bytes = request.sectors.saturating_mul(SECTOR_BYTES as u64);
        let taken = bucket.take(now, bytes.min(IO_MERGED_BYTES_MAX as u64));
        taken.map_err(|at| at.unwrap_or(now + Duration::from_secs(1)))
    }
}
