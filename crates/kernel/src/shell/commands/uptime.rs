//! `uptime`: how long the kernel runs and how it came up.

use super::{Inspect, Invocation, Outcome, Report};

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let tick = inspect.tick();
    report
        .fields("uptime")
        .value("uptime_ns", inspect.now().as_nanos())
        .value("ready_at_ns", tick.ready_at)
        .text("boot", inspect.boot().path)
        .count("ticks", tick.ticks);
    Ok(None)
}
