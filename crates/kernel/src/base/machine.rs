//! What is said about the machine and asked of it: plain data for all floors.

use crate::base::config::Config;
use crate::base::fixed::{Text, Vec};
use crate::limits::COMMAND_LINE_MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PowerAction {
    Reboot,
    PowerOff,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DebugAction {
    Panic,
    Fault,
    Overflow,
    Hang,
}

/// What boot found and left: plain data.
#[derive(Clone, Debug)]
pub struct BootView {
    /// `pvh`, `bios`, `uefi`, `simulated`.
    pub path: &'static str,
    /// As it may be shown: without its token.
    pub command_line: Text<COMMAND_LINE_MAX>,
    pub config: Config,
    /// Width, height, bytes a pixel.
    pub framebuffer: Option<(usize, usize, usize)>,
    /// Devices and services that are missing, each with the reason.
    pub missing: Vec<(&'static str, &'static str), 16>,
}

/// A proof that the running machine gives of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTest {
    /// Every exception is raised or entered, and comes back.
    Exceptions,
    /// So many wake-ups from core to core, none lost.
    WakeUps { count: u64 },
    /// Random pre-emption for so long, with registers and stacks checked.
    Preemption { seconds: u64 },
}

/// How far the self test that was started last has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SelfTestView {
    /// Empty when none was started.
    pub name: &'static str,
    pub is_running: bool,
    /// Checks that passed.
    pub passed: u64,
    pub failed: u64,
    /// What the first failure was about: a vector, a thread.
    pub first_failure: Option<u64>,
    /// Times that a thread was taken off its core while it was checked.
    pub switches: u64,
}

/// Why a self test cannot be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTestError {
    AlreadyRunning,
    NotHere,
    NoThread,
}

impl SelfTestError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::AlreadyRunning => "a self test is running; see selftest status",
            Self::NotHere => "this machine has no processor of its own to test",
            Self::NoThread => "the thread table or the memory for stacks is full; see limits",
        }
    }
}
