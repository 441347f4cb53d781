//! Taking the machine's memory over from the loader.

use super::address_space::{self, AddressSpace, Protection, translate};
use super::devices::Devices;
use super::frames::{FRAME_BYTES, Frames, Purpose};
use super::layout::{BIG_PAGE_BYTES, HEAP_BASE, PAGE_BYTES, to_direct};
use super::owner::{MEMORY, Memory, with};
use super::stacks::Slots;
use super::{MemoryError, Range, RangeKind, heap, image, physical};
use crate::base::fixed::Vec;
use crate::limits::HEAP_BYTES_MAX;

/// Below this nothing is handed out: firmware data, and the page cores start in.
const LOW_MEMORY_END: u64 = 1 << 20;

/// Takes over the machine's memory: own page tables, heap.
///
/// Starts on the loader's tables and stack; the stack stays usable until
/// `reclaim_loader`.
pub fn init(ranges: &[Range]) -> Result<(), MemoryError> {
    let mut frames = start_frames(ranges)?;
    let mut space = AddressSpace::new(&mut frames)?;
    let direct_bytes = memory_end(ranges).next_multiple_of(BIG_PAGE_BYTES);
    let fixed = image::segments().map(|segment| match segment.protection {
        Protection::Write => None,
        _ => translate(segment.start)
            .map(|page| (page.physical, page.physical + segment.end - segment.start)),
    });
    address_space::map_direct(&mut space, &mut frames, direct_bytes, |start, end| {
        fixed
            .iter()
            .flatten()
            .any(|&(fixed_start, fixed_end)| start < fixed_end && fixed_start < end)
    })?;
    map_image(&mut space, &mut frames)?;
    map_running_stack(&mut space, &mut frames)?;
    space.activate();
    physical::set_mapped_end(direct_bytes);
    let (heap_bytes, heap_page_bytes) = map_heap(&mut space, &mut frames)?;
    heap::start(HEAP_BASE, heap_bytes);
    let mut kept = Vec::new();
    for range in ranges {
        kept.push(*range)
            .map_err(|_| MemoryError::TableFull("memory ranges"))?;
    }
    let memory = Memory {
        frames,
        space,
        slots: Slots::new(),
        devices: Devices::new(),
        ranges: kept,
        direct_bytes,
        heap_bytes,
        heap_page_bytes,
    };
    MEMORY.with(|owner| owner.set(memory));
    Ok(())
}

fn memory_end(ranges: &[Range]) -> u64 {
    ranges
        .iter()
        .filter(|range| range.is_memory())
        .map(|range| range.end)
        .max()
        .unwrap_or(0)
}

/// Places the allocator's words in usable memory that nobody uses yet.
fn start_frames(ranges: &[Range]) -> Result<Frames, MemoryError> {
    const EARLY_MAP_END: u64 = 4 << 30;
    let count = Frames::words_for(memory_end(ranges));
    let bytes = (count * size_of::<u64>()) as u64;
    let image = image_frames();
    let usable = ranges
        .iter()
        .filter(|range| range.kind == RangeKind::Usable);
    let place = usable
        .map(|range| {
            let start = range.start.max(LOW_MEMORY_END).next_multiple_of(PAGE_BYTES);
            // Behind the image, where the image lies in this range.
            let is_shared = image.0 < range.end && range.start < image.1;
            (
                if is_shared { start.max(image.1) } else { start },
                range.end.min(EARLY_MAP_END),
            )
        })
        .find(|(start, end)| start + bytes <= *end)
        .ok_or(MemoryError::NoUsableMemory)?;
    // SAFETY: the range is usable memory, mapped by the entry's direct map, outside
    // the image; it is marked as taken below, before anything else is handed out.
    let words = unsafe { core::slice::from_raw_parts_mut(to_direct(place.0) as *mut u64, count) };
    let mut frames = Frames::new(words);
    for range in ranges
        .iter()
        .filter(|range| range.kind == RangeKind::Usable)
    {
        frames.add(range.start, range.end);
    }
    // A map may contradict itself: what it also calls reserved is left alone.
    let is_doubted = |reserved: &&Range| {
        let mut usable = ranges
            .iter()
            .filter(|range| range.kind == RangeKind::Usable);
        !reserved.is_memory()
            && usable.any(|range| range.start < reserved.end && reserved.start < range.end)
    };
    for range in ranges.iter().filter(is_doubted) {
        frames.remove(range.start, range.end);
    }
    frames.take_range(0, LOW_MEMORY_END, Purpose::Other);
    frames.take_range(place.0, place.0 + bytes, Purpose::Other);
    frames.take_range(image.0, image.1, Purpose::Image);
    Ok(frames)
}

/// The physical range of the image when it is in one piece, else an empty one: a
/// loader that scatters it keeps it in memory that is not handed out.
fn image_frames() -> (u64, u64) {
    let [first, _, last] = image::segments();
    match (translate(first.start), translate(last.end - PAGE_BYTES)) {
        (Some(start), Some(end))
            if end.physical - start.physical == last.end - PAGE_BYTES - first.start =>
        {
            (start.physical, end.physical + PAGE_BYTES)
        }
        _ => (0, 0),
    }
}

fn map_image(space: &mut AddressSpace, frames: &mut Frames) -> Result<(), MemoryError> {
    for segment in image::segments() {
        for page in (segment.start..segment.end).step_by(PAGE_BYTES as usize) {
            let old = translate(page).ok_or(MemoryError::NotMapped(page))?;
            space.map(frames, page, old.physical, segment.protection)?;
        }
    }
    Ok(())
}

/// Keeps the stack that runs this code where it is, until boot leaves it.
fn map_running_stack(space: &mut AddressSpace, frames: &mut Frames) -> Result<(), MemoryError> {
    let marker = 0u8;
    let here = (&raw const marker) as u64 / PAGE_BYTES * PAGE_BYTES;
    let is_in_image = image::segments()
        .iter()
        .any(|segment| (segment.start..segment.end).contains(&here));
    if is_in_image {
        return Ok(());
    }
    const AROUND: u64 = 32 * PAGE_BYTES;
    for page in (here - AROUND..here + AROUND).step_by(PAGE_BYTES as usize) {
        if let Some(old) = translate(page) {
            space.map(frames, page, old.physical, Protection::Write)?;
        }
    }
    Ok(())
}

/// An eighth of the memory, between 10 MiB and 32 MiB, in big pages where there are any.
fn map_heap(space: &mut AddressSpace, frames: &mut Frames) -> Result<(u64, u64), MemoryError> {
    const LEAST: u64 = 10 << 20;
    let bytes = (frames.free_bytes() / 8)
        .clamp(LEAST, HEAP_BYTES_MAX as u64)
        .next_multiple_of(PAGE_BYTES);
    if bytes >= 2 * BIG_PAGE_BYTES {
        let bytes = bytes / BIG_PAGE_BYTES * BIG_PAGE_BYTES;
        for offset in (0..bytes).step_by(BIG_PAGE_BYTES as usize) {
            let run =
                frames.allocate_run(BIG_PAGE_BYTES / FRAME_BYTES, BIG_PAGE_BYTES, Purpose::Heap)?;
            space.map_big(frames, HEAP_BASE + offset, run, Protection::Write)?;
        }
        return Ok((bytes, BIG_PAGE_BYTES));
    }
    for offset in (0..bytes).step_by(PAGE_BYTES as usize) {
        let frame = frames.allocate(Purpose::Heap)?;
        space.map(frames, HEAP_BASE + offset, frame, Protection::Write)?;
    }
    Ok((bytes, PAGE_BYTES))
}

/// Frees what the loader used. Nothing of it may be touched afterwards.
pub fn reclaim_loader() {
    with(|memory| {
        for range in memory
            .ranges
            .iter()
            .filter(|range| range.kind == RangeKind::Loader)
        {
            memory
                .frames
                .add(range.start.max(LOW_MEMORY_END), range.end);
        }
        // The image itself may lie there.
        for segment in image::segments() {
            for page in (segment.start..segment.end).step_by(PAGE_BYTES as usize) {
                if let Some(page) = translate(page) {
                    memory
                        .frames
                        .take_range(page.physical, page.physical + 1, Purpose::Image);
                }
            }
        }
    });
}
