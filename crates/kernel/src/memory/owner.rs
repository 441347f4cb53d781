//! The one owner of all memory, and what the floors above may ask of it.

use super::address_space::{self, AddressSpace, Protection, translate};
use super::devices::Devices;
use super::frames::{FRAME_BYTES, Frames, Purpose};
use super::layout::{
    BIG_PAGE_BYTES, DEVICES_BASE, DIRECT_BASE, HEAP_BASE, PAGE_BYTES, STACK_SLOT_BYTES,
    STACK_SLOTS, STACKS_BASE, to_direct,
};
use super::stacks::{Owner, Slots, Stack};
use super::view::{MappingView, MemoryView, RangeView};
use super::{MemoryError, Range, RangeKind, heap, image, physical, stacks};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::sync::IrqLock;
use crate::limits::{MEMORY_RANGES_MAX, MMIO_RANGES_MAX};

/// Below this nothing is handed out: firmware data, and the page cores start in.
const LOW_MEMORY_END: u64 = 1 << 20;

struct Memory {
    frames: Frames,
    space: AddressSpace,
    slots: Slots,
    devices: Devices,
    ranges: Vec<Range, MEMORY_RANGES_MAX>,
    direct_bytes: u64,
    heap_bytes: u64,
    heap_page_bytes: u64,
}

static MEMORY: IrqLock<Option<Memory>> = IrqLock::new(None);

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
    MEMORY.with(|owner| *owner = Some(memory));
    Ok(())
}

fn is_memory(range: &Range) -> bool {
    matches!(range.kind, RangeKind::Usable | RangeKind::Loader)
}

fn memory_end(ranges: &[Range]) -> u64 {
    ranges
        .iter()
        .filter(|range| is_memory(range))
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
        !is_memory(reserved)
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

/// A sixteenth of the memory, between 3 MiB and 32 MiB, in big pages where there are any.
fn map_heap(space: &mut AddressSpace, frames: &mut Frames) -> Result<(u64, u64), MemoryError> {
    const LEAST: u64 = 3 << 20;
    const MOST: u64 = 32 << 20;
    let bytes = (frames.free_bytes() / 16)
        .clamp(LEAST, MOST)
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

fn with<R>(body: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    MEMORY.with(|memory| memory.as_mut().map(body))
}

/// A zeroed stack with a guard below it, for good.
pub fn allocate_stack(owner: &str, bytes: u64) -> Result<Stack, MemoryError> {
    crate::invariant!(
        bytes < STACK_SLOT_BYTES,
        "a stack of {bytes} bytes leaves no guard"
    );
    let result = with(|memory| {
        let Memory {
            frames,
            space,
            slots,
            ..
        } = memory;
        let stack = slots
            .take(owner, bytes)
            .ok_or(MemoryError::TableFull("stacks"))?;
        for page in (stack.bottom()..stack.top()).step_by(PAGE_BYTES as usize) {
            let frame = frames.allocate(Purpose::Stacks)?;
            physical::zero(frame, FRAME_BYTES);
            space.map(frames, page, frame, Protection::Write)?;
        }
        Ok(stack)
    });
    result.unwrap_or(Err(MemoryError::NoUsableMemory))
}

/// Gives a stack that is used again its new owner's name.
pub fn rename_stack(stack: Stack, owner: &str) {
    with(|memory| memory.slots.rename(stack, owner));
}

/// Where the device registers at `physical` are seen.
pub fn map_device(physical: u64, bytes: u64, name: &'static str) -> Result<u64, MemoryError> {
    map_range((physical, bytes), name, Protection::Device)
}

fn map_range(
    range: (u64, u64),
    name: &'static str,
    protection: Protection,
) -> Result<u64, MemoryError> {
    let result = with(|memory| {
        let Memory {
            frames,
            space,
            devices,
            ..
        } = memory;
        devices.map(space, frames, range, name, protection)
    });
    result.unwrap_or(Err(MemoryError::NoUsableMemory))
}

/// One register of a byte, in a device's memory.
pub struct DeviceByte {
    address: u64,
}

impl DeviceByte {
    pub fn map(physical: u64, name: &'static str) -> Result<Self, MemoryError> {
        map_device(physical, 1, name).map(|address| Self { address })
    }

    pub fn write(&mut self, value: u8) {
        // SAFETY: the page is mapped for this kernel's life and holds registers.
        unsafe { (self.address as *mut u8).write_volatile(value) };
    }
}

/// The screen's memory, as bytes that one owner draws to.
pub fn map_framebuffer(physical: u64, bytes: u64) -> Result<&'static mut [u8], MemoryError> {
    let address = map_range((physical, bytes), "framebuffer", Protection::Framebuffer)?;
    // SAFETY: the range is mapped writable for good; boot asks for it once and
    // hands it to the one console that draws.
    Ok(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, bytes as usize) })
}

/// Memory for a device: in one piece, its physical address known.
pub struct Dma {
    physical: u64,
    bytes: u64,
}

impl Dma {
    /// At least `bytes`, zeroed, at a multiple of `align`.
    pub fn allocate(bytes: u64, align: u64) -> Result<Self, MemoryError> {
        let count = bytes.div_ceil(FRAME_BYTES);
        let run = with(|memory| memory.frames.allocate_run(count, align, Purpose::Dma));
        let physical = run.unwrap_or(Err(MemoryError::NoUsableMemory))?;
        physical::zero(physical, count * FRAME_BYTES);
        Ok(Self {
            physical,
            bytes: count * FRAME_BYTES,
        })
    }

    pub const fn physical(&self) -> u64 {
        self.physical
    }

    pub const fn address(&self) -> u64 {
        to_direct(self.physical)
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Dma {
    fn drop(&mut self) {
        with(|memory| {
            memory
                .frames
                .free(self.physical, self.bytes / FRAME_BYTES, Purpose::Dma)
        });
    }
}

/// The page tables' root, for cores that start.
pub fn root() -> u64 {
    with(|memory| memory.space.root()).unwrap_or(0)
}

/// A page below 1 MiB for cores that start, seen at its physical address until it
/// is dropped: they come with paging off.
pub struct StartPage {
    physical: u64,
}

impl StartPage {
    pub fn place(content: &[u8; PAGE_BYTES as usize]) -> Result<Self, MemoryError> {
        let result = with(|memory| {
            let usable = memory.ranges.iter().filter(|range| is_memory(range));
            let physical = usable
                .map(|range| {
                    (
                        range.start.max(PAGE_BYTES).next_multiple_of(PAGE_BYTES),
                        range.end.min(0x9_f000),
                    )
                })
                .find(|(start, end)| start + PAGE_BYTES <= *end)
                .map(|(start, end)| start.max(0x8000.min(end - PAGE_BYTES)))
                .ok_or(MemoryError::NoFrames {
                    wanted_bytes: PAGE_BYTES,
                })?;
            // SAFETY: usable low memory is handed out to nobody else.
            unsafe { (to_direct(physical) as *mut [u8; PAGE_BYTES as usize]).write(*content) };
            memory
                .space
                .map(&mut memory.frames, physical, physical, Protection::Execute)?;
            Ok(Self { physical })
        });
        result.unwrap_or(Err(MemoryError::NoUsableMemory))
    }

    pub const fn physical(&self) -> u64 {
        self.physical
    }
}

impl Drop for StartPage {
    fn drop(&mut self) {
        with(|memory| memory.space.unmap(&mut memory.frames, self.physical));
    }
}

/// What lies at an address, in words, for who has met a fault there.
#[derive(Clone, Debug)]
pub enum Place {
    Null,
    StackGuard(Owner),
    Stack(Owner),
    UnusedStackSlot,
    Heap,
    BehindHeap,
    Device(&'static str),
    Unmapped(&'static str),
    DirectMap,
    Segment(&'static str),
    NoArea,
    /// The owner was busy when the fault came.
    Unknown,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Null => f.write_str("the page at address 0: a null pointer"),
            Self::StackGuard(owner) => write!(
                f,
                "the guard below the stack of \"{owner}\": stack overflow"
            ),
            Self::Stack(owner) => write!(f, "the stack of \"{owner}\""),
            Self::UnusedStackSlot => f.write_str("a stack slot that nobody uses"),
            Self::Heap => f.write_str("the heap"),
            Self::BehindHeap => f.write_str("the area behind the heap's end"),
            Self::Device(name) => write!(f, "the registers of {name}"),
            Self::Unmapped(area) => write!(f, "an unmapped part of {area}"),
            Self::DirectMap => f.write_str("the direct map of physical memory"),
            Self::Segment(name) => write!(f, "the kernel's {name} segment"),
            Self::NoArea => f.write_str("no area of the kernel's address space"),
            Self::Unknown => f.write_str("unknown: memory was being changed"),
        }
    }
}

/// Explains an address; takes no lock that the faulting code may hold.
pub fn explain(address: u64) -> Place {
    MEMORY
        .try_with(|memory| {
            memory
                .as_ref()
                .map_or(Place::NoArea, |memory| place_of(memory, address))
        })
        .unwrap_or(Place::Unknown)
}

fn place_of(memory: &Memory, address: u64) -> Place {
    let is_stack = (STACKS_BASE..stacks::area_end()).contains(&address);
    let segment = image::segments()
        .into_iter()
        .find(|segment| (segment.start..segment.end).contains(&address));
    if let Some(segment) = segment {
        return Place::Segment(segment.name);
    }
    match address {
        0..PAGE_BYTES => Place::Null,
        _ if is_stack => match memory.slots.find(address) {
            Some((owner, true)) => Place::StackGuard(owner.clone()),
            Some((owner, false)) => Place::Stack(owner.clone()),
            None => Place::UnusedStackSlot,
        },
        HEAP_BASE..STACKS_BASE => match address < HEAP_BASE + memory.heap_bytes {
            true => Place::Heap,
            false => Place::BehindHeap,
        },
        DEVICES_BASE.. => {
            let mut ranges = memory.devices.ranges().iter();
            let range = ranges
                .find(|range| (range.address..range.address + range.bytes).contains(&address));
            range.map_or(Place::Unmapped("the device area"), |range| {
                Place::Device(range.name)
            })
        }
        DIRECT_BASE..HEAP_BASE => match address < DIRECT_BASE + memory.direct_bytes {
            true => Place::DirectMap,
            false => Place::Unmapped("the direct map"),
        },
        _ => Place::NoArea,
    }
}

/// Fills in where the memory is.
pub fn view(view: &mut MemoryView) {
    with(|memory| {
        let frames = &memory.frames;
        let (heap_used_bytes, heap_high_water_bytes, heap_refused) = heap::usage();
        let reserved = memory.ranges.iter().filter(|range| !is_memory(range));
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
            Usage::of("HEAP_BYTES", memory.heap_bytes as usize)
                .used(used)
                .high_water(high_water)
                .refused(refused),
            Usage::of("STACK_SLOTS", STACK_SLOTS)
                .used(slots)
                .high_water(slots),
            Usage::of("MMIO_RANGES_MAX", MMIO_RANGES_MAX)
                .used(mapped)
                .high_water(mapped),
        ]
    });
    usages.iter().flatten().for_each(visit);
}
