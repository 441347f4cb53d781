//! Why somebody may not do what he asked for.

use crate::base::time::Instant;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Neither a standing right nor a grant nor a delegation has the capability.
    NotHeld,
    /// Whatever is held, the security policy forbids it.
    Policy,
    /// Held for other ports.
    Port,
    /// Held, and as many operations as may run at the same time do.
    Concurrency,
    /// Held, and so much was moved just now. `None`: never so much at once.
    Bandwidth { ready_at: Option<Instant> },
}

impl Refusal {
    /// Of two reasons the one that is nearer to success.
    pub fn nearer(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bandwidth { ready_at: own }, Self::Bandwidth { ready_at: others }) => {
                let ready_at = match (own, others) {
                    (Some(own), Some(others)) => Some(own.min(others)),
                    (own, others) => own.or(others),
                };
                Self::Bandwidth { ready_at }
            }
            _ if self.rank() >= other.rank() => self,
            _ => other,
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::NotHeld => 0,
            Self::Policy => 1,
            Self::Port => 2,
            Self::Concurrency => 3,
            Self::Bandwidth { .. } => 4,
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotHeld => "it is not held",
            Self::Policy => "the security policy forbids it",
            Self::Port => "it is held for other ports",
            Self::Concurrency => "as many operations run as may at the same time",
            Self::Bandwidth { ready_at: Some(_) } => "its bandwidth is used up for the moment",
            Self::Bandwidth { ready_at: None } => {
                "it is more at once than its bandwidth ever allows"
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
