//! Whose command it is, and whether it came in a way that may change things.

use crate::base::subject::Subject;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asker {
    pub subject: Subject,
    /// False for what a browser asks without being told to by a person: it follows links.
    pub may_change: bool,
}

impl Asker {
    pub const fn new(subject: Subject) -> Self {
        Self {
            subject,
            may_change: true,
        }
    }

    /// One that may look and nothing else.
    pub const fn looking(subject: Subject) -> Self {
        Self {
            subject,
            may_change: false,
        }
    }
}
