//! Stacks: each in a slot of its own, above pages that are never mapped.
//!
//! Running over the end of a stack hits its guard; `explain` then says whose
//! stack it was.

use super::layout::{PAGE_BYTES, STACK_SLOT_BYTES, STACKS_BASE};
use crate::base::fixed::Text;
use crate::limits::{STACK_SLOTS_MAX, THREAD_NAME_MAX};

pub type Owner = Text<THREAD_NAME_MAX>;

/// A mapped stack; it is never unmapped, its user keeps it for reuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stack {
    slot: usize,
    bytes: u64,
}

impl Stack {
    pub(super) const fn new(slot: usize, bytes: u64) -> Self {
        Self { slot, bytes }
    }

    /// The address just above the stack, where it starts.
    pub const fn top(&self) -> u64 {
        STACKS_BASE + (self.slot as u64 + 1) * STACK_SLOT_BYTES
    }

    pub const fn bottom(&self) -> u64 {
        self.top() - self.bytes
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn slot(&self) -> usize {
        self.slot
    }

    /// Bytes from the top to the deepest word that is not zero any more.
    ///
    /// Fresh stacks are zeroed, so this is how deep the stack has ever been, but
    /// for zeros its user wrote at the very end.
    pub fn high_water_bytes(&self) -> u64 {
        let words = (self.bottom()..self.top()).step_by(8);
        // SAFETY: the whole stack is mapped for good; its user may write at the
        // same time, hence the volatile reads of whole words.
        let deepest = words
            .into_iter()
            .find(|&word| unsafe { (word as *const u64).read_volatile() } != 0);
        deepest.map_or(0, |word| self.top() - word)
    }
}

/// Which slots are taken, and by whom.
pub(super) struct Slots {
    owners: [Option<(Owner, u64)>; STACK_SLOTS_MAX],
    used: usize,
}

impl Slots {
    pub const fn new() -> Self {
        Self {
            owners: [const { None }; STACK_SLOTS_MAX],
            used: 0,
        }
    }

    pub fn take(&mut self, owner: &str, bytes: u64) -> Option<Stack> {
        let slot = self.owners.iter().position(Option::is_none)?;
        self.owners[slot] = Some((Owner::cut_from(owner), bytes));
        self.used += 1;
        Some(Stack::new(slot, bytes))
    }

    pub fn rename(&mut self, stack: Stack, owner: &str) {
        if let Some((name, _)) = &mut self.owners[stack.slot()] {
            *name = Owner::cut_from(owner);
        }
    }

    pub const fn used(&self) -> usize {
        self.used
    }

    /// What lies at an address of the area: whose stack, and is it the guard?
    pub fn find(&self, address: u64) -> Option<(&Owner, bool)> {
        let slot = (address.checked_sub(STACKS_BASE)? / STACK_SLOT_BYTES) as usize;
        let (owner, bytes) = self.owners.get(slot)?.as_ref()?;
        let is_guard = address < Stack::new(slot, *bytes).bottom();
        Some((owner, is_guard))
    }
}

pub(super) const fn area_end() -> u64 {
    STACKS_BASE + STACK_SLOTS_MAX as u64 * STACK_SLOT_BYTES
}

const _: () = assert!(STACK_SLOT_BYTES.is_multiple_of(PAGE_BYTES));
