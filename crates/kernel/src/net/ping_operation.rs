//! Pings that somebody at a console waits for.

use super::network::Network;
use super::ping::{PingRequest, PingView};
use crate::base::fixed::Full;
use crate::base::operation::{OperationId, Performer};
use crate::base::report::{Report, Value};
use crate::base::time::{Duration, Instant};

impl Network {
    pub fn start_ping_for(
        &mut self,
        operation: OperationId,
        now: Instant,
        request: PingRequest,
    ) -> Result<(), &'static str> {
        let full = "too many pings run; wait until one has ended";
        let id = self.start_ping(now, request).map_err(|Full| full)?;
        let kept = self.awaited_pings.insert(operation, id);
        crate::invariant!(kept.is_ok(), "more pings are awaited than run");
        Ok(())
    }
}

impl Performer for Network {
    fn maybe_answer(&mut self, id: OperationId, report: &mut Report) -> bool {
        let Some(ping) = self.awaited_pings.get(&id).copied() else {
            return false;
        };
        let Some(view) = self.ping(ping) else {
            return false;
        };
        if !view.is_done {
            return false;
        }
        self.forget(id);
        describe(&view, report);
        true
    }

    fn forget(&mut self, id: OperationId) {
        if let Some(ping) = self.awaited_pings.remove(&id) {
            self.stop_ping(ping);
        }
    }
}

fn describe(view: &PingView, report: &mut Report) {
    let lost = view.sent.saturating_sub(view.received);
    report
        .fields("ping")
        .value("target", format_args!("{}", view.target))
        .value("size_bytes", view.size)
        .value("sent", view.sent)
        .value("received", view.received)
        .value(
            "loss_ratio",
            Value::Ratio {
                of: u64::from(lost),
                to: u64::from(view.sent),
            },
        )
        .value("shortest_ns", view.shortest)
        .value("average_ns", view.average)
        .value("longest_ns", view.longest)
        .value("deviation_ns", view.deviation);
    let mut odd = report.fields("remarks");
    for (name, count) in [
        ("duplicates", view.duplicates),
        ("unreachable", view.unreachable),
        ("not_sent", view.unsent),
    ] {
        odd.value(name, count);
    }
    if view.received == 0 {
        report.fail(format_args!(
            "{} did not answer; of {} requests {} were not sent and {} came to nobody",
            view.target, view.sent, view.unsent, view.unreachable
        ));
    }
}

impl PingRequest {
    /// How long it takes at most.
    pub const fn limit(&self) -> Duration {
        let spans = self.interval.as_nanos().saturating_mul(self.count as u64);
        let waits = self.timeout.as_nanos().saturating_mul(2);
        Duration::from_nanos(spans.saturating_add(waits))
    }
}
