//! Says in words what lies at an address.

use super::image;
use super::layout::{DEVICES_BASE, DIRECT_BASE, HEAP_BASE, PAGE_BYTES, STACKS_BASE};
use super::owner::{MEMORY, Memory};
use super::stacks::{self, Owner};

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
