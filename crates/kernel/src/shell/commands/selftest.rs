//! `selftest`: proofs that the machine gives of itself.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::machine::{SelfTest, SelfTestError};
use crate::base::report::Value;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.self_test();
    let name = match view.name {
        "" => Value::Unknown,
        name => name.into(),
    };
    report
        .fields("self test")
        .value("name", name)
        .value("is_running", view.is_running)
        .count("passed", view.passed)
        .count("failed", view.failed)
        .value("first_failure", view.first_failure)
        .count("switches", view.switches);
    Ok(None)
}

pub fn exceptions(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    start(SelfTest::Exceptions, inspect, report)
}

pub fn wake_ups(
    invocation: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let count = invocation.number(0).unwrap_or(1_000);
    start(SelfTest::WakeUps { count }, inspect, report)
}

pub fn preempt(
    invocation: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let seconds = invocation.number(0).unwrap_or(10);
    start(SelfTest::Preemption { seconds }, inspect, report)
}

fn start(test: SelfTest, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    if !inspect.boot().config.is_debug {
        return Err(CommandError::DebugIsOff);
    }
    if inspect.self_test().is_running {
        return Err(CommandError::SelfTest(SelfTestError::AlreadyRunning));
    }
    report
        .text("")
        .line("started; selftest status tells how far it is");
    Ok(Some(Intent::SelfTest(test)))
}
