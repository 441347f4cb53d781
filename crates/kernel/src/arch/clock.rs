//! The clock: the time stamp counter, and how fast it was found to run.

use super::port;
use crate::base::time::Instant;
use core::arch::x86_64::{__cpuid, _rdtsc};
use core::sync::atomic::{AtomicU64, Ordering::*};
use spin::Once;

unsafe extern "C" {
    /// The counter at the kernel's first instruction, written by the PVH entry.
    static early_tsc: AtomicU64;
}

struct Rate {
    hz: u64,
    source: &'static str,
    /// Nanoseconds a tick, times 2^32.
    nanos_per_tick: u64,
}

static RATE: Once<Rate> = Once::new();

pub fn ticks() -> u64 {
    // SAFETY: every x86_64 processor has the counter, and reading it is harmless.
    unsafe { _rdtsc() }
}

fn zero() -> &'static AtomicU64 {
    // SAFETY: the entry code writes it once, before any Rust runs.
    unsafe { &early_tsc }
}

/// Sets the clock's zero to this moment, for an entry that has not done it.
pub fn start_now() {
    zero().store(ticks(), Relaxed);
}

/// The time since the kernel's first instruction; zero until the rate is known.
pub fn now() -> Instant {
    let Some(rate) = RATE.get() else {
        return Instant::ZERO;
    };
    let elapsed = ticks().saturating_sub(zero().load(Relaxed));
    let nanos = (u128::from(elapsed) * u128::from(rate.nanos_per_tick)) >> 32;
    Instant::from_nanos(nanos as u64)
}

/// The counter's value at `moment`.
pub fn ticks_at(moment: Instant) -> u64 {
    let Some(rate) = RATE.get() else {
        return u64::MAX;
    };
    let elapsed = u128::from(moment.as_nanos()) * u128::from(rate.hz) / 1_000_000_000;
    zero()
        .load(Relaxed)
        .saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
}

pub fn hz() -> u64 {
    RATE.get().map_or(0, |rate| rate.hz)
}

/// `cpuid`, `hpet`, `pit`, or `assumed` where the machine has none of them.
pub fn source() -> &'static str {
    RATE.get().map_or("none", |rate| rate.source)
}

/// Finds out how fast the counter runs; `hpet` is where that timer is mapped.
pub fn calibrate(hpet: Option<u64>) {
    const ASSUMED_HZ: u64 = 1_000_000_000;
    RATE.call_once(|| {
        let (hz, source) = rate_from_cpuid()
            .map(|hz| (hz, "cpuid"))
            .or_else(|| hpet.and_then(measure_by_hpet).map(|hz| (hz, "hpet")))
            .or_else(|| measure_by_pit().map(|hz| (hz, "pit")))
            .unwrap_or((ASSUMED_HZ, "assumed"));
        Rate {
            hz,
            source,
            nanos_per_tick: ((1_000_000_000u128 << 32) / u128::from(hz)) as u64,
        }
    });
}

fn rate_from_cpuid() -> Option<u64> {
    const HYPERVISOR_TIMING: u32 = 0x4000_0010;
    if __cpuid(0).eax >= 0x15 {
        let leaf = __cpuid(0x15);
        let is_complete = leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0;
        if is_complete {
            return Some(u64::from(leaf.ecx) * u64::from(leaf.ebx) / u64::from(leaf.eax));
        }
    }
    let has_hypervisor = __cpuid(1).ecx & 1 << 31 != 0;
    if has_hypervisor && __cpuid(0x4000_0000).eax >= HYPERVISOR_TIMING {
        let kilohertz = u64::from(__cpuid(HYPERVISOR_TIMING).eax);
        return (kilohertz != 0).then_some(kilohertz * 1_000);
    }
    None
}

/// Counts ticks over two milliseconds of the HPET.
fn measure_by_hpet(registers: u64) -> Option<u64> {
    const CAPABILITIES: u64 = 0x00;
    const CONFIGURATION: u64 = 0x10;
    const COUNTER: u64 = 0xf0;
    const FEMTOS_PER_SECOND: u128 = 1_000_000_000_000_000;
    // SAFETY: boot has mapped the page uncached for good, at the address that the
    // firmware's table names; these registers exist in every HPET.
    let read = |offset: u64| unsafe { ((registers + offset) as *const u64).read_volatile() };
    // SAFETY: as for reading; the only write sets the enable bit.
    let enable =
        |value: u64| unsafe { ((registers + CONFIGURATION) as *mut u64).write_volatile(value) };
    let femtos_per_count = read(CAPABILITIES) >> 32;
    // The specification allows at most 100 ns a count; 0 means no device.
    if femtos_per_count == 0 || femtos_per_count > 100_000_000 {
        return None;
    }
    enable(read(CONFIGURATION) | 1);
    let wanted = 2_000_000_000_000 / femtos_per_count;
    let (count_start, ticks_start) = (read(COUNTER), ticks());
    let mut counted = 0;
    // A counter that stands still ends the attempt.
    for _ in 0..50_000_000u64 {
        counted = (read(COUNTER).wrapping_sub(count_start)) & 0xffff_ffff;
        if counted >= wanted {
            break;
        }
    }
    let elapsed = u128::from(ticks().wrapping_sub(ticks_start));
    let femtos = u128::from(counted) * u128::from(femtos_per_count);
    (counted >= wanted).then(|| (elapsed * FEMTOS_PER_SECOND / femtos) as u64)
}

/// Counts ticks over two milliseconds of the legacy timer's channel 0, whose count
/// is read by its latch: channel 2's gate is missing on some virtual machines.
fn measure_by_pit() -> Option<u64> {
    const PIT_HZ: u64 = 1_193_182;
    const SAMPLE: u16 = (PIT_HZ / 500) as u16;
    const CHANNEL_0: u16 = 0x40;
    const COMMAND: u16 = 0x43;
    const RATE_GENERATOR: u8 = 0b0011_0100;
    const LATCH: u8 = 0;
    let count = || {
        port::write_u8(COMMAND, LATCH);
        u16::from_le_bytes([port::read_u8(CHANNEL_0), port::read_u8(CHANNEL_0)])
    };
    port::write_u8(COMMAND, RATE_GENERATOR);
    port::write_u8(CHANNEL_0, 0);
    port::write_u8(CHANNEL_0, 0);
    let (first, start) = (count(), ticks());
    // A port without a device reads as all ones for ever.
    let counted = (0..1_000_000)
        .map(|_| first.wrapping_sub(count()))
        .find(|counted| *counted >= SAMPLE)?;
    let elapsed = ticks().wrapping_sub(start);
    Some((u128::from(elapsed) * u128::from(PIT_HZ) / u128::from(counted)) as u64)
}
