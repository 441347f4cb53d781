//! The legacy interrupt controllers: moved out of the way and masked.

use super::vectors::LEGACY_FIRST;
use pic8259::ChainedPics;

/// What a masked controller still sends (spurious interrupts) lands on vectors of
/// its own and is counted there.
pub fn remap_and_mask() {
    // SAFETY: the vectors from `LEGACY_FIRST` on are reserved for these controllers.
    unsafe {
        let mut controllers = ChainedPics::new(LEGACY_FIRST, LEGACY_FIRST + 8);
        controllers.initialize();
        controllers.disable();
    }
}
