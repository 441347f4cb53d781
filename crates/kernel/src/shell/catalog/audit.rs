//! The row of `audit`, and the actions of `debug` that break the trail.

use super::access::{ADMINISTER, AUDIT, LOOK};
use super::table::{action, any_number_of, command, optional, required};
use super::{Action, Command, Kind};
use crate::security::audit::FILTERS_OFFERED;
use crate::shell::commands as run;

const COUNT: Kind = Kind::Number {
    least: 1,
    most: run::audit::SHOWN_MAX as u64,
};
const NUMBER: Kind = Kind::Number {
    least: 0,
    most: u64::MAX,
};
const CLAUSES: Kind = Kind::Phrase(|_, offer| FILTERS_OFFERED.iter().for_each(|word| offer(word)));

pub const ROW: Command = command(
    "audit",
    "what was done on this machine, by whom, and whether the record of it holds",
    "Each entry is chained to the one before. The trail is in memory, and on the disk that is in use, where there is one. COUNT is 16 when it is not given. CLAUSE is kind=KIND, level=LEVEL, level>=LEVEL, subject=NAME, verb=VERB, outcome=OUTCOME, since=10m or text=TEXT; all that are given must fit. An export is lines of JSON, page by page, which cargo xtask audit FILE verifies.",
    &[
        STATUS, TAIL, EARLIER, FILTER, VERIFY, EXPORT, ANCHOR, ANCHORS, COMPLIANCE,
    ],
);

const STATUS: Action = action(
    "status",
    "how much was recorded, the head, the last verification and anchor",
    &[],
    LOOK,
    run::audit::status,
);

const TAIL: Action = action(
    "tail",
    "the newest entries",
    &[optional("COUNT", COUNT)],
    AUDIT,
    run::audit::tail,
);

const EARLIER: Action = action(
    "earlier",
    "the newest entries of earlier boots, from the disk that is in use",
    &[optional("COUNT", COUNT)],
    AUDIT,
    run::audit::earlier,
);

const FILTER: Action = action(
    "filter",
    "the newest entries that fit, as in filter outcome=denied since=10m",
    &[any_number_of("CLAUSE", CLAUSES)],
    AUDIT,
    run::audit::filter,
);

const VERIFY: Action = action(
    "verify",
    "recomputes the chain, also that on the disk, and names what is wrong with it",
    &[],
    AUDIT,
    run::audit::verify,
);

const EXPORT: Action = action(
    "export",
    "a page of lines that can be verified elsewhere; the last says where the next begins",
    &[optional("FROM", NUMBER)],
    AUDIT,
    run::audit::export,
);

const ANCHOR: Action = action(
    "anchor",
    "has the head extended into PCR 12 now",
    &[],
    ADMINISTER,
    run::audit::anchor,
);

const ANCHORS: Action = action(
    "anchors",
    "the last heads that went into PCR 12, or did not",
    &[],
    AUDIT,
    run::audit::anchors,
);

const COMPLIANCE: Action = action(
    "compliance",
    "the requirements, how they stand, and when they were violated",
    &[],
    LOOK,
    run::audit_compliance::run,
);

pub const CHANGE: Action = action(
    "audit change",
    "changes the text of an entry of the audit trail",
    &[required("NUMBER", NUMBER)],
    ADMINISTER,
    run::debug::audit_change,
);

pub const DROP: Action = action(
    "audit drop",
    "takes an entry out of the audit trail",
    &[required("NUMBER", NUMBER)],
    ADMINISTER,
    run::debug::audit_drop,
);

pub const REORDER: Action = action(
    "audit reorder",
    "lets an entry of the audit trail change places with the next",
    &[required("NUMBER", NUMBER)],
    ADMINISTER,
    run::debug::audit_reorder,
);

pub const INSERT: Action = action(
    "audit insert",
    "puts one that never was before an entry of the audit trail",
    &[required("NUMBER", NUMBER)],
    ADMINISTER,
    run::debug::audit_insert,
);
