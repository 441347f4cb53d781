//! What happens when the kernel itself is wrong: say all, and end.
//!
//! The report goes to the serial line (between CAN and EOT, for programs that
//! listen) and to the screen. Nothing here allocates, waits for a lock or trusts
//! what is broken.

use crate::arch::traps::TrapFrame;
use crate::arch::vectors::{EXCEPTION_NAMES, PAGE_FAULT};
use crate::arch::{apic, backtrace, clock, core_local, cpu};
use crate::base::config::OnPanic;
use crate::base::machine::DebugAction;
use crate::base::symbols::{Location, Symbols};
use crate::base::time::{Duration, Instant};
use crate::base::trace::Kind;
use crate::boot;
use crate::drivers::serial;
use crate::memory::address_space::is_mapped;
use crate::memory::{self, image};
use crate::sched::{self, ThreadId};
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

/// Says to a program that listens: a report begins.
const CANCEL: &[u8] = &[0x18];
/// Says that it is complete.
const END: &[u8] = &[0x04];
const TRACE_TAIL: usize = 16;
const LOG_TAIL: usize = 8;
const FRAMES_SHOWN_MAX: usize = 48;
const NOBODY: usize = usize::MAX;

/// The core whose failure is being told.
static TELLER: AtomicUsize = AtomicUsize::new(NOBODY);
static HALTS: AtomicBool = AtomicBool::new(false);

/// Chooses what a report ends in.
pub fn set_end(end: OnPanic) {
    HALTS.store(end == OnPanic::Halt, Relaxed);
}

/// Where the failing code is: its frames, and its registers where they are known.
struct Scene<'a> {
    /// The address at which it failed, when that is not the top of the frames.
    at: Option<u64>,
    frame: u64,
    registers: Option<&'a TrapFrame>,
}

/// What the panic handler of the binary calls.
pub fn on_panic(info: &PanicInfo<'_>) -> ! {
    let scene = Scene {
        at: None,
        frame: backtrace::frame_pointer(),
        registers: None,
    };
    match info.location() {
        Some(place) => tell(format_args!("{} ({place})", info.message()), &scene),
        None => tell(format_args!("{}", info.message()), &scene),
    }
}

/// An exception that no test has announced.
pub fn on_exception(frame: &TrapFrame) -> ! {
    let scene = Scene {
        at: Some(frame.rip),
        frame: frame.rbp,
        registers: Some(frame),
    };
    let core = core_local::index() as u8;
    boot::TRACE.push(clock::now(), core, Kind::Exception, frame.vector, frame.rip);
    let name = EXCEPTION_NAMES[frame.vector as usize % EXCEPTION_NAMES.len()];
    if frame.vector != PAGE_FAULT {
        tell(
            format_args!("{name} at {:#x}, error code {:#x}", frame.rip, frame.error),
            &scene,
        );
    }
    let address = cpu::fault_address();
    let access = match (frame.error & 2 != 0, frame.error & 16 != 0) {
        (_, true) => "execution of",
        (true, _) => "write to",
        (false, _) => "read of",
    };
    let cause = match frame.error & 1 != 0 {
        true => "its protection forbids that",
        false => "nothing is mapped there",
    };
    let place = memory::explain(address);
    tell(
        format_args!("{name}: {access} {address:#x}, {place}; {cause}"),
        &scene,
    )
}

/// A non-maskable interrupt: another core tells of its failure, so this one stops
/// and leaves word where it was; otherwise the machine itself complains.
pub fn on_non_maskable(frame: &TrapFrame) {
    let teller = TELLER.load(Acquire);
    if teller == NOBODY {
        let scene = Scene {
            at: Some(frame.rip),
            frame: frame.rbp,
            registers: Some(frame),
        };
        tell(
            format_args!("non-maskable interrupt: the machine reports a fault"),
            &scene,
        );
    }
    if teller != core_local::index() {
        let cells = core_local::current();
        cells.stopped_frame.store(frame.rbp, Relaxed);
        cells.stopped_at.store(frame.rip, Release);
        cpu::halt_forever();
    }
}

/// The control loop runs one tick without end; told from the watchdog's thread.
pub fn on_hang(thread: ThreadId, ran: Duration) -> ! {
    let reason = format_args!("the control loop hangs: its tick has run for {ran}");
    let place = sched::whereabouts(thread);
    become_teller();
    let scene = match place.saved_stack {
        Some(stack) => {
            let (at, frame) = backtrace::saved_frame(stack);
            Scene {
                at: Some(at),
                frame,
                registers: None,
            }
        }
        None => {
            let cells = core_local::of(place.core);
            let cell = |read: fn(&core_local::CoreLocal) -> u64| cells.map_or(0, read);
            Scene {
                at: Some(cell(|cells| cells.stopped_at.load(Acquire))),
                frame: cell(|cells| cells.stopped_frame.load(Relaxed)),
                registers: None,
            }
        }
    };
    tell(reason, &scene)
}

/// Stops the other cores; a second failure on this core ends the first's report.
fn become_teller() {
    x86_64::instructions::interrupts::disable();
    let own = core_local::index();
    match TELLER.compare_exchange(NOBODY, own, AcqRel, Acquire) {
        Ok(_) => {}
        Err(teller) if teller == own => return,
        // Another core tells already; its interrupt is on the way here.
        Err(_) => cpu::halt_forever(),
    }
    let others = || core_local::online().filter(move |(index, _)| *index != own);
    for (_, cells) in others() {
        apic::send_non_maskable(cells.apic_id.load(Relaxed));
    }
    for (_, cells) in others() {
        let _ = (0..1_000_000).any(|_| {
            core::hint::spin_loop();
            cells.stopped_at.load(Acquire) != 0
        });
    }
}

static IS_TELLING: AtomicBool = AtomicBool::new(false);

fn tell(reason: fmt::Arguments<'_>, scene: &Scene<'_>) -> ! {
    become_teller();
    let is_halting = HALTS.load(Relaxed);
    let end = if is_halting { "halted" } else { "rebooting" };
    serial::write_in_emergency(CANCEL);
    let mut line = Line;
    // Neither writer fails; the line comes first, since it is the simpler.
    if IS_TELLING.swap(true, AcqRel) {
        let _ = writeln!(line, "\npanic: while telling of a panic: {reason}\n{end}");
    } else {
        let _ = report(&mut line, reason, scene);
        let _ = writeln!(line, "{end}");
        boot::write_to_screen_in_emergency(&mut |screen| {
            let _ = report(screen, reason, scene);
            let _ = writeln!(screen, "{end}");
        });
    }
    serial::write_in_emergency(END);
    serial::wait_until_sent();
    match is_halting {
        true => cpu::halt_forever(),
        false => boot::reboot(),
    }
}

fn report(out: &mut dyn Write, reason: fmt::Arguments<'_>, scene: &Scene<'_>) -> fmt::Result {
    let now = clock::now();
    writeln!(out, "\npanic: {reason}")?;
    let core = core_local::index();
    match sched::current_name() {
        Some(name) => writeln!(out, "core {core}, thread \"{name}\", {now} s after boot")?,
        None => writeln!(out, "core {core}, {now} s after boot")?,
    }
    if let Some(registers) = scene.registers {
        write_registers(out, registers)?;
    }
    write_backtrace(out, scene)?;
    write_tails(out, now)
}

fn write_registers(out: &mut dyn Write, frame: &TrapFrame) -> fmt::Result {
    let rows = [
        [
            ("rax", frame.rax),
            ("rbx", frame.rbx),
            ("rcx", frame.rcx),
            ("rdx", frame.rdx),
        ],
        [
            ("rsi", frame.rsi),
            ("rdi", frame.rdi),
            ("rbp", frame.rbp),
            ("rsp", frame.rsp),
        ],
        [
            ("r8 ", frame.r8),
            ("r9 ", frame.r9),
            ("r10", frame.r10),
            ("r11", frame.r11),
        ],
        [
            ("r12", frame.r12),
            ("r13", frame.r13),
            ("r14", frame.r14),
            ("r15", frame.r15),
        ],
        [
            ("rip", frame.rip),
            ("flg", frame.rflags),
            ("cr2", cpu::fault_address()),
            ("err", frame.error),
        ],
    ];
    writeln!(out, "registers:")?;
    for row in rows {
        for (name, value) in row {
            write!(out, "  {name} {value:016x}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_backtrace(out: &mut dyn Write, scene: &Scene<'_>) -> fmt::Result {
    writeln!(out, "backtrace:")?;
    let symbols = Symbols::parse(image::symbols());
    if let Err(error) = &symbols {
        writeln!(out, "  (no function names: {error})")?;
    }
    let symbols = symbols.ok();
    if let Some(at) = scene.at {
        write_frame(
            out,
            symbols.as_ref().and_then(|symbols| symbols.lookup(at)),
            at,
        );
    }
    // A function that calls itself without end is shown once, with a count.
    let (mut last, mut repeats, mut shown) = (0, 0u64, 0);
    backtrace::walk(scene.frame, is_mapped, |address| {
        if address == last {
            repeats += 1;
            return;
        }
        write_repeats(out, core::mem::take(&mut repeats));
        last = address;
        shown += 1;
        if shown <= FRAMES_SHOWN_MAX {
            let location = symbols
                .as_ref()
                .and_then(|symbols| symbols.lookup_return_address(address));
            write_frame(out, location, address);
        }
    });
    write_repeats(out, repeats);
    match shown > FRAMES_SHOWN_MAX {
        true => writeln!(out, "  ... and {} more", shown - FRAMES_SHOWN_MAX),
        false => Ok(()),
    }
}

fn write_repeats(out: &mut dyn Write, repeats: u64) {
    if repeats > 0 {
        // The writers never fail.
        let _ = writeln!(out, "    repeated {repeats} times");
    }
}

fn write_frame(out: &mut dyn Write, location: Option<Location<'_>>, address: u64) {
    // The writers never fail.
    let _ = match location {
        Some(location) => writeln!(out, "  {address:#x} {location}"),
        None => writeln!(out, "  {address:#x}"),
    };
}

fn write_tails(out: &mut dyn Write, now: Instant) -> fmt::Result {
    writeln!(out, "trace:")?;
    for event in boot::TRACE.tail(TRACE_TAIL) {
        let ago = now.since(event.at);
        let kind = event.kind.name();
        writeln!(
            out,
            "  -{ago} core {} {kind} {:#x} {:#x}",
            event.core, event.first, event.second
        )?;
    }
    let mut records = [const { None }; LOG_TAIL];
    let mut count = 0;
    boot::LOG.try_visit_from(0, |record| {
        records[count % records.len()] =
            Some((record.at, record.level, record.source, record.text.clone()));
        count += 1;
    });
    if count > 0 {
        writeln!(out, "log:")?;
    }
    let oldest = count.saturating_sub(records.len());
    for (at, level, source, text) in
        (oldest..count).filter_map(|index| records[index % records.len()].as_ref())
    {
        writeln!(out, "  {at} {} {source}: {text}", level.name())?;
    }
    Ok(())
}

/// The serial line, past its driver.
struct Line;

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive('\n') {
            match part.strip_suffix('\n') {
                Some(line) => {
                    serial::write_in_emergency(line.as_bytes());
                    serial::write_in_emergency(b"\r\n");
                }
                None => serial::write_in_emergency(part.as_bytes()),
            }
        }
        Ok(())
    }
}

/// Breaks the kernel on purpose, as `debug` asks; stands in the backtrace under its own name.
#[inline(never)]
pub fn provoke(action: DebugAction) {
    match action {
        DebugAction::Panic => panic!("debug panic was asked for"),
        DebugAction::Fault => cpu::touch_unmapped(),
        DebugAction::Overflow => {
            overflow(0);
        }
        DebugAction::Hang => hang(),
    }
}

/// Calls itself until the stack is used up.
#[inline(never)]
#[allow(
    unconditional_recursion,
    reason = "running out of stack is its purpose"
)]
fn overflow(depth: u64) -> u64 {
    let ballast = core::hint::black_box([depth; 16]);
    overflow(depth + 1) + ballast[0]
}

#[inline(never)]
fn hang() {
    loop {
        core::hint::spin_loop();
    }
}
