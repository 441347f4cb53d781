//! `device load`: real operations on devices for tenants, counted and timed.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::net::packet::Endpoint;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::quantity::Quantity;
use crate::shell::render::Unit;
use crate::workloads::load::{AMOUNT_MAX, LoadChange, LoadView, Order, Work};
use core::net::SocketAddr;

pub fn show(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "tenant",
        "device",
        "state",
        "asked_per_s",
        "elapsed_ns",
        "done",
        "bytes",
        "denied",
        "failed",
        "operations_per_s",
        "throughput_bytes_per_s",
    ];
    let mut table = report.table("loads", columns);
    inspect.visit_loads(&mut |view| {
        table.row(&[
            view.order.tenant.index().into(),
            view.order.work.name().into(),
            if view.is_running { "runs" } else { "ended" }.into(),
            view.order.per_s.into(),
            view.elapsed.into(),
            view.done.into(),
            view.bytes.into(),
            view.denied.into(),
            view.failed.into(),
            per_second(view, view.done).into(),
            per_second(view, view.bytes).into(),
        ]);
    });
    Ok(None)
}

/// Unknown before any time has passed.
fn per_second(view: &LoadView, amount: u64) -> Option<u64> {
    let nanos = u128::from(view.elapsed.as_nanos());
    let per_s = (u128::from(amount) * 1_000_000_000).checked_div(nanos)?;
    u64::try_from(per_s).ok()
}

pub fn start(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let Some(tenant) = tenant(call) else {
        // The catalog lets only numbers of tenants through.
        return Ok(None);
    };
    let work = match call.text(1).unwrap_or_default() {
        "network" => Work::Network {
            to: target(call.text(4))?,
        },
        "block" => Work::Block { disk: 0 },
        "gpu" => Work::Gpu,
        "input" => Work::Input,
        _ => Work::Console,
    };
    let order = Order {
        tenant,
        work,
        per_s: amount(call.text(2).unwrap_or_default())?,
        duration: Duration::from_secs(call.number(3).unwrap_or_default()),
    };
    report
        .text("")
        .line("started; device load shows how it goes");
    Ok(Some(Intent::Load(LoadChange::Start(order))))
}

pub fn stop(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let Some(tenant) = tenant(call) else {
        return Ok(None);
    };
    report.text("").line("stopped");
    Ok(Some(Intent::Load(LoadChange::Stop(tenant))))
}

fn tenant(call: &Invocation<'_>) -> Option<Tenant> {
    call.number(0)
        .and_then(|number| Tenant::new(number as usize))
}

fn amount(word: &str) -> Result<u64, CommandError> {
    let quantity = Quantity::parse(word, Unit::Bytes);
    let amount = quantity.map(|own| own.numerator / i128::from(own.denominator));
    let amount = amount.and_then(|amount| u64::try_from(amount).ok());
    amount
        .filter(|amount| (1..=AMOUNT_MAX).contains(amount))
        .ok_or_else(|| CommandError::NotALoad {
            word: CommandError::shown(word),
        })
}

fn target(word: Option<&str>) -> Result<Endpoint, CommandError> {
    let word = word.unwrap_or_default();
    let address: Result<SocketAddr, _> = word.parse();
    let address = address.map_err(|_| CommandError::NoTarget {
        word: CommandError::shown(word),
    })?;
    Ok(Endpoint {
        address: address.ip(),
        port: address.port(),
    })
}
