//! What each core keeps for itself, found through its GS base.

use crate::limits::CORES_MAX;
use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use x86_64::VirtAddr;
use x86_64::registers::model_specific::GsBase;

/// One core's own cells. `index` stays first: it is read as `gs:[0]`.
#[repr(C)]
pub struct CoreLocal {
    index: AtomicUsize,
    pub apic_id: AtomicU32,
    pub is_online: AtomicBool,
    pub interrupts: AtomicU64,
    /// Interrupt handlers that run at this moment, one inside the other.
    pub interrupt_depth: AtomicUsize,
    /// An exception that a self test has announced: vector + 1.
    pub expected_exception: AtomicU64,
    /// Where that test goes on.
    pub resume_at: AtomicU64,
    /// The error code of the exception that came, for the test that awaited it.
    pub seen_error: AtomicU64,
    /// Where this core was stopped by a panic elsewhere.
    pub stopped_at: AtomicU64,
    pub stopped_frame: AtomicU64,
}

impl CoreLocal {
    const fn new() -> Self {
        Self {
            index: AtomicUsize::new(0),
            apic_id: AtomicU32::new(0),
            is_online: AtomicBool::new(false),
            interrupts: AtomicU64::new(0),
            interrupt_depth: AtomicUsize::new(0),
            expected_exception: AtomicU64::new(0),
            resume_at: AtomicU64::new(0),
            seen_error: AtomicU64::new(0),
            stopped_at: AtomicU64::new(0),
            stopped_frame: AtomicU64::new(0),
        }
    }
}

static CORES: [CoreLocal; CORES_MAX] = [const { CoreLocal::new() }; CORES_MAX];

/// Makes the running core number `index`; the first thing a core does.
pub fn install(index: usize) {
    let cells = &CORES[index];
    cells.index.store(index, Relaxed);
    GsBase::write(VirtAddr::from_ptr(cells));
}

/// The number of the core that runs this; it may have changed when the caller
/// looks at it, unless interrupts are off.
pub fn index() -> usize {
    let index: usize;
    // SAFETY: every core installs its cells before it runs anything else, and
    // `index` is the first of them.
    unsafe { asm!("mov {}, gs:[0]", out(reg) index, options(nostack, readonly, preserves_flags)) };
    index
}

pub fn current() -> &'static CoreLocal {
    &CORES[index()]
}

pub fn of(index: usize) -> Option<&'static CoreLocal> {
    CORES.get(index)
}

/// Cores that have come up.
pub fn online() -> impl Iterator<Item = (usize, &'static CoreLocal)> {
    CORES
        .iter()
        .enumerate()
        .filter(|(_, cells)| cells.is_online.load(Acquire))
}
