//! The kernel's heap: for what is built at boot, and for the shell's comfort.

use crate::base::metric::{Counter, Gauge};
use crate::base::sync::IrqLock;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};
use linked_list_allocator::Heap;

struct KernelHeap {
    heap: IrqLock<Heap>,
    used: Gauge,
    refused: Counter,
}

#[global_allocator]
static HEAP: KernelHeap = KernelHeap {
    heap: IrqLock::new(Heap::empty()),
    used: Gauge::new(),
    refused: Counter::new(),
};

/// Gives the heap its memory, once: `bytes` mapped from `start` on.
pub(super) fn start(start: u64, bytes: u64) {
    // SAFETY: the area was mapped for the heap alone and stays so.
    HEAP.heap
        .with(|heap| unsafe { heap.init(start as *mut u8, bytes as usize) });
}

/// Bytes in use, the most there have been, allocations refused.
pub(super) fn usage() -> (u64, u64, u64) {
    (HEAP.used.get(), HEAP.used.high_water(), HEAP.refused.get())
}

// SAFETY: the list below hands out each byte once; the lock keeps calls apart.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.heap.with(|heap| heap.allocate_first_fit(layout)) {
            Ok(place) => {
                self.used.rise(layout.size() as u64);
                place.as_ptr()
            }
            Err(()) => {
                self.refused.increment();
                null_mut()
            }
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let Some(place) = NonNull::new(place) else {
            return;
        };
        // SAFETY: by contract, `place` came from `alloc` with this layout.
        self.heap
            .with(|heap| unsafe { heap.deallocate(place, layout) });
        self.used.fall(layout.size() as u64);
    }
}
