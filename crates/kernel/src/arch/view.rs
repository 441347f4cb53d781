//! What is known about the processor: plain data for tables and checks.

use crate::base::fixed::{Text, Vec};
use crate::base::time::Duration;
use crate::limits::{CORES_MAX, INTERRUPT_SOURCES_MAX};

/// The processor as CPUID and the start of the cores have shown it.
#[derive(Clone, Debug, Default)]
pub struct CpuView {
    pub vendor: Text<12>,
    pub brand: Text<48>,
    /// Cores that the firmware's tables name as usable.
    pub cores_present: usize,
    pub clock_hz: u64,
    /// How the clock's rate was found: `cpuid`, `hpet`, `pit`.
    pub clock_source: &'static str,
    /// What wakes a core: `tsc-deadline`, `apic one-shot`.
    pub timer: &'static str,
    pub features: Vec<FeatureView, 16>,
    pub cores: Vec<CoreView, CORES_MAX>,
}

/// A protection or an extension: does the processor have it, is it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureView {
    pub name: &'static str,
    pub is_offered: bool,
    pub is_enabled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoreView {
    pub index: usize,
    pub apic_id: u32,
    pub is_online: bool,
    /// Time in which a thread other than the idle thread ran.
    pub busy: Duration,
    pub idle: Duration,
    pub interrupts: u64,
    pub switches: u64,
    /// Threads ready to run now, the running one not counted.
    pub ready: usize,
}

/// Interrupts by source, exceptions and spurious ones included.
#[derive(Clone, Debug, Default)]
pub struct InterruptsView {
    /// Messages to other cores that were not taken in time.
    pub undelivered: u64,
    pub sources: Vec<InterruptView, INTERRUPT_SOURCES_MAX>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterruptView {
    pub vector: u8,
    /// `timer`, `serial`, `keyboard`, `reschedule`, `spurious` ...
    pub source: &'static str,
    /// The interrupt line (GSI) behind it, where there is one.
    pub line: Option<u32>,
    /// The core that takes it; `None` for all of them.
    pub core: Option<usize>,
    pub count: u64,
}
