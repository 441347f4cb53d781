//! `status`: what runs, what is missing and why, what is near its limit.

use super::usages::{self, Usages};
use super::version::VERSION;
use super::{Inspect, Invocation, Outcome, Report};
use crate::base::config::ShellMode;
use crate::base::report::Value;
use crate::base::time::Instant;

/// A share from which on a bounded thing is near its limit.
const NEAR_PERCENT: u64 = 80;

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    add_system(inspect, report);
    add_consoles(inspect, report);
    add_missing(inspect, report);
    add_problems(inspect, report);
    add_phases(inspect, report);
    add_near_limit(inspect, report);
    Ok(None)
}

fn add_system(inspect: &mut dyn Inspect, report: &mut Report) {
    let uptime = inspect.now().since(Instant::ZERO);
    let tick = inspect.tick();
    let (ready_at, ticks, overruns) = (tick.ready_at, tick.ticks, tick.overruns());
    let path = inspect.boot().path;
    let cpu = inspect.cpu();
    let online = cpu.cores.iter().filter(|core| core.is_online).count();
    let present = cpu.cores_present;
    let memory = inspect.memory();
    let (total, free) = (memory.total_bytes, memory.free_bytes);
    let threads = inspect.threads().threads.len();
    let entropy = inspect.entropy_sources().name().unwrap_or("none");
    let measured = inspect.security().measured.state_name();
    report
        .fields("system")
        .text("version", VERSION)
        .text("boot", path)
        .value("uptime_ns", uptime)
        .value("ready_at_ns", ready_at)
        .value("cores_online", online)
        .value("cores_present", present)
        .count("memory_total_bytes", total)
        .count("memory_free_bytes", free)
        .value("threads", threads)
        .text("entropy", entropy)
        .text("measured_boot", measured)
        .count("ticks", ticks)
        .count("tick_budget_overruns", overruns);
}

fn add_consoles(inspect: &mut dyn Inspect, report: &mut Report) {
    let mut table = report.table(
        "consoles",
        &[
            "name",
            "shell",
            "received_bytes",
            "sent_bytes",
            "dropped_bytes",
            "line_errors",
        ],
    );
    inspect.visit_consoles(&mut |console, mode| {
        table.row(&[
            console.name.into(),
            mode_name(mode).into(),
            console.received_bytes.into(),
            console.sent_bytes.into(),
            console.receive_dropped_bytes.into(),
            console.line_errors.into(),
        ]);
    });
}

const fn mode_name(mode: ShellMode) -> &'static str {
    match mode {
        ShellMode::Interactive => "interactive",
        ShellMode::Framed => "framed",
        ShellMode::FramedJson => "framed-json",
    }
}

fn add_missing(inspect: &mut dyn Inspect, report: &mut Report) {
    let mut table = report.table("missing", &["what", "reason"]);
    for (what, reason) in &inspect.boot().missing {
        table.row(&[(*what).into(), (*reason).into()]);
    }
}

fn add_problems(inspect: &mut dyn Inspect, report: &mut Report) {
    let config = &inspect.boot().config;
    let mut table = report.table("configuration problems", &["word", "reason"]);
    for problem in &config.problems {
        table.row(&[problem.word.as_str().into(), problem.reason.into()]);
    }
    if config.problems_more > 0 {
        let more = format_args!("and {} more", config.problems_more);
        table.row(&[more.into(), Value::Unknown]);
    }
}

fn add_phases(inspect: &mut dyn Inspect, report: &mut Report) {
    let mut table = report.table("tick", &["phase", "budget_ns", "longest_ns", "overruns"]);
    for phase in &inspect.tick().phases {
        table.row(&[
            phase.name.into(),
            phase.budget.into(),
            phase.longest.into(),
            phase.overruns.into(),
        ]);
    }
}

fn add_near_limit(inspect: &mut dyn Inspect, report: &mut Report) {
    let mut table = report.table(
        "near their limit",
        &[
            "name",
            "used",
            "high_water",
            "capacity",
            "high_water_ratio",
            "refused",
        ],
    );
    let mut usages = Usages::new();
    usages::collect(inspect, &mut usages);
    for usage in &usages {
        if usage.is_near(NEAR_PERCENT) {
            table.row(&[
                usage.name.into(),
                usage.used.into(),
                usage.high_water.into(),
                usage.capacity.into(),
                Value::Ratio {
                    of: usage.highest(),
                    to: usage.capacity,
                },
                usage.refused.into(),
            ]);
        }
    }
}
