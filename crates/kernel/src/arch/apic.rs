//! The local APIC: this core's timer, and messages to other cores.

use super::vectors::{RESCHEDULE, SPURIOUS, TIMER};
use super::{clock, core_local, cpu};
use crate::base::time::{Duration, Instant};
use crate::limits::CORES_MAX;
use core::sync::atomic::{AtomicU64, Ordering::*};
use spin::Once;
use x86_64::instructions::interrupts::without_interrupts;
use x86_64::registers::model_specific::Msr;

const ID: u32 = 0x02;
const TASK_PRIORITY: u32 = 0x08;
const END_OF_INTERRUPT: u32 = 0x0b;
const SPURIOUS_VECTOR: u32 = 0x0f;
const COMMAND_LOW: u32 = 0x30;
const COMMAND_HIGH: u32 = 0x31;
const TIMER_ENTRY: u32 = 0x32;
const PERFORMANCE_ENTRY: u32 = 0x34;
const LINE0_ENTRY: u32 = 0x35;
const LINE1_ENTRY: u32 = 0x36;
const ERROR_ENTRY: u32 = 0x37;
const TIMER_INITIAL: u32 = 0x38;
const TIMER_CURRENT: u32 = 0x39;
const TIMER_DIVIDE: u32 = 0x3e;

const MASKED: u32 = 1 << 16;
const TSC_DEADLINE_MODE: u32 = 2 << 17;
const NON_MASKABLE: u32 = 4 << 8;
const INIT: u32 = 5 << 8;
const START: u32 = 6 << 8;
const ASSERT: u32 = 1 << 14;
const DELIVERY_PENDING: u32 = 1 << 12;
const DIVIDE_BY_1: u32 = 0x0b;

const X2APIC_FIRST: u32 = 0x800;
const TSC_DEADLINE: u32 = 0x6e0;

#[derive(Clone, Copy)]
enum Access {
    /// Registers in memory, 16 bytes apart.
    Memory(u64),
    /// Registers of the processor; the firmware has chosen this mode.
    X2apic,
}

#[derive(Clone, Copy)]
enum TimerKind {
    /// Fires when the clock reaches a value.
    Deadline,
    /// Counts down; ticks a second.
    OneShot { hz: u64 },
}

static ACCESS: Once<Access> = Once::new();
static TIMER_KIND: Once<TimerKind> = Once::new();
/// What each core's timer is set to, in nanoseconds; 0 once it has fired.
static ARMED: [AtomicU64; CORES_MAX] = [const { AtomicU64::new(0) }; CORES_MAX];
/// Messages that were not taken by the other side in time.
static UNDELIVERED: AtomicU64 = AtomicU64::new(0);

/// Says how the registers are reached; `registers` is where they are mapped.
pub fn set_access(registers: u64) {
    ACCESS.call_once(|| match cpu::is_in_x2apic_mode() {
        true => Access::X2apic,
        false => Access::Memory(registers),
    });
}

fn read(register: u32) -> u32 {
    match ACCESS.get() {
        // SAFETY: the page is mapped uncached for this kernel's life, and the
        // register is one of those above.
        Some(Access::Memory(base)) => unsafe {
            ((base + u64::from(register) * 16) as *const u32).read_volatile()
        },
        // SAFETY: the firmware has switched this mode on, so the registers exist.
        Some(Access::X2apic) => unsafe { Msr::new(X2APIC_FIRST + register).read() as u32 },
        None => 0,
    }
}

fn write(register: u32, value: u32) {
    match ACCESS.get() {
        // SAFETY: as for reading; what is written is chosen in this file.
        Some(Access::Memory(base)) => unsafe {
            ((base + u64::from(register) * 16) as *mut u32).write_volatile(value)
        },
        // SAFETY: as for reading.
        Some(Access::X2apic) => unsafe {
            Msr::new(X2APIC_FIRST + register).write(u64::from(value))
        },
        None => {}
    }
}

/// The running core's number among the local APICs.
pub fn id() -> u32 {
    match ACCESS.get() {
        Some(Access::X2apic) => read(ID),
        _ => read(ID) >> 24,
    }
}

/// Switches the running core's local APIC on; its timer is stopped.
pub fn enable() {
    write(TASK_PRIORITY, 0);
    for entry in [TIMER_ENTRY, PERFORMANCE_ENTRY, LINE0_ENTRY, ERROR_ENTRY] {
        write(entry, MASKED);
    }
    write(LINE1_ENTRY, NON_MASKABLE);
    write(SPURIOUS_VECTOR, 1 << 8 | u32::from(SPURIOUS));
    if let Some(kind) = TIMER_KIND.get() {
        set_timer_mode(*kind);
    }
}

/// Chooses and, where needed, measures the timer; once, after the clock runs.
pub fn choose_timer() {
    let kind = TIMER_KIND.call_once(|| match cpu::has_tsc_deadline() {
        true => TimerKind::Deadline,
        false => TimerKind::OneShot {
            hz: measure_timer(),
        },
    });
    set_timer_mode(*kind);
}

fn set_timer_mode(kind: TimerKind) {
    match kind {
        TimerKind::Deadline => write(TIMER_ENTRY, u32::from(TIMER) | TSC_DEADLINE_MODE),
        TimerKind::OneShot { .. } => {
            write(TIMER_DIVIDE, DIVIDE_BY_1);
            write(TIMER_ENTRY, u32::from(TIMER));
        }
    }
}

fn measure_timer() -> u64 {
    const SAMPLE: Duration = Duration::from_micros(1_000);
    write(TIMER_DIVIDE, DIVIDE_BY_1);
    write(TIMER_ENTRY, MASKED);
    let start = clock::now();
    write(TIMER_INITIAL, u32::MAX);
    while clock::now().since(start) < SAMPLE {}
    let (ticks, end) = (u32::MAX - read(TIMER_CURRENT), clock::now());
    write(TIMER_INITIAL, 0);
    let nanos = end.since(start).as_nanos().max(1);
    (u64::from(ticks) * 1_000_000_000 / nanos).max(1)
}

pub fn timer_name() -> &'static str {
    match TIMER_KIND.get() {
        Some(TimerKind::Deadline) => "tsc-deadline",
        Some(TimerKind::OneShot { .. }) => "apic one-shot",
        None => "none",
    }
}

/// Lets the running core's timer fire at `deadline` at the latest.
///
/// One that fires sooner stays as it is, for setting it costs more than a look that finds
/// nothing due. Whoever is called after each interrupt asks for what is still missing.
pub fn arm_timer(now: Instant, deadline: Option<Instant>) {
    let Some(deadline) = deadline else {
        return;
    };
    let armed = &ARMED[core_local::index()];
    if is_early_enough(armed.load(Relaxed), now, deadline) {
        return;
    }
    armed.store(deadline.as_nanos(), Relaxed);
    match TIMER_KIND.get() {
        Some(TimerKind::Deadline) => {
            let ticks = clock::ticks_at(deadline).max(1);
            // SAFETY: CPUID offers the register.
            unsafe { Msr::new(TSC_DEADLINE).write(ticks) };
        }
        Some(TimerKind::OneShot { hz }) => {
            let nanos = deadline.since(clock::now()).as_nanos();
            let ticks = u128::from(nanos) * u128::from(*hz) / 1_000_000_000;
            // A later deadline than the counter holds is armed again when it fires.
            write(TIMER_INITIAL, (ticks.clamp(1, u128::from(u32::MAX))) as u32);
        }
        None => {}
    }
}

/// Is a timer that is set to `armed` still to fire, and not after `deadline`?
///
/// One whose time is over is not relied on: its interrupt may have been taken already.
const fn is_early_enough(armed: u64, now: Instant, deadline: Instant) -> bool {
    now.as_nanos() < armed && armed <= deadline.as_nanos()
}

/// The running core's timer has fired, perhaps before its deadline.
pub fn on_timer() {
    ARMED[core_local::index()].store(0, Relaxed);
}

pub(super) fn end_of_interrupt() {
    write(END_OF_INTERRUPT, 0);
}

fn send(target: u32, command: u32) {
    without_interrupts(|| match ACCESS.get() {
        Some(Access::X2apic) => {
            let value = u64::from(target) << 32 | u64::from(command);
            // SAFETY: the mode is on; writing the command register sends a message.
            unsafe { Msr::new(X2APIC_FIRST + COMMAND_LOW).write(value) };
        }
        _ => {
            write(COMMAND_HIGH, target << 24);
            write(COMMAND_LOW, command);
            // Taken within microseconds; a core that takes longer is counted.
            let is_taken = (0..100_000).any(|_| read(COMMAND_LOW) & DELIVERY_PENDING == 0);
            if !is_taken {
                UNDELIVERED.fetch_add(1, Relaxed);
            }
        }
    });
}

/// Asks another core to look at its run queue.
pub fn send_reschedule(apic_id: u32) {
    send(apic_id, ASSERT | u32::from(RESCHEDULE));
}

/// Interrupts another core whatever it does.
pub fn send_non_maskable(apic_id: u32) {
    send(apic_id, ASSERT | NON_MASKABLE);
}

pub fn send_init(apic_id: u32) {
    send(apic_id, ASSERT | INIT);
}

/// Lets a core that waits after `send_init` run the page at `address`, below 1 MiB.
pub fn send_start(apic_id: u32, address: u64) {
    send(apic_id, ASSERT | START | (address >> 12) as u32 & 0xff);
}

pub fn undelivered() -> u64 {
    UNDELIVERED.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_left_alone_only_while_it_fires_in_time() {
        let at = Instant::from_nanos;
        assert!(is_early_enough(20, at(10), at(20)));
        assert!(is_early_enough(20, at(10), at(30)));
        assert!(!is_early_enough(20, at(10), at(19)), "too late");
        assert!(!is_early_enough(0, at(10), at(20)), "has fired");
        assert!(!is_early_enough(20, at(20), at(30)), "may have fired");
    }
}
