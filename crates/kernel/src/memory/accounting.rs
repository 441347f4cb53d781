//! Where every byte of the memory is, for tables and checks.

use super::address_space::Protection;
use super::frames::Purpose;
use super::layout::{
    BIG_PAGE_BYTES, DEVICES_BASE, DIRECT_BASE, HEAP_BASE, PAGE_BYTES, STACKS_BASE,
};
use super::owner::{Memory, with};
use super::view::{MappingView, MemoryView, RangeView};
use super::{Range, heap, image};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::{MMIO_RANGES_MAX, STACK_SLOTS_MAX};

/// Fills in where the memory is.
pub fn view(view: &mut MemoryView) {
    with(|memory| {
        let frames = &memory.frames;
        let (heap_used_bytes, heap_high_water_bytes, heap_refused) = heap::usage();
        let reserved = memory.ranges.iter().filter(|range| !range.is_memory());
        *view = MemoryView {
            total_bytes: frames.total_bytes(),
            reserved_bytes: reserved.map(Range::bytes).sum(),
            free_bytes: frames.free_bytes(),
            kernel_image_bytes: frames.taken_bytes(Purpose::Image),
            heap_bytes: memory.heap_bytes,
            heap_used_bytes,
            heap_high_water_bytes,
            heap_refused,
            page_tables_bytes: frames.taken_bytes(Purpose::PageTables),
            stacks_bytes: frames.taken_bytes(Purpose::Stacks),
            dma_bytes: frames.taken_bytes(Purpose::Dma),
            other_bytes: frames.taken_bytes(Purpose::Other),
            mmio_mapped_bytes: memory.devices.bytes(),
            ranges: Vec::new(),
            mappings: Vec::new(),
        };
        for range in &memory.ranges {
            let row = RangeView {
                start: range.start,
                bytes: range.bytes(),
                kind: range.kind.name(),
            };
            // Both lists have the same capacity.
            let _ = view.ranges.push(row);
        }
        add_mappings(memory, view);
    });
}

fn add_mappings(memory: &Memory, view: &mut MemoryView) {
    let area = |name, start, bytes, page_bytes| MappingView {
        name,
        start,
        bytes,
        is_writable: true,
        is_executable: false,
        page_bytes,
    };
    let segments = image::segments().map(|segment| MappingView {
        name: segment.name,
        start: segment.start,
        bytes: segment.end - segment.start,
        is_writable: segment.protection == Protection::Write,
        is_executable: segment.protection == Protection::Execute,
        page_bytes: PAGE_BYTES,
    });
    let stacks_bytes = memory.frames.taken_bytes(Purpose::Stacks);
    let areas = [
        area("direct", DIRECT_BASE, memory.direct_bytes, BIG_PAGE_BYTES),
        area("heap", HEAP_BASE, memory.heap_bytes, memory.heap_page_bytes),
        area("stacks", STACKS_BASE, stacks_bytes, PAGE_BYTES),
        area("devices", DEVICES_BASE, memory.devices.bytes(), PAGE_BYTES),
    ];
    for row in areas.into_iter().chain(segments) {
        // Seven rows fit the list.
        let _ = view.mappings.push(row);
    }
}

/// What is bounded here and how full it is.
pub fn visit_usages(visit: &mut dyn FnMut(&Usage)) {
    let usages = with(|memory| {
        let (used, high_water, refused) = heap::usage();
        let slots = memory.slots.used() as u64;
        let mapped = memory.devices.ranges().len() as u64;
        [
            Usage::of("HEAP_BYTES_MAX", memory.heap_bytes as usize)
                .used(used)
                .high_water(high_water)
                .refused(refused),
            Usage::of("STACK_SLOTS_MAX", STACK_SLOTS_MAX)
                .used(slots)
                .high_water(slots),
            Usage::of("MMIO_RANGES_MAX", MMIO_RANGES_MAX)
                .used(mapped)
                .high_water(mapped),
        ]
    });
    usages.iter().flatten().for_each(visit);
}
