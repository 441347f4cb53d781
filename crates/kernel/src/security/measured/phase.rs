//! The phases of a measured boot, in their order.

use crate::base::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// What the firmware and the loader have logged is gone on with, or that they have not is.
    Firmware,
    /// The command line, and whose token opens the door.
    Configuration,
    Kernel,
    Ramdisk,
    Policy,
    /// Commands are taken and workloads can be launched.
    Running,
}

impl Phase {
    pub const ALL: [Self; 6] = [
        Self::Firmware,
        Self::Configuration,
        Self::Kernel,
        Self::Ramdisk,
        Self::Policy,
        Self::Running,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Configuration => "configuration",
            Self::Kernel => "kernel",
            Self::Ramdisk => "ramdisk",
            Self::Policy => "policy",
            Self::Running => "running",
        }
    }
}

/// When each was over; `None` for those to come.
#[derive(Clone, Copy, Default, Debug)]
pub struct Phases([Option<Instant>; Phase::ALL.len()]);

impl Phases {
    pub fn end(&mut self, phase: Phase, now: Instant) {
        self.0[phase as usize].get_or_insert(now);
    }

    pub const fn ended(&self, phase: Phase) -> Option<Instant> {
        self.0[phase as usize]
    }
}
