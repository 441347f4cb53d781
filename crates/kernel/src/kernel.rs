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

/// (Stub.)
pub struct Kernel<M> { machine: M, is_greeted: bool }
impl<M: Machine> Kernel<M> {
    pub fn boxed(machine: M) -> alloc::boxed::Box<Self> { alloc::boxed::Box::new(Self { machine, is_greeted: false }) }
    pub fn tick(&mut self) -> Option<Instant> {
        let now = self.machine.now();
        let online = { let mut v = CpuView { vendor: Default::default(), brand: Default::default(), cores_present: 0, clock_hz: 0, clock_source: "", timer: "", features: Default::default(), cores: Default::default() }; self.machine.cpu(&mut v); v };
        let Some(console) = self.machine.console(0) else { return None };
        if !self.is_greeted {
            self.is_greeted = true;
            console.write(std_format(format_args!("hello at {now} {online:?}\r\nrayos> ")).as_bytes());
        }
        let mut b = [0; 16];
        let n = console.read(&mut b);
        console.write(&b[..n]);
        if b[..n].contains(&b'x') { self.machine.power(PowerAction::PowerOff); }
        if b[..n].contains(&b'p') { self.machine.debug(DebugAction::Panic); }
        if b[..n].contains(&b'o') { self.machine.debug(DebugAction::Overflow); }
        if b[..n].contains(&b'f') { self.machine.debug(DebugAction::Fault); }
        if b[..n].contains(&b'h') { self.machine.debug(DebugAction::Hang); }
        None
    }
}
fn std_format(a: core::fmt::Arguments<'_>) -> alloc::string::String { alloc::format!("{a}") }
