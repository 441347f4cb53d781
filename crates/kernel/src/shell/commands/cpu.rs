//! `cpu`: the processor, its cores, what it protects with.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let cpu = inspect.cpu();
    report
        .fields("processor")
        .text("vendor", &cpu.vendor)
        .text("brand", &cpu.brand)
        .value("cores_present", cpu.cores_present)
        .value(
            "cores_online",
            cpu.cores.iter().filter(|core| core.is_online).count(),
        )
        .count("clock_hz", cpu.clock_hz)
        .text("clock_source", cpu.clock_source)
        .text("timer", cpu.timer);
    let mut table = report.table(
        "cores",
        &[
            "core",
            "apic_id",
            "online",
            "busy_ns",
            "idle_ns",
            "load_ratio",
            "interrupts",
            "switches",
            "ready",
        ],
    );
    for core in &cpu.cores {
        let (busy, idle) = (core.busy.as_nanos(), core.idle.as_nanos());
        table.row(&[
            core.index.into(),
            core.apic_id.into(),
            core.is_online.into(),
            busy.into(),
            idle.into(),
            Value::Ratio {
                of: busy,
                to: busy.saturating_add(idle),
            },
            core.interrupts.into(),
            core.switches.into(),
            core.ready.into(),
        ]);
    }
    let mut table = report.table("features", &["feature", "offered", "enabled"]);
    for feature in &cpu.features {
        table.row(&[
            feature.name.into(),
            feature.is_offered.into(),
            feature.is_enabled.into(),
        ]);
    }
    Ok(None)
}
