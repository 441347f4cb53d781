//! `optimize`: what the fast paths cost on this machine.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::catalog::{Intent, Operation};

pub fn bench(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    Ok(Some(Intent::Operation(Operation::SecurityBench)))
}
