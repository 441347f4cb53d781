//! The row of `device`.

use super::Capability::{Administer, Look};
use super::table::{action, command, optional, required};
use super::{Action, Command, Kind};
use crate::drivers::handlers::Resource;
use crate::limits::TENANTS_MAX;
use crate::shell::commands as run;

const TENANT: Kind = Kind::Number {
    least: 0,
    most: TENANTS_MAX as u64 - 1,
};
const QUOTA: Kind = Kind::Keyword(&Resource::NAMES);

pub const ROW: Command = command(
    "device",
    "what was found on the buses, who drives it, and what tenants may do with it",
    "ADDRESS is one of device list, such as 00:03.0. What was unplugged stays in the list until something takes its place. LIMIT is a number with or without a unit, or none. A quota is kept by every operation of the tenant from then on.",
    &[LIST, STATS, RESET, QUOTAS, SET_QUOTA, AUDIT],
);

const LIST: Action = action(
    "list",
    "every function, what it is, its driver, or why there is none",
    &[],
    Look,
    run::device::list,
);

const STATS: Action = action(
    "stats",
    "interrupts, resets, lies and queues of the driven ones",
    &[],
    Look,
    run::device::stats,
);

const RESET: Action = action(
    "reset",
    "brings a device down and up again",
    &[required("ADDRESS", Kind::Text)],
    Administer,
    run::device::reset,
);

const QUOTAS: Action = action(
    "quota",
    "what tenants may have of devices, have, and were denied",
    &[optional("TENANT", TENANT)],
    Look,
    run::device_quota::show,
);

const SET_QUOTA: Action = action(
    "quota set",
    "sets one quota of a tenant",
    &[
        required("TENANT", TENANT),
        required("QUOTA", QUOTA),
        required("LIMIT", Kind::Text),
    ],
    Administer,
    run::device_quota::set,
);

const AUDIT: Action = action(
    "audit",
    "denials, console lines and changed quotas, oldest first",
    &[],
    Look,
    run::device_quota::audit,
);
