//! The row of `device`.

use super::access::{ADMINISTER, AUDIT as AUDITING, LOOK};
use super::table::{action, command, optional, required};
use super::{Action, Command, Kind};
use crate::drivers::handlers::Resource;
use crate::limits::TENANTS_MAX;
use crate::shell::commands as run;
use crate::workloads::load::{SECONDS_MAX, Work};

const TENANT: Kind = Kind::Number {
    least: 0,
    most: TENANTS_MAX as u64 - 1,
};
const GUEST: Kind = Kind::Number {
    least: 1,
    most: TENANTS_MAX as u64 - 1,
};
const QUOTA: Kind = Kind::Keyword(&Resource::NAMES);
const WORK: Kind = Kind::Keyword(&Work::NAMES);
const SECONDS: Kind = Kind::Number {
    least: 1,
    most: SECONDS_MAX,
};

pub const ROW: Command = command(
    "device",
    "what was found on the buses, who drives it, and what tenants may do with it",
    "ADDRESS is one of device list, such as 00:03.0. What was unplugged stays in the list until something takes its place. LIMIT is a number with or without a unit, or none. A quota is kept by every operation of the tenant from then on. AMOUNT is bytes a second of the network and the disk, operations a second of others; TARGET, for the network, is an address with a port, as 10.0.2.2:9 or [fe80::2]:9.",
    &[
        LIST,
        STATS,
        RESET,
        QUOTAS,
        SET_QUOTA,
        AUDIT,
        TENANT_INTERFACE,
        LOADS,
        START,
        STOP,
    ],
);

const LIST: Action = action(
    "list",
    "every function, what it is, its driver, or why there is none",
    &[],
    LOOK,
    run::device::list,
);

const STATS: Action = action(
    "stats",
    "interrupts, resets, lies and queues of the driven ones",
    &[],
    LOOK,
    run::device::stats,
);

const RESET: Action = action(
    "reset",
    "brings a device down and up again",
    &[required("ADDRESS", Kind::Text)],
    ADMINISTER,
    run::device::reset,
);

const QUOTAS: Action = action(
    "quota",
    "what tenants may have of devices, have, and were denied",
    &[optional("TENANT", TENANT)],
    LOOK,
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
    ADMINISTER,
    run::device_quota::set,
);

const AUDIT: Action = action(
    "audit",
    "denials, console lines and changed quotas, oldest first",
    &[],
    AUDITING,
    run::device_quota::audit,
);

const TENANT_INTERFACE: Action = action(
    "tenant",
    "gives a tenant an interface of its own on the first port",
    &[required("TENANT", GUEST)],
    ADMINISTER,
    run::device_load::add_interface,
);

const LOADS: Action = action(
    "load",
    "how the newest load of each tenant goes",
    &[],
    LOOK,
    run::device_load::show,
);

const START: Action = action(
    "load start",
    "does real operations for a tenant and measures them",
    &[
        required("TENANT", TENANT),
        required("DEVICE", WORK),
        required("AMOUNT", Kind::Text),
        required("SECONDS", SECONDS),
        optional("TARGET", Kind::Text),
    ],
    ADMINISTER,
    run::device_load::start,
);

const STOP: Action = action(
    "load stop",
    "ends a tenant's load",
    &[required("TENANT", TENANT)],
    ADMINISTER,
    run::device_load::stop,
);
