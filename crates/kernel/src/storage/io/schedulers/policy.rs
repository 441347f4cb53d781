//! The twelve schedulers by name.

use super::{Bfq, Cfq, Deadline, FirstCome, Kyber, MqDeadline, Nearest, Scheduler, Sweep};
use alloc::boxed::Box;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    Fcfs,
    Sstf,
    Scan,
    CScan,
    Look,
    CLook,
    Deadline,
    Cfq,
    Noop,
    Bfq,
    Kyber,
    MqDeadline,
}

impl Policy {
    pub const ALL: [Self; 12] = [
        Self::Fcfs,
        Self::Sstf,
        Self::Scan,
        Self::CScan,
        Self::Look,
        Self::CLook,
        Self::Deadline,
        Self::Cfq,
        Self::Noop,
        Self::Bfq,
        Self::Kyber,
        Self::MqDeadline,
    ];

    /// Of all, in the same order: what an argument may be.
    pub const NAMES: [&'static str; Self::ALL.len()] = crate::names!(Self::ALL);

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Fcfs => "fcfs",
            Self::Sstf => "sstf",
            Self::Scan => "scan",
            Self::CScan => "c-scan",
            Self::Look => "look",
            Self::CLook => "c-look",
            Self::Deadline => "deadline",
            Self::Cfq => "cfq",
            Self::Noop => "noop",
            Self::Bfq => "bfq",
            Self::Kyber => "kyber",
            Self::MqDeadline => "mq-deadline",
        }
    }

    /// What it does, in a line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Fcfs => "order of arrival to the letter, nothing merged",
            Self::Sstf => "the nearest request; a far one waits up to the queue's bound",
            Self::Scan => "sweeps up and down, turns at the disk's edges",
            Self::CScan => "sweeps up to the edge, begins again at the other",
            Self::Look => "sweeps up and down, turns at the last request",
            Self::CLook => "sweeps up to the last request, begins again at the first",
            Self::Deadline => "by place, but what has expired first; reads before writes",
            Self::Cfq => "slices of time by weight",
            Self::Noop => "order of arrival, neighbours merged",
            Self::Bfq => "sectors by weight",
            Self::Kyber => "depth by latency: 2 ms for reads, 10 ms for writes",
            Self::MqDeadline => "deadline for each class of priority, writes limited",
        }
    }

    /// A new one, with nothing in it. Out of line, for it is built on the stack first.
    #[inline(never)]
    pub fn scheduler(self) -> Box<dyn Scheduler> {
        match self {
            Self::Fcfs => Box::new(FirstCome::fcfs()),
            Self::Sstf => Box::new(Nearest::default()),
            Self::Scan => Box::new(Sweep::scan()),
            Self::CScan => Box::new(Sweep::c_scan()),
            Self::Look => Box::new(Sweep::look()),
            Self::CLook => Box::new(Sweep::c_look()),
            Self::Deadline => Box::new(Deadline::default()),
            Self::Cfq => Box::new(Cfq::default()),
            Self::Noop => Box::new(FirstCome::noop()),
            Self::Bfq => Box::new(Bfq::default()),
            Self::Kyber => Box::new(Kyber::default()),
            Self::MqDeadline => Box::new(MqDeadline::default()),
        }
    }
}
