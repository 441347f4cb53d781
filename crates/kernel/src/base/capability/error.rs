//! Why rights were not changed.

use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GrantError {
    NothingNamed,
    NoTimeToLive,
    PortsWithoutNet,
    NoSuchRight,
    NotTheHolder,
    DoesNotHold,
    TooManyHops,
    Circle,
    LongerThanSource,
    LooserConstraint,
    LastAdministrator,
    GrantsFull,
    DelegationsFull,
    ConstraintsFull,
}

impl GrantError {
    pub const ALL: [Self; 14] = [
        Self::NothingNamed,
        Self::NoTimeToLive,
        Self::PortsWithoutNet,
        Self::NoSuchRight,
        Self::NotTheHolder,
        Self::DoesNotHold,
        Self::TooManyHops,
        Self::Circle,
        Self::LongerThanSource,
        Self::LooserConstraint,
        Self::LastAdministrator,
        Self::GrantsFull,
        Self::DelegationsFull,
        Self::ConstraintsFull,
    ];

    pub const fn reason(self) -> &'static str {
        match self {
            Self::NothingNamed => "no capability is named; name one, such as NET",
            Self::NoTimeToLive => {
                "a right lasts from a second to thirty days; name a time such as 10min or 2h"
            }
            Self::PortsWithoutNet => {
                "ports say something about NET only; add NET, or leave the ports out"
            }
            Self::NoSuchRight => {
                "there is no grant or delegation of that number; cap list shows them"
            }
            Self::NotTheHolder => {
                "only its holder, who gave it, or an administrator can do that; cap list names them"
            }
            Self::DoesNotHold => {
                "nobody can hand on what the right does not have; cap list shows what it has"
            }
            Self::TooManyHops => {
                "it has gone through three hands, and no fourth is allowed; delegate an earlier one of the chain"
            }
            Self::Circle => "that one holds it already, further up the chain; name somebody else",
            Self::LongerThanSource => {
                "a delegation ends no later than what it comes from; name a shorter time"
            }
            Self::LooserConstraint => {
                "a constraint can only be tighter than those of the source; cap list shows them"
            }
            Self::LastAdministrator => {
                "nobody who can type would hold ADMIN any more; give it to somebody else first"
            }
            Self::GrantsFull => "there are as many grants as there can be; cap revoke makes room",
            Self::DelegationsFull => {
                "there are as many delegations as there can be; cap revoke makes room"
            }
            Self::ConstraintsFull => {
                "there are as many constraints as there can be; cap revoke makes room"
            }
        }
    }
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
