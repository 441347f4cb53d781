//! Memory in one run that a device can reach: frames, or the host's heap.

#[cfg(target_os = "none")]
pub use metal::Backing;

#[cfg(not(target_os = "none"))]
pub use host::Backing;

#[cfg(not(target_os = "none"))]
pub mod host;

#[cfg(target_os = "none")]
mod metal {
    use crate::memory::MemoryError;
    use crate::memory::frames::{FRAME_BYTES, Purpose};
    use crate::memory::layout::to_direct;
    use crate::memory::owner::with;
    use crate::memory::physical;

    /// Whole frames; given back when dropped.
    pub struct Backing {
        physical: u64,
        bytes: u64,
    }

    impl Backing {
        /// At least `bytes`; what stood in them stays there unless they are zeroed.
        pub fn allocate(bytes: usize, is_zeroed: bool) -> Result<Self, MemoryError> {
            let count = (bytes as u64).div_ceil(FRAME_BYTES).max(1);
            let run = with(|memory| memory.frames.allocate_run(count, 0, Purpose::Dma));
            let physical = run.unwrap_or(Err(MemoryError::NoUsableMemory))?;
            let bytes = count * FRAME_BYTES;
            if is_zeroed {
                physical::zero(physical, bytes);
            }
            Ok(Self { physical, bytes })
        }

        /// Frames that `keep` has named before.
        pub(in crate::memory) const fn taken(physical: u64, bytes: u64) -> Self {
            Self { physical, bytes }
        }

        pub const fn address(&self) -> usize {
            to_direct(self.physical) as usize
        }

        pub const fn bytes(&self) -> usize {
            self.bytes as usize
        }

        pub const fn device_address(&self) -> u64 {
            self.physical
        }
    }

    impl Drop for Backing {
        fn drop(&mut self) {
            with(|memory| {
                let count = self.bytes / FRAME_BYTES;
                memory.frames.free(self.physical, count, Purpose::Dma)
            });
        }
    }
}
