//! What a person wants changed about rights.

use super::CapabilitySet;
use super::constraint::Constraints;
use crate::base::subject::Subject;
use crate::base::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Grant(Order),
    /// The holder of that right hands some of it on.
    Delegate {
        source: u64,
        order: Order,
    },
    /// Ends a right and all that hangs on it.
    Revoke {
        number: u64,
    },
    /// All that the subject has without an end, from now on.
    SetStanding {
        subject: Subject,
        capabilities: CapabilitySet,
    },
}

/// A right for a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    pub to: Subject,
    pub capabilities: CapabilitySet,
    pub time_to_live: Duration,
    pub constraints: Constraints,
}
