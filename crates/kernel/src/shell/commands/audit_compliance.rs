//! `audit compliance`: requirements, how they stand, and violations.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::security::audit::compliance::{Row, Standing};

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let compliance = &inspect.security().compliance;
    let rows = compliance.rows();
    let count = |wanted: fn(&Standing) -> bool| {
        let fitting = rows.iter().filter(|row| wanted(&row.standing));
        fitting.count()
    };
    report
        .fields("compliance")
        .value("met", count(|standing| *standing == Standing::Met))
        .value(
            "violated",
            count(|standing| matches!(standing, Standing::Violated(_))),
        )
        .value("unknown", count(|standing| *standing == Standing::Unknown));
    report_requirements(rows, report);
    let columns = &["began_at_ns", "ended_at_ns", "requirement", "reason"];
    let mut table = report.table("violations", columns);
    for violation in compliance.violations() {
        let ended = violation.ended.map(Value::from);
        table.row(&[
            violation.began.into(),
            ended.unwrap_or(Value::Text("not yet")),
            violation.requirement.name().into(),
            violation.reason.into(),
        ]);
    }
    Ok(None)
}

fn report_requirements(rows: &[Row], report: &mut Report) {
    let columns = &[
        "requirement",
        "state",
        "since_at_ns",
        "violations",
        "last_at_ns",
        "demand",
    ];
    let mut table = report.table("requirements", columns);
    for row in rows {
        let last = row.last_violation.map(Value::from);
        table.row(&[
            row.requirement.name().into(),
            row.standing.name().into(),
            row.since.into(),
            row.violations.into(),
            last.unwrap_or(Value::Text("never")),
            row.requirement.demand().into(),
        ]);
    }
}
