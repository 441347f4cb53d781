//! The row of `io`.

use super::access::{ADMINISTER, LOOK};
use super::table::{action, command, optional, required};
use super::{Argument, Command, Kind};
use crate::limits::{BLOCK_REQUESTS_MAX, TENANTS_MAX};
use crate::shell::commands as run;
use crate::storage::io::bench::Workload;
use crate::storage::io::schedulers::Policy;

const SCHEDULERS_OR_ALL: [&str; Policy::ALL.len() + 1] = {
    let mut names = [run::io::ALL; Policy::ALL.len() + 1];
    let mut index = 0;
    while index < Policy::ALL.len() {
        names[index + 1] = Policy::NAMES[index];
        index += 1;
    }
    names
};

const GUEST: Kind = Kind::Number {
    least: 1,
    most: TENANTS_MAX as u64 - 1,
};

const DEPTH: Kind = Kind::Number {
    least: 1,
    most: BLOCK_REQUESTS_MAX as u64,
};

const DISK: Argument = required("DISK", Kind::Text);

pub const ROW: Command = command(
    "io",
    "the queues before the disks, and their schedulers",
    "Every request to a disk passes its queue. The devices of bench are models and its times are theirs, so they say how schedulers compare; disk bench measures a real disk.",
    &[
        action(
            "status",
            "the disks' queues, and what tenants are limited to",
            &[],
            LOOK,
            run::io::status,
        ),
        action(
            "policy",
            "which scheduler each disk has, and which there are",
            &[],
            LOOK,
            run::io::policy,
        ),
        action(
            "policy set",
            "gives a disk another scheduler; what waits moves to it",
            &[DISK, required("SCHEDULER", Kind::Keyword(&Policy::NAMES))],
            ADMINISTER,
            run::io::set_policy,
        ),
        action(
            "queues",
            "how full the queues are and were",
            &[],
            LOOK,
            run::io::queues,
        ),
        action(
            "stats",
            "what the queues have done, and how long it took",
            &[],
            LOOK,
            run::io::stats,
        ),
        action(
            "depth",
            "how many requests a disk is given at the same time",
            &[DISK, required("COUNT", DEPTH)],
            ADMINISTER,
            run::io::set_depth,
        ),
        action(
            "limit",
            "how many bytes a second a tenant may move on each disk, or none for no limit",
            &[required("TENANT", GUEST), required("LIMIT", Kind::Text)],
            ADMINISTER,
            run::io::set_limit,
        ),
        action(
            "bench",
            "compares schedulers under workloads on modelled disks; all of them when none is named",
            &[
                optional("SCHEDULER", Kind::Keyword(&SCHEDULERS_OR_ALL)),
                optional("WORKLOAD", Kind::Keyword(&Workload::NAMES)),
            ],
            ADMINISTER,
            run::io::bench,
        ),
    ],
);
