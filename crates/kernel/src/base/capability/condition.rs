//! The table of conditions: constraints in force, with what was used of them.
//!
//! Limits: `CONSTRAINTS_MAX`.
//! Invariant: a handle of a condition that is gone finds nothing, whoever has its place now.

use super::constraint::{Constraints, PortRange};
use super::refusal::Refusal;
use crate::base::fixed::{Full, Handle, Vec as FixedVec};
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::base::token_bucket::TokenBucket;
use crate::limits::CONSTRAINTS_MAX;
use alloc::vec::Vec;

/// A row of TCP segments is one frame of up to 64 KiB: two of them must fit.
const BURST_BYTES_MIN: u64 = 128 * 1024;
/// Kinds of constraints, each once in a right.
const KINDS: usize = 3;

pub enum Condition {
    Ports(PortRange),
    Bandwidth(TokenBucket),
    Concurrency { most: u32, used: u32 },
}

/// Those of one right.
pub type Own = FixedVec<Handle, KINDS>;

/// What an operation uses of a condition.
#[derive(Clone, Copy)]
pub struct Use {
    pub is_net: bool,
    pub port: Option<u16>,
    pub bytes: u64,
}

struct Slot {
    generation: u32,
    condition: Option<Condition>,
}

pub struct Conditions {
    slots: Vec<Slot>,
    used: usize,
    high_water: usize,
    refused: u64,
}

impl Conditions {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        let free = || Slot {
            generation: 0,
            condition: None,
        };
        Self {
            slots: core::iter::repeat_with(free)
                .take(CONSTRAINTS_MAX)
                .collect(),
            used: 0,
            high_water: 0,
            refused: 0,
        }
    }

    /// Puts all of them into force, or none.
    pub fn add(&mut self, constraints: &Constraints) -> Result<Own, Full> {
        if self.used + constraints.count() > CONSTRAINTS_MAX {
            self.refused += 1;
            return Err(Full);
        }
        let mut own = Own::new();
        let bandwidth = constraints.bandwidth_bytes_per_s.map(|rate| {
            let burst = rate.get().max(BURST_BYTES_MIN);
            Condition::Bandwidth(TokenBucket::new(rate.get(), burst))
        });
        let concurrency = constraints.concurrency.map(|most| Condition::Concurrency {
            most: most.get(),
            used: 0,
        });
        let ports = constraints.ports.map(Condition::Ports);
        for condition in [ports, bandwidth, concurrency].into_iter().flatten() {
            let handle = self.put(condition)?;
            own.push(handle)?;
        }
        Ok(own)
    }

    fn put(&mut self, condition: Condition) -> Result<Handle, Full> {
        let place = self.slots.iter().position(|slot| slot.condition.is_none());
        let place = place.ok_or(Full)?;
        let slot = &mut self.slots[place];
        slot.condition = Some(condition);
        self.used += 1;
        self.high_water = self.high_water.max(self.used);
        Ok(Handle::new(place as u32, slot.generation))
    }

    pub fn remove(&mut self, own: &Own) {
        for handle in own {
            if self.get_mut(*handle).is_some() {
                let slot = &mut self.slots[handle.slot()];
                slot.condition = None;
                slot.generation = slot.generation.wrapping_add(1);
                self.used -= 1;
            }
        }
    }

    fn get(&self, handle: Handle) -> Option<&Condition> {
        let slot = self.slots.get(handle.slot())?;
        slot.condition
            .as_ref()
            .filter(|_| slot.generation == handle.generation())
    }

    fn get_mut(&mut self, handle: Handle) -> Option<&mut Condition> {
        let slot = self.slots.get_mut(handle.slot())?;
        slot.condition
            .as_mut()
            .filter(|_| slot.generation == handle.generation())
    }

    /// Would it allow that now?
    pub fn check(&self, now: Instant, handle: Handle, asked: Use) -> Result<(), Refusal> {
        match self.get(handle) {
            Some(Condition::Ports(range)) => match asked.port {
                Some(port) if asked.is_net && !range.contains(port) => Err(Refusal::Port),
                _ => Ok(()),
            },
            Some(Condition::Bandwidth(bucket)) => {
                let taken = bucket.clone().take(now, asked.bytes);
                taken.map_err(|ready_at| Refusal::Bandwidth { ready_at })
            }
            Some(Condition::Concurrency { most, used }) if used >= most => {
                Err(Refusal::Concurrency)
            }
            _ => Ok(()),
        }
    }

    /// Uses what was checked; says whether it must be given back when the operation ends.
    pub fn take(&mut self, now: Instant, handle: Handle, asked: Use) -> bool {
        match self.get_mut(handle) {
            Some(Condition::Bandwidth(bucket)) => {
                let taken = bucket.take(now, asked.bytes);
                crate::invariant!(taken.is_ok(), "a condition that was checked does not hold");
                false
            }
            Some(Condition::Concurrency { used, .. }) => {
                *used += 1;
                true
            }
            _ => false,
        }
    }

    /// Gives back what an operation used that was not done after all.
    pub fn give_back_bytes(&mut self, handle: Handle, bytes: u64) {
        if let Some(Condition::Bandwidth(bucket)) = self.get_mut(handle) {
            bucket.give_back(bytes);
        }
    }

    /// The operation has ended; nothing happens when the condition has, too.
    pub fn give_back_place(&mut self, handle: Handle) {
        if let Some(Condition::Concurrency { used, .. }) = self.get_mut(handle) {
            crate::invariant!(*used > 0, "a place was given back that nobody took");
            *used -= 1;
        }
    }

    /// How many operations run under it, where it counts them.
    pub fn running(&self, handle: Handle) -> Option<u32> {
        match self.get(handle)? {
            Condition::Concurrency { used, .. } => Some(*used),
            _ => None,
        }
    }

    pub fn usage(&self) -> Usage {
        Usage::of("CONSTRAINTS_MAX", CONSTRAINTS_MAX)
            .used(self.used as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}
