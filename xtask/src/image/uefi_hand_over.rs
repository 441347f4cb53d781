//! A module for the boot loader's UEFI stage: the kernel's file is measured, and the kernel gets the firmware's log.
//!
//! It is text here because it is no code of this program: the stage calls firmware by its own rules. What it hands over
//! is read by `boot/hand_over.rs` in the kernel.

pub const FILE: &str = "uefi/src/hand_over.rs";

pub const SOURCE: &str = r#"
use core::{fmt::Write, ops::DerefMut, slice};
use uefi::{
    guid,
    prelude::{Boot, Status, SystemTable},
    proto::unsafe_protocol,
    table::boot::{
        AllocateType, MemoryType, OpenProtocolAttributes, OpenProtocolParams, ScopedProtocol,
    },
};

/// What is used of EFI_TCG2_PROTOCOL (TCG EFI Protocol Specification 1.0, 6.3).
#[repr(C)]
#[unsafe_protocol("607f766c-7455-42be-930b-e4d76db2720f")]
struct Tcg2 {
    get_capability: unsafe extern "efiapi" fn(),
    get_event_log: unsafe extern "efiapi" fn(*mut Tcg2, u32, *mut u64, *mut u64, *mut u8) -> Status,
    hash_log_extend_event:
        unsafe extern "efiapi" fn(*mut Tcg2, u64, u64, u64, *const u8) -> Status,
}

/// The firmware's protocol, when the machine has a TPM.
fn open(st: &SystemTable<Boot>) -> Option<ScopedProtocol<Tcg2>> {
    let services = st.boot_services();
    let params = OpenProtocolParams {
        handle: services.get_handle_for_protocol::<Tcg2>().ok()?,
        agent: services.image_handle(),
        controller: None,
    };
    unsafe { services.open_protocol(params, OpenProtocolAttributes::GetProtocol) }.ok()
}

/// Has the firmware measure the kernel's file. There is no logger yet, but a console.
pub fn measure_kernel(st: &mut SystemTable<Boot>, kernel: &[u8]) {
    const PCR: u32 = 8;
    const EV_IPL: u32 = 13;
    const DATA: &[u8] = b"rayos kernel-file";
    // EFI_TCG2_EVENT: the length of all of it; then a header with its own length, version, PCR and type.
    let mut event = [0; 18 + DATA.len()];
    let length = event.len() as u32;
    event[..4].copy_from_slice(&length.to_le_bytes());
    event[4..8].copy_from_slice(&14u32.to_le_bytes());
    event[8..10].copy_from_slice(&1u16.to_le_bytes());
    event[10..14].copy_from_slice(&PCR.to_le_bytes());
    event[14..18].copy_from_slice(&EV_IPL.to_le_bytes());
    event[18..].copy_from_slice(DATA);
    let status = match open(st) {
        None => return,
        Some(mut protocol) => {
            let this: *mut Tcg2 = protocol.deref_mut();
            let (start, length) = (kernel.as_ptr() as u64, kernel.len() as u64);
            unsafe { ((*this).hash_log_extend_event)(this, 0, start, length, event.as_ptr()) }
        }
    };
    if status != Status::SUCCESS {
        let _ = writeln!(st.stdout(), "WARN: the firmware did not measure the kernel: {status:?}");
    }
}

/// One piece of memory with `rayos.cfg`, the firmware's log, and a trailer that says what is what.
pub fn with_log(st: &SystemTable<Boot>, config: Option<&[u8]>) -> Option<&'static [u8]> {
    let config = config.unwrap_or_default();
    let (log, is_full) = event_log(st);
    let (final_events, known) = final_events(st);
    let words = [config.len() as u64, log.len() as u64, is_full.into(), final_events, known];
    let words = words.map(u64::to_le_bytes);
    let parts = [config, log, b"rayos hand-over\0", words.as_flattened()];
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    // The kernel reads it before it has looked at how much memory there is.
    let pages = st.boot_services().allocate_pages(
        AllocateType::MaxAddress(u32::MAX.into()),
        MemoryType::LOADER_DATA,
        length.div_ceil(4096),
    );
    let start = match pages {
        Ok(start) => start as *mut u8,
        Err(error) => {
            log::warn!("no memory for what the kernel gets: {:?}", error.status());
            return None;
        }
    };
    let mut at = 0;
    for part in parts {
        unsafe { start.add(at).copy_from_nonoverlapping(part.as_ptr(), part.len()) };
        at += part.len();
    }
    Some(unsafe { slice::from_raw_parts(start, length) })
}

/// The log in the crypto-agile format, and whether events are missing because it is full.
fn event_log(st: &SystemTable<Boot>) -> (&'static [u8], bool) {
    const CRYPTO_AGILE: u32 = 2;
    let Some(mut protocol) = open(st) else {
        return (&[], false);
    };
    let this: *mut Tcg2 = protocol.deref_mut();
    let (mut start, mut last, mut is_full) = (0, 0, 0);
    let status = unsafe {
        ((*this).get_event_log)(this, CRYPTO_AGILE, &mut start, &mut last, &mut is_full)
    };
    if status != Status::SUCCESS || start == 0 || last <= start {
        log::warn!("the firmware has no log of what it measured: {status:?}");
        return (&[], false);
    }
    let Some(last_bytes) = (unsafe { event_bytes(last as *const u8) }) else {
        log::warn!("the firmware's log ends with a digest of unknown length");
        return (&[], false);
    };
    let length = (last - start) as usize + last_bytes;
    (unsafe { slice::from_raw_parts(start as *const u8, length) }, is_full != 0)
}

/// The length of an event (TCG_PCR_EVENT2): only the start of the last one is known.
unsafe fn event_bytes(event: *const u8) -> Option<usize> {
    let read = |at| unsafe { event.add(at).cast::<u32>().read_unaligned() };
    let mut at = 12;
    for _ in 0..read(8) {
        at += 2 + match read(at) as u16 {
            0x4 => 20,
            0xb | 0x12 => 32,
            0xc => 48,
            0xd => 64,
            _ => return None,
        };
    }
    Some(at + 4 + read(at) as usize)
}

/// Where events are added from now on, and how many the log just read has of them already.
fn final_events(st: &SystemTable<Boot>) -> (u64, u64) {
    let table = guid!("1e2ed096-30e2-4254-bd89-863bbef82325");
    match st.config_table().iter().find(|entry| entry.guid == table) {
        Some(entry) => {
            let count = unsafe { entry.address.cast::<u64>().add(1).read_unaligned() };
            (entry.address as u64, count)
        }
        None => (0, 0),
    }
}
"#;
