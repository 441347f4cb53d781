//! `clear`: an empty screen.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::catalog::Intent;

pub fn run(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    Ok(Some(Intent::ClearScreen))
}
