//! The one gate: whatever somebody wants done is asked for here first.

use super::Security;
use crate::base::capability::CapabilitySet;
use crate::base::subject::Subject;
use core::fmt;

/// What somebody wants.
pub struct Wanted<'a> {
    pub subject: Subject,
    /// `command` or `command action`.
    pub name: &'a str,
    pub needs: CapabilitySet,
    pub is_change: bool,
    /// The line as it was typed.
    pub line: &'a str,
}

/// The proof that somebody may change something. Only the gate makes one, so that nothing
/// can be done which it was not asked about.
#[derive(PartialEq, Eq, Debug)]
pub struct Permit {
    subject: Subject,
}

impl Permit {
    /// Whose it is.
    pub const fn subject(&self) -> Subject {
        self.subject
    }
}

/// Why somebody may not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The subject does not hold these.
    Missing {
        subject: Subject,
        capabilities: CapabilitySet,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing {
                subject,
                capabilities,
            } => write!(
                f,
                "needs {capabilities}, which {subject} does not hold; cap grant {subject} {capabilities} 1h gives it for an hour"
            ),
        }
    }
}

impl Security {
    pub fn authorize(&mut self, wanted: &Wanted<'_>) -> Result<Permit, Refusal> {
        let subject = wanted.subject;
        let held = match subject {
            Subject::Visitor => CapabilitySet::NONE,
            Subject::Tenant(_) if subject != Subject::KERNEL => CapabilitySet::NONE,
            _ => CapabilitySet::ALL,
        };
        let missing = wanted.needs.without(held);
        match missing.is_empty() {
            true => Ok(Permit { subject }),
            false => Err(Refusal::Missing {
                subject,
                capabilities: missing,
            }),
        }
    }
}
