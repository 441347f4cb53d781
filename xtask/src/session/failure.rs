//! Why a conversation with a kernel ended before it should.

use std::fmt;
use std::time::Duration;

use crate::outcome::{Outcome, Unusable};
use crate::qemu::{Ending, Exit};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The caller asked for something that cannot be, or something that is needed is missing.
    Unusable(String),
    /// The kernel does not build or QEMU does not start.
    NotStarted(String),
    /// The kernel panicked. A report that is not complete ended with the machine or with the caller's patience.
    Panicked { report: String, is_complete: bool },
    /// The machine powered off, reset, or was lost.
    Ended(Ending),
    TimedOut {
        waiting_for: String,
        after: Duration,
    },
    /// The kernel said something that the framed protocol does not allow.
    Garbled(String),
    /// The serial line itself failed.
    Broken(String),
}

impl Failure {
    /// The exit code that scripts see.
    pub fn outcome(&self) -> Outcome {
        match self {
            Failure::Unusable(_) => Outcome::Unusable,
            Failure::NotStarted(_) | Failure::Garbled(_) | Failure::Broken(_) => Outcome::Failure,
            Failure::Panicked { .. } | Failure::Ended(_) => Outcome::Crashed,
            Failure::TimedOut { .. } => Outcome::TimedOut,
        }
    }

    /// What an error on the way to a running machine means.
    pub fn of_start(error: &anyhow::Error) -> Failure {
        let reason = format!("{error:#}");
        if error.is::<Unusable>() {
            Failure::Unusable(reason)
        } else {
            Failure::NotStarted(reason)
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unusable(reason) | Failure::NotStarted(reason) => formatter.write_str(reason),
            Failure::Panicked {
                report,
                is_complete: true,
            } => write!(formatter, "the kernel panicked\n{report}"),
            Failure::Panicked {
                report,
                is_complete: false,
            } => {
                write!(
                    formatter,
                    "the kernel panicked and did not finish its report\n{report}"
                )
            }
            Failure::Ended(Ending { exit, reason }) => match (reason.as_deref(), exit) {
                (Some("guest-reset"), _) => formatter.write_str("the kernel reset the machine"),
                (Some("guest-shutdown"), _) => formatter.write_str("the machine powered off"),
                (_, Exit::Success) => formatter.write_str("QEMU ended"),
                (_, Exit::Failed) => {
                    formatter.write_str("the kernel ended QEMU with its failure code")
                }
                (_, Exit::Unknown(status)) => write!(formatter, "QEMU ended with {status}"),
            },
            Failure::TimedOut { waiting_for, after } => {
                write!(
                    formatter,
                    "no {waiting_for} within {:.1} s",
                    after.as_secs_f64()
                )
            }
            Failure::Garbled(what) => {
                write!(formatter, "the kernel broke the serial protocol: {what}")
            }
            Failure::Broken(what) => write!(formatter, "the serial line failed: {what}"),
        }
    }
}

impl std::error::Error for Failure {}
