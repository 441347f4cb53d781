//! What disks are asked for while schedulers are compared.

use crate::base::time::Duration;
use crate::storage::io::Priority;
use crate::storage::io::model::ModelKind;
use crate::storage::io::schedulers::ADAPTED_AFTER;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    Random,
    Sequential,
    SequentialMixed,
    Mixed,
    Flood,
    Background,
    Shares,
}

/// Somebody who asks for the same kind of thing again and again.
pub struct Stream {
    pub tenant: usize,
    pub priority: Priority,
    pub places: Places,
    /// Of eight requests.
    pub writes: u64,
    pub sectors: u64,
    pub pace: Pace,
    /// From an answer to the next request.
    pub thinks: Duration,
    /// By when each is wanted.
    pub wanted_within: Option<Duration>,
    /// Is it what latencies are shown of?
    pub is_timed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Places {
    Random,
    /// One behind the other, in a part of the disk of its own.
    Sequential,
}

pub enum Pace {
    /// So many are under way always: the next comes when one has ended.
    AtOnce(usize),
    /// One comes every so often, whatever has become of those before.
    Every { hdd: Duration, ssd: Duration },
}

/// Weights of the three tenants that share.
pub const SHARES: [u64; 3] = [4, 2, 1];

const USUAL: Stream = Stream {
    tenant: 0,
    priority: Priority::USUAL,
    places: Places::Random,
    writes: 0,
    // 4 KiB.
    sectors: 8,
    pace: Pace::AtOnce(128),
    thinks: Duration::ZERO,
    wanted_within: None,
    is_timed: true,
};

/// One of the programs that go through files in small steps.
const fn small_steps(tenant: usize, writes: u64) -> Stream {
    Stream {
        tenant,
        places: Places::Sequential,
        writes,
        pace: Pace::AtOnce(32),
        thinks: Duration::from_micros(100),
        ..USUAL
    }
}

const SMALL_STEPS: &[Stream] = &[
    small_steps(1, 0),
    small_steps(2, 0),
    small_steps(3, 0),
    small_steps(4, 8),
];

const fn sharer(tenant: usize, priority: Priority) -> Stream {
    Stream {
        tenant,
        priority,
        // More than the disk takes, so that each always has something that waits.
        pace: Pace::AtOnce(40),
        ..USUAL
    }
}

/// Reads that come whatever has become of those before.
const READS: Stream = Stream {
    pace: Pace::Every {
        hdd: Duration::from_millis(50),
        ssd: Duration::from_millis(1),
    },
    ..USUAL
};

const fn writes_at_once(count: usize) -> Stream {
    Stream {
        writes: 8,
        pace: Pace::AtOnce(count),
        is_timed: false,
        ..USUAL
    }
}

const FLOOD: &[Stream] = &[
    writes_at_once(200),
    Stream {
        wanted_within: Some(Duration::from_millis(500)),
        ..READS
    },
];

const BACKGROUND: &[Stream] = &[writes_at_once(64), READS];

const SHARERS: &[Stream] = &[
    sharer(1, Priority::best_effort(4)),
    sharer(2, Priority::best_effort(6)),
    sharer(3, Priority::best_effort(7)),
];

impl Workload {
    pub const ALL: [Self; 7] = [
        Self::Random,
        Self::Sequential,
        Self::SequentialMixed,
        Self::Mixed,
        Self::Flood,
        Self::Background,
        Self::Shares,
    ];

    /// Of all, in the same order: what an argument may be.
    pub const NAMES: [&'static str; Self::ALL.len()] = crate::names!(Self::ALL);

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Sequential => "sequential",
            Self::SequentialMixed => "sequential-mixed",
            Self::Mixed => "mixed",
            Self::Flood => "flood",
            Self::Background => "background",
            Self::Shares => "shares",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Random => "random: reads of 4 KiB, 128 at once (modelled disks)",
            Self::Sequential => "sequential: one reader, 64 KiB, 4 at once (modelled disks)",
            Self::SequentialMixed => {
                "sequential-mixed: 3 readers and a writer, 4 KiB, 32 at once each (modelled disks)"
            }
            Self::Mixed => "mixed: 5 reads and 3 writes of 8, 4 KiB, 64 at once (modelled disks)",
            Self::Flood => {
                "flood: 200 writes at once, and reads wanted within 500 ms, which are timed (modelled disks)"
            }
            Self::Background => {
                "background: 64 writes at once, and reads now and then, timed from the first second on (modelled disks)"
            }
            Self::Shares => {
                "shares: 3 tenants of weights 4, 2 and 1, 40 reads at once each (modelled disks)"
            }
        }
    }

    pub const fn streams(self) -> &'static [Stream] {
        match self {
            Self::Random => &[USUAL],
            Self::Sequential => &[Stream {
                places: Places::Sequential,
                sectors: 128,
                pace: Pace::AtOnce(4),
                ..USUAL
            }],
            Self::SequentialMixed => SMALL_STEPS,
            Self::Mixed => &[Stream {
                writes: 3,
                pace: Pace::AtOnce(64),
                ..USUAL
            }],
            Self::Flood => FLOOD,
            Self::Background => BACKGROUND,
            Self::Shares => SHARERS,
        }
    }

    /// From when on times count: what a disk is like when a scheduler has come to know it.
    pub const fn timed_from(self) -> Duration {
        match self {
            Self::Background => ADAPTED_AFTER,
            _ => Duration::ZERO,
        }
    }

    /// After so many answers enough is known.
    pub const fn requests(self, kind: ModelKind) -> u64 {
        match (kind, self) {
            (_, Self::Sequential | Self::SequentialMixed) => 40_000,
            (ModelKind::Hdd, Self::Shares) => 8_000,
            (ModelKind::Hdd, _) => 4_000,
            // Several rounds of CFQ's slices.
            (ModelKind::Ssd, Self::Shares) => 64_000,
            // Some seconds, in which Kyber finds its depths.
            (ModelKind::Ssd, Self::Background) => 100_000,
            (ModelKind::Ssd, _) => 8_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_has_the_weights_that_are_said() {
        let streams = Workload::Shares.streams();
        let weights = streams.iter().map(|it| u64::from(it.priority.weight()));
        assert!(weights.eq(SHARES));
        for workload in Workload::ALL {
            assert_eq!(Workload::parse(workload.name()), Some(workload));
            assert!(workload.title().starts_with(workload.name()));
            assert!(workload.title().contains("model"));
        }
    }
}
