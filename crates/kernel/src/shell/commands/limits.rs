//! `limits`: every capacity beside what of it is in use.

use super::usages::{self, Usages};
use super::{Inspect, Invocation, Outcome, Report};
use crate::limits::LIMITS;

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut usages = Usages::new();
    usages::collect(inspect, &mut usages);
    let mut table = report.table(
        "limits",
        &["name", "value", "used", "high_water", "refused", "reason"],
    );
    for limit in LIMITS {
        let usage = usages.iter().find(|usage| usage.name == limit.name);
        table.row(&[
            limit.name.into(),
            limit.value.into(),
            usage.and_then(|usage| usage.used).into(),
            usage.and_then(|usage| usage.high_water).into(),
            usage.and_then(|usage| usage.refused).into(),
            limit.reason.trim().into(),
        ]);
    }
    Ok(None)
}
