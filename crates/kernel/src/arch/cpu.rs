//! The processor's features: which it offers, and which are switched on.

use super::view::FeatureView;
use crate::base::fixed::{Text, Vec};
use raw_cpuid::CpuId;
use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags};
use x86_64::registers::model_specific::{Efer, EferFlags};

/// The protections this kernel switches on where they are offered.
#[derive(Clone, Copy)]
struct Offered {
    smep: bool,
    smap: bool,
    umip: bool,
    no_execute: bool,
    global_pages: bool,
}

impl Offered {
    fn read() -> Self {
        let cpuid = CpuId::new();
        let extended = cpuid.get_extended_feature_info();
        Self {
            smep: extended.as_ref().is_some_and(|info| info.has_smep()),
            smap: extended.as_ref().is_some_and(|info| info.has_smap()),
            umip: extended.as_ref().is_some_and(|info| info.has_umip()),
            no_execute: cpuid
                .get_extended_processor_and_feature_identifiers()
                .is_some_and(|info| info.has_execute_disable()),
            global_pages: cpuid.get_feature_info().is_some_and(|info| info.has_pge()),
        }
    }
}

/// Switches on, on the running core, what protects the kernel from its own errors.
pub fn protect() {
    let offered = Offered::read();
    let mut wanted = Cr4::read() | Cr4Flags::PAGE_SIZE_EXTENSION;
    wanted.set(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION, offered.smep);
    wanted.set(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION, offered.smap);
    wanted.set(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION, offered.umip);
    wanted.set(Cr4Flags::PAGE_GLOBAL, offered.global_pages);
    // SAFETY: only bits that CPUID offers are set, and none that paging or the
    // running code relies on is cleared; no user pages exist.
    unsafe {
        if offered.no_execute {
            Efer::update(|flags| flags.insert(EferFlags::NO_EXECUTE_ENABLE));
        }
        Cr4::write(wanted);
        Cr0::update(|flags| flags.insert(Cr0Flags::WRITE_PROTECT | Cr0Flags::NUMERIC_ERROR));
    }
}

pub fn vendor() -> Text<12> {
    let vendor = CpuId::new().get_vendor_info();
    vendor.map_or(Text::new(), |info| Text::cut_from(info.as_str()))
}

pub fn brand() -> Text<48> {
    let brand = CpuId::new().get_processor_brand_string();
    brand.map_or(Text::new(), |brand| Text::cut_from(brand.as_str().trim()))
}

pub fn has_tsc_deadline() -> bool {
    CpuId::new()
        .get_feature_info()
        .is_some_and(|info| info.has_tsc_deadline())
}

pub fn is_in_x2apic_mode() -> bool {
    // SAFETY: every processor with a local APIC has this register.
    let base = unsafe { x86_64::registers::model_specific::Msr::new(0x1b).read() };
    base & (1 << 10) != 0
}

/// The features that `cpu` shows.
pub fn features() -> Vec<FeatureView, 16> {
    let offered = Offered::read();
    let (cr4, efer) = (Cr4::read(), Efer::read());
    let is_on = |flag| cr4.contains(flag);
    let cpuid = CpuId::new();
    let basic = cpuid.get_feature_info();
    let has = |test: fn(&raw_cpuid::FeatureInfo) -> bool| basic.as_ref().is_some_and(test);
    let rows = [
        (
            "nx",
            offered.no_execute,
            efer.contains(EferFlags::NO_EXECUTE_ENABLE),
        ),
        (
            "smep",
            offered.smep,
            is_on(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION),
        ),
        (
            "smap",
            offered.smap,
            is_on(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
        ),
        (
            "umip",
            offered.umip,
            is_on(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION),
        ),
        (
            "global-pages",
            offered.global_pages,
            is_on(Cr4Flags::PAGE_GLOBAL),
        ),
        (
            "tsc-deadline",
            has(|info| info.has_tsc_deadline()),
            has_tsc_deadline(),
        ),
        ("x2apic", has(|info| info.has_x2apic()), is_in_x2apic_mode()),
        (
            "rdrand",
            has(|info| info.has_rdrand()),
            has(|info| info.has_rdrand()),
        ),
    ];
    let mut features = Vec::new();
    for (name, is_offered, is_enabled) in rows {
        // Eight rows fit sixteen places.
        let _ = features.push(FeatureView {
            name,
            is_offered,
            is_enabled,
        });
    }
    features
}

/// Random bytes from the processor's own source; false when it has none or it fails.
pub fn random(bytes: &mut [u8]) -> bool {
    let Some(source) = x86_64::instructions::random::RdRand::new() else {
        return false;
    };
    for chunk in bytes.chunks_mut(8) {
        // Intel's guide: ten attempts; a source that fails them all is broken.
        let Some(word) = (0..10).find_map(|_| source.get_u64()) else {
            return false;
        };
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
    true
}

/// Stops this core for good.
pub fn halt_forever() -> ! {
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}

/// Does the processor say that it is a virtual machine's?
pub fn is_virtual() -> bool {
    CpuId::new()
        .get_feature_info()
        .is_some_and(|info| info.has_hypervisor())
}

/// Restarts the machine by an exception that cannot be handled.
pub fn triple_fault() -> ! {
    let nothing = x86_64::structures::DescriptorTablePointer {
        limit: 0,
        base: x86_64::VirtAddr::zero(),
    };
    // SAFETY: the machine restarts at the next instruction; nothing runs after it.
    unsafe {
        x86_64::instructions::tables::lidt(&nothing);
        core::arch::asm!("int3", options(noreturn));
    }
}

/// The address whose use raised the last page fault on this core.
pub fn fault_address() -> u64 {
    x86_64::registers::control::Cr2::read_raw()
}

/// Reads from an address that is never mapped, to raise a page fault.
pub fn touch_unmapped() {
    const NEVER_MAPPED: u64 = 0xdead_0000;
    // SAFETY: the read does not end: it raises a page fault, which ends the kernel.
    unsafe { (NEVER_MAPPED as *const u8).read_volatile() };
}
