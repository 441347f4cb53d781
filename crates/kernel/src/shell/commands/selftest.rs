//! `selftest`: proofs that the running machine gives of itself.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::machine::SelfTest;
use crate::base::report::Value;
use crate::shell::catalog::Intent;

pub const WAKE_UPS_MAX: u64 = 1_000_000;
const WAKE_UPS_DEFAULT: u64 = 1_000;
pub const PREEMPTION_SECONDS_MAX: u64 = 3_600;
const PREEMPTION_SECONDS_DEFAULT: u64 = 10;

/// How far the test that was started last has come.
pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.self_test();
    let name = match view.name {
        "" => Value::Text("none"),
        name => name.into(),
    };
    report
        .fields("self test")
        .value("test", name)
        .value("running", view.is_running)
        .count("passed", view.passed)
        .count("failed", view.failed)
        .value("first_failure", view.first_failure)
        .count("switches", view.switches);
    Ok(None)
}

pub fn exceptions(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    start(SelfTest::Exceptions, report)
}

pub fn wake_ups(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let count = call.number(0).unwrap_or(WAKE_UPS_DEFAULT);
    start(SelfTest::WakeUps { count }, report)
}

pub fn preemption(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let seconds = call.number(0).unwrap_or(PREEMPTION_SECONDS_DEFAULT);
    start(SelfTest::Preemption { seconds }, report)
}

fn start(test: SelfTest, report: &mut Report) -> Outcome {
    report
        .text("")
        .line("started; selftest status shows how far it is");
    Ok(Some(Intent::SelfTest(test)))
}
