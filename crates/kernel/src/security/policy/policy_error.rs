//! Why a change of the policy was refused.

use core::fmt;

/// Those that can be full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    Rules,
    Contexts,
    Labels,
    Transitions,
}

impl Table {
    pub const ALL: [Self; 4] = [Self::Rules, Self::Contexts, Self::Labels, Self::Transitions];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Contexts => "contexts",
            Self::Labels => "labels",
            Self::Transitions => "transitions",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyError {
    Full(Table),
    NoSuchRule,
    NotAContextName,
    ContextExists,
    NoSuchContext,
    /// It came with the kernel.
    ContextIsShipped,
    ContextIsEntered,
    ContextIsNamed,
    NoSuchLabel,
    TransitionExists,
    NoSuchTransition,
    /// From a context that is not trusted to one of another level.
    TransitionChangesLevel,
    TransitionRaisesLevel,
    TransitionGainsTrust,
    TransitionGainsCapabilities,
    /// No transition leads there from where the subject is, or it may not execute it.
    NoTransition,
    LocksOut,
}

impl PolicyError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Full(Table::Rules) => {
                "the policy has as many rules as it can have; remove one first"
            }
            Self::Full(Table::Contexts) => {
                "there are as many contexts as there can be; remove one first"
            }
            Self::Full(Table::Labels) => {
                "as many objects have a label as can have one; remove one first"
            }
            Self::Full(Table::Transitions) => {
                "there are as many transitions as there can be; remove one first"
            }
            Self::NoSuchRule => "no rule has that number; security policies shows them",
            Self::NotAContextName => {
                "a context's name is small letters, digits, - _ and ., a letter first"
            }
            Self::ContextExists => {
                "a context or a subject has that name already; choose another one"
            }
            Self::NoSuchContext => "no context has that name; security contexts shows them",
            Self::ContextIsShipped => {
                "the kernel puts somebody into this context; only contexts that were created can be removed"
            }
            Self::ContextIsEntered => "somebody is in this context; wait until it was left",
            Self::ContextIsNamed => {
                "a transition names this context; remove that one first, security transitions shows it"
            }
            Self::NoSuchLabel => {
                "the object has no label of its own; security label shows those that have"
            }
            Self::TransitionExists => {
                "that object leads somewhere from that context already; remove that transition first"
            }
            Self::NoSuchTransition => {
                "that object leads nowhere from that context; security transitions shows those that do"
            }
            Self::TransitionChangesLevel => {
                "from a context that is not trusted a transition keeps the level: above there is more to read, below more to tell; choose a context of the same level"
            }
            Self::TransitionRaisesLevel => {
                "a transition leads to no higher level; choose a context of the same or a lower one"
            }
            Self::TransitionGainsTrust => {
                "nobody comes into a trusted context from one that is not; choose another one"
            }
            Self::TransitionGainsCapabilities => {
                "the new context may hold capabilities that the old one may not; choose one with fewer"
            }
            Self::NoTransition => {
                "no transition that may be executed leads to that context; security transitions shows all"
            }
            Self::LocksOut => {
                "after that the serial console could not administer the policy any more; allow it that first, by a rule further up"
            }
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
