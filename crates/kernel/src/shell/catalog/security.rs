//! The row of `security`.

use super::access::{ADMINISTER, LOOK};
use super::table::{action, any_number_of, command, optional, required};
use super::{Action, Command, Kind};
use crate::base::capability::Capability;
use crate::limits::POLICY_RULES_MAX;
use crate::security::policy::words::offer_next;
use crate::security::policy::{Level, Verb};
use crate::shell::commands as run;

const RULE: Kind = Kind::Phrase(offer_next);
const LEVEL: Kind = Kind::Keyword(&Level::NAMES);
const VERB: Kind = Kind::Keyword(&Verb::NAMES);
const CAPABILITY: Kind = Kind::Keyword(&Capability::NAMES);
const WHY: Kind = Kind::Keyword(run::security_check::WHY);
const NUMBER: Kind = Kind::Number {
    least: 1,
    most: POLICY_RULES_MAX as u64,
};
const ID: Kind = Kind::Number {
    least: 0,
    most: u32::MAX as u64,
};

pub const ROW: Command = command(
    "security",
    "who may do what to which object, and why",
    "A check asks the levels, then the rules, then the object's owner and mode and the context's capabilities; the first that denies decides. A rule is allow, deny or audit, then who (a context, CONTEXT*, level>=LEVEL, uid=NUMBER or *), verbs with commas, and CLASS:NAME, CLASS:BEGINNING* or *. The first rule that means a check decides; what none means is denied. OWNER is UID:GID, MODE is as rwxr-x---. A change that locks out the serial console is refused.",
    &[
        STATUS,
        POLICIES,
        CONTEXTS,
        CHECK,
        LABELS,
        SET_LABEL,
        REMOVE_LABEL,
        ADD_RULE,
        REMOVE_RULE,
        MOVE_RULE,
        CREATE_CONTEXT,
        REMOVE_CONTEXT,
        TRANSITIONS,
        ADD_TRANSITION,
        REMOVE_TRANSITION,
    ],
);

const STATUS: Action = action(
    "status",
    "which policy is in force, how full it is, and what was decided",
    &[],
    LOOK,
    run::security::status,
);

const POLICIES: Action = action(
    "policies",
    "the rules in their order, and how often each decided",
    &[],
    LOOK,
    run::security::policies,
);

const CONTEXTS: Action = action(
    "contexts",
    "what subjects are in, and what these may hold at most",
    &[],
    LOOK,
    run::security::contexts,
);

const CHECK: Action = action(
    "check",
    "says whether somebody may do something, as in check tenant-1 read device:disk --why",
    &[
        required("SUBJECT", Kind::Text),
        required("VERB", VERB),
        required("OBJECT", Kind::Text),
        optional("WHY", WHY),
    ],
    LOOK,
    run::security_check::check,
);

const LABELS: Action = action(
    "label",
    "levels, owners and modes of objects",
    &[],
    LOOK,
    run::security::labels,
);

const SET_LABEL: Action = action(
    "label set",
    "labels an object; what is not said stays as it is",
    &[
        required("OBJECT", Kind::Text),
        required("LEVEL", LEVEL),
        optional("OWNER", Kind::Text),
        optional("MODE", Kind::Text),
    ],
    ADMINISTER,
    run::security_change::set_label,
);

const REMOVE_LABEL: Action = action(
    "label remove",
    "gives an object the label of its class again",
    &[required("OBJECT", Kind::Text)],
    ADMINISTER,
    run::security_change::remove_label,
);

const ADD_RULE: Action = action(
    "rule add",
    "adds a rule, as in rule add at 1 deny tenant-2 read device:disk",
    &[any_number_of("RULE", RULE)],
    ADMINISTER,
    run::security_change::add_rule,
);

const REMOVE_RULE: Action = action(
    "rule remove",
    "removes a rule",
    &[required("NUMBER", NUMBER)],
    ADMINISTER,
    run::security_change::remove_rule,
);

const MOVE_RULE: Action = action(
    "rule move",
    "gives a rule another number",
    &[required("NUMBER", NUMBER), required("TO", NUMBER)],
    ADMINISTER,
    run::security_change::move_rule,
);

const CREATE_CONTEXT: Action = action(
    "context create",
    "makes a context; it may hold the capabilities named here",
    &[
        required("NAME", Kind::Text),
        required("LEVEL", LEVEL),
        required("UID", ID),
        required("GID", ID),
        any_number_of("CAPABILITY", CAPABILITY),
    ],
    ADMINISTER,
    run::security_change::create_context,
);

const REMOVE_CONTEXT: Action = action(
    "context remove",
    "removes a context that was created",
    &[required("NAME", Kind::Text)],
    ADMINISTER,
    run::security_change::remove_context,
);

const TRANSITIONS: Action = action(
    "transitions",
    "which context is left for which when what is executed",
    &[],
    LOOK,
    run::security::transitions,
);

const ADD_TRANSITION: Action = action(
    "transition add",
    "leads from one context to another when the object is executed",
    &[
        required("FROM", Kind::Text),
        required("OBJECT", Kind::Text),
        required("TO", Kind::Text),
    ],
    ADMINISTER,
    run::security_change::add_transition,
);

const REMOVE_TRANSITION: Action = action(
    "transition remove",
    "removes a way from one context to another",
    &[required("FROM", Kind::Text), required("OBJECT", Kind::Text)],
    ADMINISTER,
    run::security_change::remove_transition,
);
