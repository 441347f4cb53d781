//! `api`: the commands by HTTP: what was asked and what was refused.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::limits::{API_WORKERS_MAX, HTTP_CONNECTIONS_MAX};

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.api();
    let (server, counters) = (&view.server.counters, &view.counters);
    report
        .fields("server")
        .count("port", u64::from(view.server.port))
        .value("token_is_set", view.has_token)
        .value("connections", view.server.connections)
        .value("connections_high_water", view.server.connections_high_water)
        .value("connections_max", HTTP_CONNECTIONS_MAX)
        .value("workers_busy", view.workers_busy)
        .value("workers_max", API_WORKERS_MAX)
        .count("requests", server.requests)
        .count("received_bytes", server.received_bytes)
        .count("sent_bytes", server.sent_bytes);
    report
        .fields("answers")
        .count("succeeded_2xx", server.answers[2])
        .count("redirected_3xx", server.answers[3])
        .count("client_errors_4xx", server.answers[4])
        .count("server_errors_5xx", server.answers[5]);
    report
        .fields("refused")
        .count("malformed", server.malformed)
        .count("without_token", counters.without_token)
        .count("wrong_token", counters.wrong_token)
        .count("shut_out", counters.shut_out)
        .count("of_foreign_pages", counters.foreign)
        .count("connections_refused", server.refused)
        .count("no_worker_in_time", server.wait_timeouts);
    report
        .fields("connections")
        .count("accepted", server.accepted)
        .count("made_room", server.made_room)
        .count("head_timeouts", server.head_timeouts)
        .count("body_timeouts", server.body_timeouts)
        .count("idle_timeouts", server.idle_timeouts)
        .count("stalled", server.stalled)
        .count("broken_off", server.broken_off);
    report
        .fields("commands")
        .count("started", counters.commands)
        .count("abandoned", counters.abandoned)
        .count("timed_out", counters.timed_out);
    Ok(None)
}

pub fn requests(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "at_ns",
        "from",
        "method",
        "path",
        "status",
        "took_ns",
        "sent_bytes",
    ];
    let mut table = report.table("requests", columns);
    inspect.visit_requests(&mut |record| {
        table.row(&[
            record.at.into(),
            Value::Format(format_args!("{}", record.peer)),
            record
                .method
                .map_or(Value::Unknown, |method| method.name().into()),
            record.path.as_str().into(),
            u64::from(record.status.code()).into(),
            record.took.into(),
            record.sent_bytes.into(),
        ]);
    });
    Ok(None)
}
