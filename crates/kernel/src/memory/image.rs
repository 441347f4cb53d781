//! Where the kernel's own segments lie, as the linker script has placed them.

use super::address_space::Protection;
use crate::base::boot_inputs::Measured;
use crate::base::symbols;
use crate::limits::SYMBOLS_BYTES;

unsafe extern "C" {
    static __rodata_start: u8;
    static __rodata_file_end: u8;
    static __rodata_end: u8;
    static __text_start: u8;
    static __text_file_end: u8;
    static __text_end: u8;
    static __data_start: u8;
    static __data_file_end: u8;
    static __data_end: u8;
    static __symbols_start: u8;
    static __symbols_end: u8;
}

/// Room for the symbols, which xtask fills in after linking.
#[used]
#[unsafe(link_section = ".rayos_symbols")]
static ROOM: [u8; SYMBOLS_BYTES] = symbols::unfilled();

/// The symbols as they are in memory. Read through the linker's names, because the
/// compiler takes it for granted that `ROOM` is what it was compiled as.
pub fn symbols() -> &'static [u8] {
    // SAFETY: both names frame the section, which is mapped and never written.
    unsafe { between(&raw const __symbols_start, &raw const __symbols_end) }
}

/// What the kernel's file holds of its read-only segments, in the order of addresses.
pub fn code() -> [&'static [u8]; 2] {
    // SAFETY: each pair frames what was loaded of a segment, which is never written.
    unsafe {
        [
            between(&raw const __rodata_start, &raw const __rodata_file_end),
            between(&raw const __text_start, &raw const __text_file_end),
        ]
    }
}

/// Measures what the kernel's file holds of its writable segment. It is what was loaded only
/// as long as nothing has written to a variable that does not begin as zero.
pub fn measure_data() -> Measured {
    // SAFETY: the names frame what was loaded of the segment. The slice does not outlive this
    // call, and until it returns, this core alone runs and only uses its stack.
    Measured::of(unsafe { between(&raw const __data_start, &raw const __data_file_end) })
}

/// # Safety
///
/// The two names of the linker's frame mapped bytes that nobody writes while they are read.
unsafe fn between(start: *const u8, end: *const u8) -> &'static [u8] {
    // SAFETY: as the caller promises.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

#[derive(Clone, Copy)]
pub struct Segment {
    pub name: &'static str,
    pub start: u64,
    pub end: u64,
    pub protection: Protection,
}

/// The three segments; each has one protection.
pub fn segments() -> [Segment; 3] {
    let segment = |name, start: *const u8, end: *const u8, protection| Segment {
        name,
        start: start as u64,
        end: end as u64,
        protection,
    };
    [
        segment(
            "rodata",
            &raw const __rodata_start,
            &raw const __rodata_end,
            Protection::Read,
        ),
        segment(
            "text",
            &raw const __text_start,
            &raw const __text_end,
            Protection::Execute,
        ),
        segment(
            "data",
            &raw const __data_start,
            &raw const __data_end,
            Protection::Write,
        ),
    ]
}
