//! The host's stand-in for memory that devices reach, and their way in.

use crate::memory::MemoryError;
use core::alloc::Layout;
use core::ptr;
use std::alloc::{alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const PAGE_BYTES: usize = 4096;

/// Every run that is alive: its start and its bytes.
static RUNS: Mutex<BTreeMap<usize, usize>> = Mutex::new(BTreeMap::new());

fn runs() -> MutexGuard<'static, BTreeMap<usize, usize>> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whole pages of the host's heap; given back when dropped.
pub struct Backing {
    layout: Layout,
    address: usize,
}

impl Backing {
    pub fn allocate(bytes: usize, _is_zeroed: bool) -> Result<Self, MemoryError> {
        let refused = MemoryError::NoFrames {
            wanted_bytes: bytes as u64,
        };
        let bytes = bytes.max(1).next_multiple_of(PAGE_BYTES);
        let layout = Layout::from_size_align(bytes, PAGE_BYTES).map_err(|_| refused)?;
        // SAFETY: the layout has at least a page.
        let address = unsafe { alloc_zeroed(layout) } as usize;
        if address == 0 {
            return Err(refused);
        }
        runs().insert(address, bytes);
        Ok(Self { layout, address })
    }

    /// A run that is alive.
    pub(in crate::memory) fn taken(address: u64, bytes: u64) -> Option<Self> {
        let (address, bytes) = (address as usize, bytes as usize);
        let layout = Layout::from_size_align(bytes, PAGE_BYTES).ok()?;
        let is_alive = runs().get(&address) == Some(&bytes);
        // Not `then_some`: what is never made must not be dropped.
        is_alive.then(|| Self { layout, address })
    }

    pub const fn address(&self) -> usize {
        self.address
    }

    pub const fn bytes(&self) -> usize {
        self.layout.size()
    }

    pub const fn device_address(&self) -> u64 {
        self.address as u64
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        runs().remove(&self.address);
        // SAFETY: `allocate` took the memory with this layout, and its one owner ends.
        unsafe { dealloc(self.address as *mut u8, self.layout) };
    }
}

/// As much as anybody could want: the host's heap tells nobody how large it is.
pub const fn free_bytes() -> u64 {
    u64::MAX
}

/// Is the range inside of memory that was handed to devices?
fn is_reachable(runs: &BTreeMap<usize, usize>, address: u64, bytes: usize) -> bool {
    let run = runs.range(..=address as usize).next_back();
    run.is_some_and(|(start, length)| {
        let end = (address as usize).checked_add(bytes);
        end.is_some_and(|end| end <= start + length)
    })
}

/// Reads as a device does: at an address that it was given. False where no memory is.
pub fn read_as_device(address: u64, bytes: &mut [u8]) -> bool {
    let runs = runs();
    if !is_reachable(&runs, address, bytes.len()) {
        return false;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        // SAFETY: inside of a run that is alive while the list is locked; volatile, as a
        // device's access is one that the compiler does not see.
        *byte = unsafe { ptr::read_volatile((address as usize + index) as *const u8) };
    }
    true
}

/// Writes as a device does. False where no memory is.
pub fn write_as_device(address: u64, bytes: &[u8]) -> bool {
    let runs = runs();
    if !is_reachable(&runs, address, bytes.len()) {
        return false;
    }
    for (index, byte) in bytes.iter().enumerate() {
        // SAFETY: as for reading.
        unsafe { ptr::write_volatile((address as usize + index) as *mut u8, *byte) };
    }
    true
}
