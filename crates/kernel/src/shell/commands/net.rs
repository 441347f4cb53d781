//! `net`: interfaces, routes, neighbours, sockets, ping.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::base::time::Duration;
use crate::net::counters::DropReason;
use crate::net::interface::Interface;
use crate::net::ping::PingRequest;
use crate::net::view::NetworkView;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use core::fmt;
use core::net::IpAddr;

/// Requests of one ping: a quarter of an hour.
pub const PINGS_MOST: u64 = 900;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let network = inspect.network();
    let outside = network.outside();
    let is_up = |interface: &Interface| interface.is_up && interface.port().is_some();
    let up = network.interfaces().filter(|(_, known)| is_up(known));
    report
        .fields("network")
        .value("interfaces_up", up.count())
        .count("received_frames", outside.received_frames)
        .count("received_bytes", outside.received_bytes)
        .count("sent_frames", outside.sent_frames)
        .count("sent_bytes", outside.sent_bytes)
        .count("errors_withheld", network.errors_withheld());
    let mut table = report.table("protocols", &["protocol", "received", "sent", "errors"]);
    for (name, counters) in network.protocols().rows() {
        table.row(&[
            name.into(),
            counters.received.into(),
            counters.sent.into(),
            counters.errors.into(),
        ]);
    }
    let mut table = report.table("drops", &["interface", "reason", "received", "sent"]);
    for (_, known) in network.interfaces() {
        for reason in DropReason::ALL {
            let received = known.counters.received_drops[*reason];
            let sent = known.counters.sent_drops[*reason];
            if received + sent > 0 {
                table.row(&[
                    known.name.as_str().into(),
                    reason.name().into(),
                    received.into(),
                    sent.into(),
                ]);
            }
        }
    }
    Ok(None)
}

pub fn interfaces(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let network = inspect.network();
    let columns = &[
        "name",
        "state",
        "tenant",
        "hardware",
        "mtu_bytes",
        "received_frames",
        "received_bytes",
        "sent_frames",
        "sent_bytes",
        "received_drops",
        "sent_drops",
    ];
    let mut table = report.table("interfaces", columns);
    for (_, known) in network.interfaces() {
        let counters = &known.counters;
        table.row(&[
            known.name.as_str().into(),
            if known.is_up { "up" } else { "down" }.into(),
            Value::Count(known.tenant.index() as u64),
            Value::Format(format_args!("{}", known.hardware)),
            known.mtu.into(),
            counters.received_frames.into(),
            counters.received_bytes.into(),
            counters.sent_frames.into(),
            counters.sent_bytes.into(),
            counters.received_drops.total().into(),
            counters.sent_drops.total().into(),
        ]);
    }
    addresses(network, report);
    Ok(None)
}

fn addresses(network: NetworkView<'_>, report: &mut Report) {
    let mut table = report.table("addresses", &["interface", "address", "state"]);
    for (_, known) in network.interfaces() {
        for own in &known.ipv4 {
            let address = Value::Format(format_args!("{own}"));
            table.row(&[known.name.as_str().into(), address, "preferred".into()]);
        }
        for own in known.slaac.addresses() {
            let address = format_args!("{}/{}", own.address, own.prefix_length);
            table.row(&[
                known.name.as_str().into(),
                Value::Format(address),
                own.state_name().into(),
            ]);
        }
    }
    let mut table = report.table("name servers from routers", &["interface", "server"]);
    for (_, known) in network.interfaces() {
        for server in known.slaac.name_servers() {
            let address = Value::Format(format_args!("{}", server.address));
            table.row(&[known.name.as_str().into(), address]);
        }
    }
}

pub fn sockets(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let network = inspect.network();
    let columns = &[
        "tenant", "address", "port", "queued", "received", "sent", "dropped",
    ];
    let mut table = report.table("udp", columns);
    network.visit_udp(&mut |socket| {
        let tenant = Value::Count(socket.tenant.index() as u64);
        let rest = [
            Value::Count(u64::from(socket.port)),
            socket.queued.into(),
            socket.counters.received.into(),
            socket.counters.sent.into(),
            socket.counters.dropped.into(),
        ];
        let [port, queued, received, sent, dropped] = rest;
        let address = format_args!("{}", Or(socket.address, "any"));
        let address = Value::Format(address);
        table.row(&[tenant, address, port, queued, received, sent, dropped]);
    });
    let mut table = report.table("tcp listeners", &["tenant", "address", "port"]);
    for listener in network.tcp().listeners() {
        let tenant = Value::Count(listener.tenant.index() as u64);
        let port = Value::Count(u64::from(listener.port));
        let address = format_args!("{}", Or(listener.address, "any"));
        table.row(&[tenant, Value::Format(address), port]);
    }
    let mut table = report.table("tcp connections", &["tenant", "local", "remote", "state"]);
    for (_, connection) in network.tcp().connections() {
        let (local, remote) = (connection.local, connection.remote);
        table.row(&[
            Value::Count(connection.tenant.index() as u64),
            Value::Format(format_args!("{local}")),
            Value::Format(format_args!("{remote}")),
            connection.state.name().into(),
        ]);
    }
    Ok(None)
}

/// A value, or the word for there being none.
struct Or<T>(Option<T>, &'static str);

impl<T: fmt::Display> fmt::Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str(self.1),
        }
    }
}

pub fn routes(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let network = inspect.network();
    let mut table = report.table("routes", &["prefix", "gateway", "interface", "source"]);
    for route in network.routes() {
        let prefix = Value::Format(format_args!("{}", route.prefix));
        let interface = network.name_of(route.interface).into();
        let source = route.source.name().into();
        let gateway = format_args!("{}", Or(route.gateway, "on the link"));
        table.row(&[prefix, Value::Format(gateway), interface, source]);
    }
    Ok(None)
}

pub fn neighbours(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let now = inspect.now();
    let network = inspect.network();
    let columns = &["address", "hardware", "interface", "state", "heard_ns"];
    let mut table = report.table("neighbours", columns);
    network.visit_neighbours(&mut |known| {
        let address = Value::Format(format_args!("{}", known.address));
        let interface = network.name_of(known.interface).into();
        let heard = Value::from(now.since(known.updated_at));
        match known.hardware {
            Some(hardware) => {
                let hardware = Value::Format(format_args!("{hardware}"));
                table.row(&[address, hardware, interface, known.state.into(), heard]);
            }
            None => {
                let unknown = Value::Unknown;
                table.row(&[address, unknown, interface, known.state.into(), unknown]);
            }
        }
    });
    Ok(None)
}

pub fn ping(invocation: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let word = invocation.text(0).unwrap_or_default();
    let target: IpAddr = word.parse().map_err(|_| CommandError::NotAnAddress {
        word: CommandError::shown(word),
    })?;
    let mut request = PingRequest::new(target);
    if let Some(count) = invocation.number(1) {
        request.count = count as u32;
    }
    if target.is_loopback() {
        request.interval = Duration::from_millis(100);
    }
    Ok(Some(Intent::Operation(Operation::Ping(request))))
}
