//! The kernel: one tick over everything, on a machine that is handed in.
//!
//! Sense, decide, act, observe, sleep. It orders and routes; it has no rules of
//! its own. Bare metal implements `Machine` with drivers, the simulator with a
//! seeded world.

use crate::arch::view::{CpuView, InterruptsView};
use crate::base::console::Console;
use crate::base::log::Log;
use crate::base::machine::{BootView, DebugAction, PowerAction};
use crate::base::time::Instant;
use crate::base::trace::Trace;
use crate::memory::view::MemoryView;
use crate::sched::view::ThreadsView;

/// What a machine gives to the kernel that runs on it.
pub trait Machine {
    fn now(&self) -> Instant;
    /// Bytes nobody can guess; false when the machine has no such source.
    fn entropy(&mut self, bytes: &mut [u8]) -> bool;
    /// Console `index`: 0 is the serial line, 1 the screen with its keyboard.
    fn console(&mut self, index: usize) -> Option<&mut dyn Console>;
    fn log(&self) -> &Log;
    fn trace(&self) -> &Trace;
    fn boot(&self) -> &BootView;
    fn cpu(&self, view: &mut CpuView);
    fn interrupts(&self, view: &mut InterruptsView);
    fn memory(&self, view: &mut MemoryView);
    fn threads(&self, view: &mut ThreadsView);
    /// Restarts the machine or switches it off; on metal it does not return.
    fn power(&mut self, action: PowerAction);
    /// Breaks something on purpose.
    fn debug(&mut self, action: DebugAction);
}
