//! Who handles which interrupt, and how often each has come.

use super::vectors::{DEVICE_FIRST, DEVICE_LAST, EXCEPTION_NAMES, LEGACY_FIRST, SPURIOUS};
use super::view::{InterruptView, InterruptsView};
use super::{apic, core_local};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use spin::Once;

struct Handler {
    source: &'static str,
    line: Option<u32>,
    core: Option<usize>,
    run: fn(),
}

struct Entry {
    handler: Once<Handler>,
    count: AtomicU64,
}

static ENTRIES: [Entry; 256] = [const {
    Entry {
        handler: Once::new(),
        count: AtomicU64::new(0),
    }
}; 256];
static NEXT_DEVICE: AtomicUsize = AtomicUsize::new(DEVICE_FIRST as usize);

/// Names the handler of a fixed vector (timer, reschedule).
pub fn set(vector: u8, source: &'static str, run: fn()) {
    let handler = Handler {
        source,
        line: None,
        core: None,
        run,
    };
    ENTRIES[usize::from(vector)].handler.call_once(|| handler);
}

/// Gives a device a vector of its own; `None` when all are taken.
pub fn allocate(source: &'static str, line: u32, core: usize, run: fn()) -> Option<u8> {
    let vector = NEXT_DEVICE.fetch_add(1, Relaxed);
    if vector > usize::from(DEVICE_LAST) {
        return None;
    }
    let handler = Handler {
        source,
        line: Some(line),
        core: Some(core),
        run,
    };
    ENTRIES[vector].handler.call_once(|| handler);
    Some(vector as u8)
}

pub(super) fn count(vector: u8) {
    ENTRIES[usize::from(vector)].count.fetch_add(1, Relaxed);
}

pub(super) fn dispatch(vector: u8) {
    let cells = core_local::current();
    cells.interrupts.fetch_add(1, Relaxed);
    cells.interrupt_depth.fetch_add(1, Relaxed);
    count(vector);
    if let Some(handler) = ENTRIES[usize::from(vector)].handler.get() {
        (handler.run)();
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
        let handler = entry.handler.get();
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
