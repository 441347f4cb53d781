//! Who handles which interrupt, and how often each has come.

use super::vectors::{DEVICE_FIRST, DEVICE_LAST, EXCEPTION_NAMES, LEGACY_FIRST, SPURIOUS};
use super::view::{InterruptView, InterruptsView};
use super::{apic, core_local};
use crate::base::late::Late;
use crate::base::sync::IrqLock;
use core::sync::atomic::{AtomicU64, Ordering::*};

#[derive(Clone, Copy)]
struct Handler {
    source: &'static str,
    line: Option<u32>,
    core: Option<usize>,
    run: fn(usize),
    /// What `run` is called with.
    argument: usize,
}

struct Entry {
    handler: IrqLock<Late<Handler>>,
    count: AtomicU64,
}

static ENTRIES: [Entry; 256] = [const {
    Entry {
        handler: IrqLock::new(Late::new()),
        count: AtomicU64::new(0),
    }
}; 256];

/// Names the handler of a fixed vector (timer, reschedule).
pub fn set(vector: u8, source: &'static str, run: fn(usize)) {
    let handler = Handler {
        source,
        line: None,
        core: None,
        run,
        argument: 0,
    };
    ENTRIES[usize::from(vector)]
        .handler
        .with(|place| place.set(handler));
}

/// Gives a device a vector of its own on `core`; `None` when all are taken.
pub fn allocate(
    source: &'static str,
    line: Option<u32>,
    core: usize,
    run: fn(usize),
    argument: usize,
) -> Option<u8> {
    let handler = Handler {
        source,
        line,
        core: Some(core),
        run,
        argument,
    };
    (DEVICE_FIRST..=DEVICE_LAST).find(|vector| {
        let entry = &ENTRIES[usize::from(*vector)];
        entry.handler.with(|place| {
            let is_free = place.as_ref().is_none();
            if is_free {
                place.set(handler);
                entry.count.store(0, Relaxed);
            }
            is_free
        })
    })
}

/// Takes a device's vector back, for another one to use. An interrupt that is still on
/// its way is counted and reaches nobody.
pub fn release(vector: u8) {
    if (DEVICE_FIRST..=DEVICE_LAST).contains(&vector) {
        let entry = &ENTRIES[usize::from(vector)];
        entry.handler.with(Late::take);
        entry.count.store(0, Relaxed);
    }
}

/// How often a vector has come since it was allocated.
pub fn count_of(vector: u8) -> u64 {
    ENTRIES[usize::from(vector)].count.load(Relaxed)
}

pub(super) fn count(vector: u8) {
    ENTRIES[usize::from(vector)].count.fetch_add(1, Relaxed);
}

pub(super) fn dispatch(vector: u8) {
    let cells = core_local::current();
    cells.interrupts.fetch_add(1, Relaxed);
    cells.interrupt_depth.fetch_add(1, Relaxed);
    count(vector);
    let handler = ENTRIES[usize::from(vector)]
        .handler
        .with(|place| place.as_ref().copied());
    if let Some(handler) = handler {
        (handler.run)(handler.argument);
    }
    let is_from_local_apic = vector >= DEVICE_FIRST && vector != SPURIOUS;
    if is_from_local_apic {
        apic::end_of_interrupt();
    }
    cells.interrupt_depth.fetch_sub(1, Relaxed);
}

/// Every source with a handler, and every vector that came without one.
pub fn view(view: &mut InterruptsView) {
    view.sources.clear();
    view.undelivered = apic::undelivered();
    for (vector, entry) in ENTRIES.iter().enumerate() {
        let count = entry.count.load(Relaxed);
        let handler = entry.handler.with(|place| place.as_ref().copied());
        if count == 0 && handler.is_none() {
            continue;
        }
        let row = InterruptView {
            vector: vector as u8,
            source: handler.map_or(source_of(vector as u8), |handler| handler.source),
            line: handler.and_then(|handler| handler.line),
            core: handler.and_then(|handler| handler.core),
            count,
        };
        if view.sources.push(row).is_err() {
            return;
        }
    }
}

fn source_of(vector: u8) -> &'static str {
    match vector {
        0..32 => EXCEPTION_NAMES[usize::from(vector)],
        LEGACY_FIRST..DEVICE_FIRST => "legacy, spurious",
        SPURIOUS => "spurious",
        _ => "unclaimed",
    }
}
