//! The kernel's page tables: one protection for each page, none both writable
//! and executable.

use super::frames::{Frames, Purpose};
use super::layout::{BIG_PAGE_BYTES, DIRECT_BASE, PAGE_BYTES, to_direct};
use super::{MemoryError, physical};
use x86_64::registers::control::{Cr3, Cr3Flags};
use x86_64::structures::paging::page_table::PageTableEntry;
use x86_64::structures::paging::{PageTableFlags as Flags, PhysFrame};
use x86_64::{PhysAddr, VirtAddr};

/// What may be done with a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    Read,
    Write,
    Execute,
    /// Registers of a device: written and read as the code says, not cached.
    Device,
    /// A frame buffer: writes may be gathered.
    Framebuffer,
}

impl Protection {
    const fn flags(self) -> Flags {
        let kept = Flags::PRESENT.union(Flags::GLOBAL);
        let data = kept.union(Flags::NO_EXECUTE);
        match self {
            Self::Read => data,
            Self::Write => data.union(Flags::WRITABLE),
            Self::Execute => kept,
            Self::Device => data
                .union(Flags::WRITABLE)
                .union(Flags::NO_CACHE)
                .union(WRITE_THROUGH),
            // Write-through alone: the page attribute table's entry 1, which is
            // set to write-combining where the processor has one.
            Self::Framebuffer => data.union(Flags::WRITABLE).union(WRITE_THROUGH),
        }
    }
}

const WRITE_THROUGH: Flags = Flags::WRITE_THROUGH;
/// Upper tables permit everything; the last level decides.
const LINK: Flags = Flags::PRESENT.union(Flags::WRITABLE);

pub struct AddressSpace {
    root: u64,
}

impl AddressSpace {
    pub fn new(frames: &mut Frames) -> Result<Self, MemoryError> {
        Ok(Self {
            root: new_table(frames)?,
        })
    }

    pub const fn root(&self) -> u64 {
        self.root
    }

    /// Makes the running core use these tables.
    pub fn activate(&self) {
        let frame = PhysFrame::containing_address(PhysAddr::new(self.root));
        // SAFETY: boot calls this when the image, the direct map and the running
        // stack are mapped in these tables at their present addresses.
        unsafe { Cr3::write(frame, Cr3Flags::empty()) };
    }

    pub fn map(
        &mut self,
        frames: &mut Frames,
        address: u64,
        frame: u64,
        protection: Protection,
    ) -> Result<(), MemoryError> {
        self.link(frames, address, 1, frame, protection.flags())
    }

    /// Maps 2 MiB; both addresses are multiples of that.
    pub fn map_big(
        &mut self,
        frames: &mut Frames,
        address: u64,
        frame: u64,
        protection: Protection,
    ) -> Result<(), MemoryError> {
        let flags = protection.flags() | Flags::HUGE_PAGE;
        self.link(frames, address, 2, frame, flags)
    }

    fn link(
        &mut self,
        frames: &mut Frames,
        address: u64,
        level: u64,
        frame: u64,
        flags: Flags,
    ) -> Result<(), MemoryError> {
        let entry = self.entry(frames, address, level)?;
        if !entry.is_unused() {
            return Err(MemoryError::AlreadyMapped(address));
        }
        entry.set_addr(PhysAddr::new(frame), flags);
        Ok(())
    }

    /// Removes a page of 4 KiB and gives back its frame. Other cores may hold the
    /// translation still: whoever unmaps what they have used must tell them.
    pub fn unmap(&mut self, frames: &mut Frames, address: u64) -> Result<u64, MemoryError> {
        let entry = self.entry(frames, address, 1)?;
        if entry.is_unused() {
            return Err(MemoryError::NotMapped(address));
        }
        let frame = entry.addr().as_u64();
        entry.set_unused();
        x86_64::instructions::tlb::flush(VirtAddr::new(address));
        Ok(frame)
    }

    /// The entry for `address` in its table of `level` (1: 4 KiB, 2: 2 MiB);
    /// makes the tables above it where they are missing.
    fn entry(
        &mut self,
        frames: &mut Frames,
        address: u64,
        level: u64,
    ) -> Result<&mut PageTableEntry, MemoryError> {
        let mut table = self.root;
        for above in (level + 1..=4).rev() {
            // SAFETY: `table` is one of ours: the root, or linked below it.
            let entry = unsafe { &mut *entry_at(table, index_at(address, above)) };
            if entry.is_unused() {
                entry.set_addr(PhysAddr::new(new_table(frames)?), LINK);
            }
            if entry.flags().contains(Flags::HUGE_PAGE) {
                return Err(MemoryError::AlreadyMapped(address));
            }
            table = entry.addr().as_u64();
        }
        // SAFETY: as above; the exclusive borrow of `self` makes it the only one.
        Ok(unsafe { &mut *entry_at(table, index_at(address, level)) })
    }
}

fn entry_at(table: u64, index: usize) -> *mut PageTableEntry {
    (to_direct(table) as *mut PageTableEntry).wrapping_add(index)
}

const fn index_at(address: u64, level: u64) -> usize {
    (address >> (12 + 9 * (level - 1)) & 0x1ff) as usize
}

fn new_table(frames: &mut Frames) -> Result<u64, MemoryError> {
    let frame = frames.allocate(Purpose::PageTables)?;
    physical::zero(frame, PAGE_BYTES);
    Ok(frame)
}

/// How the running core's tables map an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    pub physical: u64,
    pub is_writable: bool,
    pub is_executable: bool,
    /// From `physical` to the end of its page.
    pub bytes_left: u64,
}

/// Walks the tables that the running core uses; takes no lock, so that a fault
/// can be explained and the loader's tables be read.
pub fn translate(address: u64) -> Option<Translation> {
    let (root, _) = Cr3::read();
    let mut table = root.start_address().as_u64();
    let (mut is_writable, mut is_executable) = (true, true);
    for level in (1..=4).rev() {
        // SAFETY: the tables in use are mapped in the direct map; entries are
        // words that are read whole.
        let entry = unsafe { &*entry_at(table, index_at(address, level)) };
        let flags = entry.flags();
        if !flags.contains(Flags::PRESENT) {
            return None;
        }
        is_writable &= flags.contains(Flags::WRITABLE);
        is_executable &= !flags.contains(Flags::NO_EXECUTE);
        let bytes = PAGE_BYTES << (9 * (level - 1));
        if level == 1 || flags.contains(Flags::HUGE_PAGE) {
            let offset = address % bytes;
            let physical = entry.addr().as_u64() / bytes * bytes + offset;
            return Some(Translation {
                physical,
                is_writable,
                is_executable,
                bytes_left: bytes - offset,
            });
        }
        table = entry.addr().as_u64();
    }
    None
}

/// Is every byte of the range mapped?
pub fn is_mapped(start: u64, bytes: u64) -> bool {
    let Some(end) = start.checked_add(bytes) else {
        return false;
    };
    let mut address = start;
    while address < end {
        match translate(address) {
            Some(page) => address = address.saturating_add(page.bytes_left),
            None => return false,
        }
    }
    true
}

/// Sets entry 1 of the page attribute table to write-combining, on this core.
pub fn allow_write_combining() {
    const PAGE_ATTRIBUTES: u32 = 0x277;
    const WRITE_COMBINING: u64 = 1;
    let has_attributes = core::arch::x86_64::__cpuid(1).edx & 1 << 16 != 0;
    if has_attributes {
        let mut register = x86_64::registers::model_specific::Msr::new(PAGE_ATTRIBUTES);
        // SAFETY: CPUID offers the register; no page of ours uses entry 1 yet.
        unsafe {
            let value = register.read();
            register.write(value & !0xff00 | WRITE_COMBINING << 8);
        }
    }
}

/// Maps physical memory from 0 to `end` at `DIRECT_BASE`: writable, but for the
/// frames that `is_fixed` names, which nothing may change through this map.
pub fn map_direct(
    space: &mut AddressSpace,
    frames: &mut Frames,
    end: u64,
    is_fixed: impl Fn(u64, u64) -> bool,
) -> Result<(), MemoryError> {
    for big in (0..end).step_by(BIG_PAGE_BYTES as usize) {
        if !is_fixed(big, big + BIG_PAGE_BYTES) {
            space.map_big(frames, DIRECT_BASE + big, big, Protection::Write)?;
            continue;
        }
        for page in (big..big + BIG_PAGE_BYTES).step_by(PAGE_BYTES as usize) {
            let protection = match is_fixed(page, page + PAGE_BYTES) {
                true => Protection::Read,
                false => Protection::Write,
            };
            space.map(frames, DIRECT_BASE + page, page, protection)?;
        }
    }
    Ok(())
}
