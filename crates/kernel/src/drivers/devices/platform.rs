//! What the table of devices needs of the machine it runs on.

use crate::base::log::Level;
use crate::base::time::Instant;
use crate::drivers::pci::config::SharedRegisters;
use crate::drivers::pci::messages::Message;
use crate::memory::MemoryError;
use core::fmt;

/// Who has interrupted: a bit for each entry of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Signals {
    /// Functions whose configuration has changed.
    pub configs: u64,
    /// Functions with something in their queues.
    pub queues: u64,
    /// Slots to which something has happened.
    pub slots: u64,
    /// Legacy lines that were pulled; each stays silent until it is opened again.
    pub lines: u64,
}

/// Which bit an interrupt sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Config(usize),
    Queues(usize),
    Slot(usize),
}

pub trait Platform: Send {
    fn map(&self, physical: u64, bytes: usize) -> Result<SharedRegisters, MemoryError>;
    /// A message that sets a bit; `None` when no vector is left.
    fn allocate_message(&mut self, source: &'static str, signal: Signal) -> Option<Message>;
    fn release_message(&mut self, message: Message);
    /// How often the message has come.
    fn count(&self, message: &Message) -> u64;
    /// Listens to a legacy line; its bit among the lines, `None` when it leads nowhere.
    fn connect_line(&mut self, irq: u8) -> Option<u8>;
    /// Lets a line speak again after its devices were asked.
    fn open_line(&mut self, line: u8);
    /// Takes the bits that were set since the last call.
    fn take_signals(&mut self) -> Signals;
    fn log(&self, now: Instant, level: Level, text: fmt::Arguments<'_>);
}
