//! The steps of boot on the first core.

use super::description::{BootError, Description};
use super::firmware_log::{self, FirmwareLog};
use super::interrupt_lines::route;
use super::machine::Metal;
use super::notes::{LOG, Missing, TRACE, log, note};
use super::{control, cores, devices, loader, power, pvh, screen, tpm, watchdog};
use crate::arch::{
    apic, clock, context, core_local, cpu, gdt, interrupts, io_apic, pic, traps, vectors,
};
use crate::base::boot_inputs::{BootInputs, Measured};
use crate::base::config::Config;
use crate::base::late::Late;
use crate::base::log::Level;
use crate::base::machine::BootView;
use crate::base::sync::IrqLock;
use crate::base::token::{self, Token};
use crate::base::trace::Kind;
use crate::drivers::acpi::{Acpi, AcpiError, IoApic};
use crate::drivers::serial;
use crate::limits::STACK_BYTES;
use crate::memory::stacks::Stack;
use crate::memory::{self, image, physical};
use crate::{failure, sched};
use bootloader_api::BootInfo;
use core::sync::atomic::Ordering::{Relaxed, Release};

/// What the first steps hand to those that run on the kernel's own stack.
pub(super) struct Found {
    pub description: Description,
    pub acpi: Result<Acpi, AcpiError>,
    pub config: Config,
    pub missing: Missing,
    pub stack: Stack,
    pub data: Measured,
    pub firmware_log: FirmwareLog,
}

/// Continues the PVH entry.
pub fn from_pvh(start_info: u64) -> ! {
    // First of all, before anything changes what it measures.
    let data = image::measure_data();
    prepare_core();
    let read = pvh::Reader {
        bytes: &physical::left_by_firmware,
        text: &physical::text_left_by_firmware,
    };
    take_over(pvh::describe(start_info, &read), data)
}

/// Continues the entry of the `bootloader` crate.
pub fn from_loader(info: &'static mut BootInfo) -> ! {
    // The clock's zero is in memory that the file has nothing of.
    clock::start_now();
    let data = image::measure_data();
    prepare_core();
    take_over(loader::describe(info), data)
}

/// What the first core needs before anything may go wrong.
fn prepare_core() {
    core_local::install(0);
    gdt::load_early();
    traps::load();
    cpu::protect();
    pic::remap_and_mask();
}

/// Makes the machine the kernel's own, as far as that goes on the loader's stack.
fn take_over(description: Result<Description, BootError>, data: Measured) -> ! {
    let mut missing = Missing::new();
    if let Err(error) = serial::start() {
        note(&mut missing, "serial line", error.reason());
    }
    let mut description = match description {
        Ok(description) => description,
        Err(error) => panic!("this machine cannot be booted: {error}"),
    };
    let config = Config::parse(&description.settings);
    failure::set_end(config.on_panic);
    LOG.set_levels(config.log_levels.clone());
    let acpi = Acpi::read(description.acpi_root, &physical::left_by_firmware);
    if let Err(error) = memory::init(&description.memory) {
        panic!("memory cannot be taken over: {error}");
    }
    memory::address_space::allow_write_combining();
    let firmware_log = read_firmware_log(&mut description, acpi.as_ref().ok());
    let stack = match memory::allocate_stack("idle-0", STACK_BYTES as u64) {
        Ok(stack) => stack,
        Err(error) => panic!("no stack for the first core: {error}"),
    };
    FOUND.with(|found| {
        found.set(Found {
            description,
            acpi,
            config,
            missing,
            stack,
            data,
            firmware_log,
        })
    });
    context::continue_on(stack.top(), on_own_stack, 0)
}

static FOUND: IrqLock<Late<Found>> = IrqLock::new(Late::new());

/// The rest of boot, as what becomes the first core's idle thread.
extern "C" fn on_own_stack(_: usize) -> ! {
    let Some(mut found) = FOUND.with(Late::take) else {
        panic!("boot has lost what it found");
    };
    step("own page tables and stack");
    memory::reclaim_loader();
    cores::load_exception_stacks(0);
    if let Some((what, reason)) = found.description.missing_config {
        note(&mut found.missing, what, reason);
    }
    if let Some(reason) = found.firmware_log.doubt {
        note(&mut found.missing, "firmware log", reason);
    }
    let acpi = known_or_usual(&mut found);
    start_clock(&acpi);
    start_interrupts(&acpi, &mut found.missing);
    step("clock and interrupts");
    if let Err(error) = sched::become_idle_thread(found.stack) {
        panic!("the first core has no place among the threads: {error}");
    }
    cores::start_others(&acpi, &mut found.missing);
    step("cores");
    power::set(&acpi);
    connect_serial(&acpi, &mut found.missing);
    let screen = screen::start(
        found.description.screen,
        found.config.keymap,
        &acpi,
        &mut found.missing,
    );
    step("screen and keyboard");
    let devices = devices::start(&acpi, &mut found.missing);
    step("devices");
    let tpm = tpm::start(&acpi, &found.config, &mut found.missing);
    let boot = BootView {
        path: found.description.path,
        command_line: token::redacted(&found.description.settings),
        config: found.config,
        framebuffer: screen,
        missing: found.missing,
    };
    let inputs = BootInputs {
        code: image::code(),
        data: Some(found.data),
        command_line: found.description.command_line,
        token: boot.config.token.as_ref().map(Token::fingerprint),
        ramdisk: found.description.ramdisk,
        firmware_log: found.firmware_log.bytes,
    };
    // First, so that there is no moment in which the loop could hang unseen.
    watchdog::start();
    let cores_present = acpi.cores.len() + acpi.cores_more;
    control::start(Metal::new(boot, inputs, cores_present, devices, tpm));
    sched::idle()
}

/// Copies the log while the memory that it lies in is nobody else's: the heap is there, and
/// what the loader used is not free yet. Nothing of what the loader hands over is kept.
fn read_firmware_log(description: &mut Description, acpi: Option<&Acpi>) -> FirmwareLog {
    let hand_over = description.hand_over.take();
    let memory = &description.memory;
    let read = &|start, length_max| {
        let length = memory::bytes_left_alone(memory, start, length_max);
        physical::left_by_firmware(start, length).filter(|bytes| !bytes.is_empty())
    };
    let mut found = FirmwareLog::default();
    if description.path == "uefi" && hand_over.is_none() {
        found.doubt = Some("the boot loader hands none over; make the image anew");
    }
    if let Some(hand_over) = hand_over {
        found = firmware_log::with_final_events(hand_over.log, hand_over.final_events, read);
        if hand_over.is_log_full {
            found.doubt = Some("the firmware had no room for all events");
        }
    }
    let place = acpi.and_then(|acpi| acpi.tpm?.log);
    match place.filter(|_| found.bytes.is_empty()) {
        None => found,
        Some(place) => {
            let area = read(place.address, place.bytes as usize);
            let other = area.map_or_else(firmware_log::unreachable, firmware_log::of_area);
            FirmwareLog {
                doubt: found.doubt.or(other.doubt),
                ..other
            }
        }
    }
}

fn step(name: &str) {
    log(Level::Debug, format_args!("{name}: done"));
    TRACE.push(
        clock::now(),
        core_local::index() as u8,
        Kind::Boot,
        clock::ticks(),
        0,
    );
}

/// The tables, or what a PC without them has by custom.
fn known_or_usual(found: &mut Found) -> Acpi {
    const LOCAL_APIC: u64 = 0xfee0_0000;
    const IO_APIC: u64 = 0xfec0_0000;
    match core::mem::replace(&mut found.acpi, Err(AcpiError::NoRoot)) {
        Ok(acpi) => acpi,
        Err(error) => {
            note(&mut found.missing, "acpi", error.reason());
            let mut acpi = Acpi {
                local_apic: LOCAL_APIC,
                ..Acpi::default()
            };
            // One controller fits the list.
            let _ = acpi.io_apics.push(IoApic {
                address: IO_APIC,
                first_line: 0,
            });
            acpi
        }
    }
}

fn start_clock(acpi: &Acpi) {
    const HPET_BYTES: u64 = 1024;
    let hpet = acpi
        .hpet
        .and_then(|physical| memory::map_device(physical, HPET_BYTES, "hpet").ok());
    clock::calibrate(hpet);
}

fn start_interrupts(acpi: &Acpi, missing: &mut Missing) {
    const APIC_BYTES: u64 = 4096;
    match memory::map_device(acpi.local_apic, APIC_BYTES, "local apic") {
        Ok(registers) => apic::set_access(registers),
        Err(error) => panic!("the local APIC cannot be mapped: {error}"),
    }
    apic::enable();
    apic::choose_timer();
    for io_apic in &acpi.io_apics {
        let registers = memory::map_device(io_apic.address, APIC_BYTES, "i/o apic");
        let is_added = registers.is_ok_and(|registers| io_apic::add(registers, io_apic.first_line));
        if !is_added {
            note(
                missing,
                "i/o apic",
                "its registers cannot be mapped, or there are too many",
            );
        }
    }
    let cells = core_local::current();
    cells.apic_id.store(apic::id(), Relaxed);
    cells.is_online.store(true, Release);
    interrupts::set(vectors::TIMER, "timer", |_| apic::on_timer());
    interrupts::set(vectors::RESCHEDULE, "reschedule", |_| {});
    sched::set_trace(&TRACE);
    traps::set_hooks(traps::Hooks {
        exception: failure::on_exception,
        non_maskable: failure::on_non_maskable,
        after_interrupt: sched::reschedule,
    });
}

fn connect_serial(acpi: &Acpi, missing: &mut Missing) {
    let handler = |_| {
        serial::on_interrupt();
        control::wake();
    };
    match route(acpi, serial::IRQ, "serial", handler) {
        Ok(()) => serial::enable_interrupts(),
        Err(reason) => note(missing, "serial interrupt", reason),
    }
}
