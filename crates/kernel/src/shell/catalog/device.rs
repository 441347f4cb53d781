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
    "devices and what tenants may do with them",
    "LIMIT is a number with or without a unit, or none. A quota is kept by every operation of the tenant from then on.",
    &[QUOTAS, SET_QUOTA, AUDIT],
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
