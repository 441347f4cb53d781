//! What was decided about a check, at which stage, and by what.

use super::context::ContextId;
use super::label::{Label, Party};
use super::rule::Effect;
use crate::base::capability::Capability;

/// In the order in which they are asked; the first that denies decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Levels,
    Rules,
    /// What the object's owner has set, and what the context may hold.
    Discretionary,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Levels, Self::Rules, Self::Discretionary];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Levels => "levels",
            Self::Rules => "rules",
            Self::Discretionary => "discretionary",
        }
    }

    pub const fn index(self) -> usize {
        self as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It would learn from an object above its level.
    ReadUp,
    /// It would tell an object below its level.
    WriteDown,
    /// The object is isolated and somebody else's.
    Isolated,
    /// The rule at this place, counted from 0, and nothing behind it objected.
    Rule(usize),
    /// No rule means it.
    Default,
    /// The object's mode is not open for that party.
    Mode(Party),
    /// The context may not hold it.
    Capability(Capability),
}

impl Reason {
    pub const fn stage(self) -> Stage {
        match self {
            Self::ReadUp | Self::WriteDown | Self::Isolated => Stage::Levels,
            Self::Rule(_) | Self::Default => Stage::Rules,
            Self::Mode(_) | Self::Capability(_) => Stage::Discretionary,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadUp => "no read up",
            Self::WriteDown => "no write down",
            Self::Isolated => "isolated",
            Self::Rule(_) => "rule",
            Self::Default => "default",
            Self::Mode(_) => "mode",
            Self::Capability(_) => "capability",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub effect: Effect,
    pub reason: Reason,
    /// The place of the rule that means it, whether or not a later stage decided.
    pub rule: Option<usize>,
}

impl Decision {
    pub(super) const fn deny(reason: Reason, rule: Option<usize>) -> Self {
        Self {
            effect: Effect::Deny,
            reason,
            rule,
        }
    }

    pub const fn is_allowed(&self) -> bool {
        self.effect.allows()
    }

    pub const fn stage(&self) -> Stage {
        self.reason.stage()
    }
}

/// What every stage says, those behind the deciding one included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explanation {
    pub context: ContextId,
    pub label: Label,
    /// Or is it that of its class?
    pub has_own_label: bool,
    pub levels: Result<(), Reason>,
    /// The place of the first rule that means it.
    pub rule: Option<usize>,
    /// As what the subject looks at the object.
    pub party: Party,
    pub is_mode_open: bool,
    pub needs: Option<Capability>,
    pub holds: bool,
    pub decision: Decision,
}
