//! Physical memory, seen through the direct map.

use super::layout::to_direct;
use core::sync::atomic::{AtomicU64, Ordering::*};

/// The direct map's end; the entries map 4 GiB before the kernel maps its own.
static MAPPED_END: AtomicU64 = AtomicU64::new(4 << 30);

pub(super) fn set_mapped_end(end: u64) {
    MAPPED_END.store(end, Release);
}

/// Bytes that the firmware or the loader has left: tables, command line, map.
///
/// `None` when they do not lie in mapped memory. The frames behind them must not have been
/// handed out: boot reads them before it frees any, and later only what `bytes_left_alone`.
pub fn left_by_firmware(start: u64, length: usize) -> Option<&'static [u8]> {
    let end = start.checked_add(length as u64)?;
    if start == 0 || end > MAPPED_END.load(Acquire) {
        return None;
    }
    // SAFETY: the range is mapped and readable, and nobody writes to it while the
    // caller reads: it belongs to the firmware or to the loader, which have ended.
    Some(unsafe { core::slice::from_raw_parts(to_direct(start) as *const u8, length) })
}

/// Text that ends with a zero byte, at most `length_max` bytes of it.
pub fn text_left_by_firmware(start: u64, length_max: usize) -> Option<&'static str> {
    let bytes = (1..=length_max)
        .map_while(|length| left_by_firmware(start, length))
        .find(|bytes| bytes.last() == Some(&0));
    let bytes = match bytes {
        Some([text @ .., _]) => text,
        _ => left_by_firmware(start, length_max)?,
    };
    core::str::from_utf8(bytes).ok()
}

/// Fills frames that the caller has just been given.
pub(super) fn zero(start: u64, bytes: u64) {
    // SAFETY: the frames are mapped and belong to the caller alone.
    unsafe { core::ptr::write_bytes(to_direct(start) as *mut u8, 0, bytes as usize) };
}
