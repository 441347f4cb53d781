//! A volume while the kernel runs: its tree, state, limits and counters.

use super::error::Damage;
use super::row::{Kind, Limits, Name, Tree, VolumeRow, levels_of};
use super::state::{Event, State};
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::base::token_bucket::TokenBucket;
use crate::limits::VOLUME_REQUEST_BLOCKS_MAX;
use crate::storage::volumes::pointer::BLOCK_BYTES;

pub struct Live {
    pub id: u32,
    pub name: Name,
    pub state: State,
    pub tenant: Option<Tenant>,
    pub levels: u8,
    pub kind: Kind,
    pub blocks: u64,
    /// With what no transaction has taken along yet.
    pub tree: Tree,
    /// Is the tree another than that of the table?
    pub is_changed: bool,
    /// Was something lost, so that the row has to say so?
    pub is_damaged: bool,
    /// Requests that are running.
    pub pending: usize,
    pub counters: VolumeCounters,
    /// Where something was lost last.
    pub last_damage: Option<Damage>,
    requests: Option<TokenBucket>,
    bytes: Option<TokenBucket>,
}

/// What a volume was asked for since it was mounted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct VolumeCounters {
    pub reads: u64,
    pub writes: u64,
    pub flushes: u64,
    pub discards: u64,
    pub read_bytes: u64,
    pub written_bytes: u64,
    /// Requests that had to wait for the volume's limits.
    pub throttled: u64,
    pub failed: u64,
    /// Blocks whose bytes were not those that were written, on one member at least.
    pub damaged: u64,
    /// Of these, how many were written anew.
    pub repaired: u64,
    /// Where requests that ended well took their time, all together.
    pub busy: Duration,
}

impl Live {
    pub fn new(row: &VolumeRow, state: State) -> Self {
        let mut live = Self {
            id: row.id,
            name: row.name.clone(),
            state,
            tenant: row.tenant,
            levels: levels_of(row.kind, row.blocks).unwrap_or(1),
            kind: row.kind,
            blocks: row.blocks,
            tree: row.tree,
            is_changed: false,
            is_damaged: row.is_damaged,
            pending: 0,
            counters: VolumeCounters::default(),
            last_damage: None,
            requests: None,
            bytes: None,
        };
        live.limit(&row.limits);
        live
    }

    /// From now on it may be asked for so much.
    pub fn limit(&mut self, limits: &Limits) {
        // A tenth of a second at once, and the largest request always.
        let bucket = |rate: u64, least: u64| TokenBucket::new(rate, (rate / 10).max(least));
        let largest = (VOLUME_REQUEST_BLOCKS_MAX * BLOCK_BYTES) as u64;
        self.requests = limits.requests_per_s.map(|rate| bucket(rate, 1));
        self.bytes = limits.bytes_per_s.map(|rate| bucket(rate, largest));
    }

    /// May a request of so many bytes run? If not, when?
    pub fn admit(&mut self, now: Instant, bytes: u64) -> Result<(), Instant> {
        let later = |at: Option<Instant>| at.unwrap_or(Instant::FAR_FUTURE);
        if let Some(requests) = &mut self.requests {
            requests.take(now, 1).map_err(later)?;
        }
        if let Some(bucket) = &mut self.bytes
            && let Err(at) = bucket.take(now, bytes)
        {
            if let Some(requests) = &mut self.requests {
                requests.give_back(1);
            }
            return Err(later(at));
        }
        Ok(())
    }

    /// Goes on to the next state, if the event leads anywhere.
    pub fn on(&mut self, event: Event) -> bool {
        match self.state.after(event, self.tenant.is_some()) {
            Some(next) => {
                self.state = next;
                true
            }
            None => false,
        }
    }
}
