//! The row of `disk`.

use super::access::{DISK_READ, DISK_WRITE, LOOK};
use super::table::{action, command, optional, required};
use super::{Argument, Command, Kind};
use crate::limits::MEASURE_DEPTH_MAX;
use crate::shell::commands as run;
use crate::storage::{errand, measure};

const SECTOR: Kind = Kind::Number {
    least: 0,
    most: u64::MAX,
};

const SECTORS_SHOWN: Kind = Kind::Number {
    least: 1,
    most: errand::SECTORS_MAX,
};

const SECTOR_COUNT: Kind = Kind::Number {
    least: 1,
    most: u32::MAX as u64,
};

const BENCH_SECONDS: Kind = Kind::Number {
    least: 1,
    most: measure::SECONDS_MAX,
};

const BENCH_DEPTH: Kind = Kind::Number {
    least: 1,
    most: MEASURE_DEPTH_MAX as u64,
};

const FORCE: Argument = optional("FORCE", Kind::Keyword(run::disk::FORCE));

pub const ROW: Command = command(
    "disk",
    "the disks, and single sectors of them",
    "What destroys data looks at the disk first; where there is a partition table or a boot signature, it wants force behind it.",
    &[
        action(
            "list",
            "the disks and what they can",
            &[],
            LOOK,
            run::disk::list,
        ),
        action(
            "stats",
            "what the disks were asked for",
            &[],
            LOOK,
            run::disk::stats,
        ),
        action(
            "read",
            "shows sectors",
            &[
                required("DISK", Kind::Text),
                required("SECTOR", SECTOR),
                optional("COUNT", SECTORS_SHOWN),
            ],
            DISK_READ,
            run::disk::read,
        ),
        action(
            "write",
            "writes a text with zeroes behind it to a sector",
            &[
                required("DISK", Kind::Text),
                required("SECTOR", SECTOR),
                required("TEXT", Kind::Text),
                FORCE,
            ],
            DISK_WRITE,
            run::disk::write,
        ),
        action(
            "zero",
            "makes sectors zero",
            &[
                required("DISK", Kind::Text),
                required("SECTOR", SECTOR),
                required("COUNT", SECTOR_COUNT),
                FORCE,
            ],
            DISK_WRITE,
            run::disk::zero,
        ),
        action(
            "discard",
            "tells the disk that the sectors are not needed",
            &[
                required("DISK", Kind::Text),
                required("SECTOR", SECTOR),
                required("COUNT", SECTOR_COUNT),
                FORCE,
            ],
            DISK_WRITE,
            run::disk::discard,
        ),
        action(
            "bench",
            "measures the disk; a blank one is written to and stays blank, others are read",
            &[
                required("DISK", Kind::Text),
                optional("SECONDS", BENCH_SECONDS),
                optional("LOAD", Kind::Keyword(measure::NAMES)),
                optional("DEPTH", BENCH_DEPTH),
            ],
            DISK_WRITE,
            run::disk::bench,
        ),
        action(
            "flush",
            "makes what was written last",
            &[required("DISK", Kind::Text)],
            DISK_WRITE,
            run::disk::flush,
        ),
    ],
);
