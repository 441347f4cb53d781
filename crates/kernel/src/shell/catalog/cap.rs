//! The row of `cap`.

use super::access::{ADMINISTER, AUDIT, LOOK};
use super::table::{action, any_number_of, command, optional, required};
use super::{Action, Command, Kind};
use crate::base::capability::Capability;
use crate::shell::commands as run;

const CAPABILITY: Kind = Kind::Keyword(&Capability::NAMES);
const NUMBER: Kind = Kind::Number {
    least: 1,
    most: u64::MAX,
};
const PORT: Kind = Kind::Number {
    least: 1,
    most: u16::MAX as u64,
};
const COUNT: Kind = Kind::Number {
    least: 1,
    most: run::cap::EVENTS_SHOWN_MAX as u64,
};

pub const ROW: Command = command(
    "cap",
    "who may do what, since when, until when, and from whom",
    "SUBJECT is kernel, tenant-NUMBER, serial, screen, display, console, api or visitor. CAPABILITIES are names with commas between them, all, or none. TIME is a number with a unit, as 30s, 10min, 2h or 1d, up to thirty days. CONSTRAINT is ports=80-443 (the other end's), bandwidth=1MiB (bytes a second) or concurrency=4 (operations at the same time). What is handed on ends with what it comes from.",
    &[
        action(
            "list",
            "what everybody holds, for ever and for a time",
            &[],
            LOOK,
            run::cap::list,
        ),
        action(
            "grant",
            "gives capabilities for a time",
            &[
                required("SUBJECT", Kind::Text),
                required("CAPABILITIES", Kind::Text),
                required("TIME", Kind::Text),
                any_number_of("CONSTRAINT", Kind::Text),
            ],
            ADMINISTER,
            run::cap::grant,
        ),
        DELEGATE,
        action(
            "revoke",
            "ends a grant or a delegation and all that hangs on it",
            &[required("NUMBER", NUMBER)],
            ADMINISTER,
            run::cap::revoke,
        ),
        action(
            "standing",
            "sets what a subject holds without an end",
            &[
                required("SUBJECT", Kind::Text),
                required("CAPABILITIES", Kind::Text),
            ],
            ADMINISTER,
            run::cap::set_standing,
        ),
        action(
            "check",
            "says whether a subject may do something now, and why",
            &[
                required("SUBJECT", Kind::Text),
                required("CAPABILITY", CAPABILITY),
                optional("PORT", PORT),
            ],
            LOOK,
            run::cap::check,
        ),
        action(
            "audit",
            "the newest grants, ends and checks, oldest first",
            &[optional("COUNT", COUNT)],
            AUDIT,
            run::cap::audit,
        ),
    ],
);

const DELEGATE: Action = action(
    "delegate",
    "hands some of a grant or delegation on, on behalf of who holds it",
    &[
        required("NUMBER", NUMBER),
        required("SUBJECT", Kind::Text),
        required("CAPABILITIES", Kind::Text),
        required("TIME", Kind::Text),
        any_number_of("CONSTRAINT", Kind::Text),
    ],
    ADMINISTER,
    run::cap::delegate,
);
