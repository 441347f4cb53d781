//! `net services` and `net serve`: what is offered for measuring.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::base::service::{Service, ServiceSet};
use crate::shell::catalog::Intent;

pub const WANTED: &[&str] = &["echo", "discard", "chargen", "off"];

const COLUMNS: &[&str] = &[
    "service",
    "port",
    "offered",
    "connections",
    "open",
    "refused",
    "received_bytes",
    "sent_bytes",
    "datagrams",
    "ignored",
    "last_bytes",
    "last_sum",
];

/// Offers one more, or none.
pub fn change(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let name = call.arguments().first().copied().unwrap_or_default();
    let wanted = match Service::of(name) {
        Some(service) => {
            let offered = inspect.network().services().offered();
            offered.with(service, true)
        }
        None => ServiceSet::NONE,
    };
    report
        .text("")
        .line("done; net services shows what is offered");
    Ok(Some(Intent::Serve(wanted)))
}

pub fn show(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table("services", COLUMNS);
    inspect.network().services().visit(&mut |view| {
        let last = view.last.unwrap_or_default();
        let (bytes, sum) = (last.0, format_args!("{:016x}", last.1));
        let known = |value| match view.last {
            Some(_) => value,
            None => Value::Unknown,
        };
        table.row(&[
            view.service.name().into(),
            u32::from(view.service.port()).into(),
            view.is_offered.into(),
            view.counters.connections.into(),
            (view.open as u64).into(),
            view.counters.connections_refused.into(),
            view.counters.received_bytes.into(),
            view.counters.sent_bytes.into(),
            view.counters.datagrams.into(),
            view.counters.datagrams_ignored.into(),
            known(bytes.into()),
            known(Value::Format(sum)),
        ]);
    });
    Ok(None)
}
