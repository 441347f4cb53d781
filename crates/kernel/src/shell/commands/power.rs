//! `reboot`, `poweroff`: what the machine does behind the answer.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::machine::PowerAction;
use crate::shell::catalog::Intent;

pub fn reboot(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report.text("").line("restarting");
    Ok(Some(Intent::Power(PowerAction::Reboot)))
}

pub fn power_off(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report.text("").line("switching off");
    Ok(Some(Intent::Power(PowerAction::PowerOff)))
}
