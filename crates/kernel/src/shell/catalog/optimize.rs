//! The row of `optimize`.

use super::access::ADMINISTER;
use super::table::action;
use super::{Action, Command};
use crate::shell::commands as run;

pub const ROW: Command = Command {
    name: "optimize",
    summary: "what the fast paths cost on this machine",
    details: "A sample is a row of operations between two looks at the clock.",
    actions: &[BENCH],
    has_default: false,
};

const BENCH: Action = action(
    "bench",
    "measures a capability check, a policy check and an entry of the audit trail",
    &[],
    ADMINISTER,
    run::optimize::bench,
);
