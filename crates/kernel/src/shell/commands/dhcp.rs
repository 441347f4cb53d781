//! `dhcp`: addresses from servers, and what went wrong with them.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::{Fields, Value};
use crate::base::time::Instant;
use crate::net::dhcp::{ClientView, Command, Lease, MessageType};
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use core::fmt::{self, Display};

pub fn status(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let now = inspect.now();
    visit(call, inspect, &mut |view| show(view, now, report))?;
    let columns = &[
        "interface",
        "discover",
        "offer",
        "request",
        "decline",
        "ack",
        "nak",
        "release",
        "inform",
        "inputs_ignored",
    ];
    let mut table = report.table("messages", columns);
    visit(call, inspect, &mut |view| {
        let client = &view.client;
        let of = |kind| Value::Count(client.messages.of(kind));
        let [a, b, c, d, e, f, g, h] = MessageType::ALL.map(of);
        let ignored = client.ignored.into();
        table.row(&[view.name.into(), a, b, c, d, e, f, g, h, ignored]);
    })?;
    let mut table = report.table("flaws", &["interface", "flaw", "times"]);
    visit(call, inspect, &mut |view| {
        for (flaw, times) in view.client.flaws.met() {
            table.row(&[view.name.into(), flaw.name().into(), times.into()]);
        }
    })?;
    Ok(None)
}

pub fn leases(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let now = inspect.now();
    let columns = &[
        "interface",
        "tenant",
        "address",
        "server",
        "gateway",
        "name_servers",
        "renews_in_ns",
        "rebinds_in_ns",
        "expires_in_ns",
    ];
    let mut table = report.table("leases", columns);
    visit(call, inspect, &mut |view| {
        let Some(lease) = view.client.lease else {
            return;
        };
        let times = &lease.times;
        table.row(&[
            view.name.into(),
            view.tenant.index().into(),
            format_args!("{}/{}", lease.address, lease.prefix).into(),
            format_args!("{}", lease.server).into(),
            format_args!("{}", Known(lease.gateway())).into(),
            format_args!("{}", List(&lease.parameters.name_servers)).into(),
            until(times.renew, now),
            until(times.rebind, now),
            until(times.expire, now),
        ]);
    })?;
    Ok(None)
}

pub fn history(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "at_ns",
        "interface",
        "event",
        "times",
        "transaction",
        "address",
        "server",
    ];
    let mut table = report.table("transactions", columns);
    visit(call, inspect, &mut |view| {
        for event in view.client.history.iter() {
            table.row(&[
                event.at.into(),
                view.name.into(),
                event.kind.name().into(),
                event.times.into(),
                format_args!("{}", Hex(event.transaction)).into(),
                format_args!("{}", Known(event.address)).into(),
                format_args!("{}", Known(event.server)).into(),
            ]);
        }
    })?;
    Ok(None)
}

pub fn renew(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    ask(Command::Renew, call, inspect, report)
}

pub fn release(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    ask(Command::Release, call, inspect, report)
}

pub fn inform(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    ask(Command::Inform, call, inspect, report)
}

fn ask(
    command: Command,
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let mut interface = None;
    visit(call, inspect, &mut |view| interface = Some(view.interface))?;
    // Without a name it is for all of them.
    let interface = interface.filter(|_| call.text(0).is_some());
    report.text("").line(match command {
        Command::Release => "given back",
        _ => "asked; dhcp history shows what comes of it",
    });
    Ok(Some(Intent::Dhcp { command, interface }))
}

/// Every client that is meant; an error when there is none.
fn visit(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    each: &mut dyn FnMut(&ClientView<'_>),
) -> Result<(), CommandError> {
    let name = call.text(0);
    let mut found = false;
    inspect.visit_dhcp(&mut |view| {
        if name.is_none_or(|name| name == view.name) {
            found = true;
            each(view);
        }
    });
    match name {
        _ if found => Ok(()),
        None => Err(CommandError::NoDhcpClients),
        Some(name) => Err(CommandError::NoDhcpClient {
            word: CommandError::shown(name),
        }),
    }
}

fn show(view: &ClientView<'_>, now: Instant, report: &mut Report) {
    let client = &view.client;
    let mut fields = report.fields("client");
    fields
        .text("interface", view.name)
        .value("tenant", view.tenant.index())
        .text("state", client.state);
    if let Some(reason) = client.error {
        fields.text("reason", reason);
    }
    match (client.lease, client.link_local) {
        (Some(lease), _) => show_lease(lease, now, &mut fields),
        (None, Some(address)) => {
            fields.value("address", format_args!("{address}/16"));
        }
        (None, None) => {
            fields.text("address", "none");
        }
    }
    fields
        .value("acts_in_ns", until(client.next_at, now))
        .value("transaction", format_args!("{}", Hex(client.transaction)))
        .value(
            "hardware_address",
            format_args!("{}", Bytes(&client.identity.hardware_address)),
        )
        .value(
            "client_id",
            format_args!("{}", Bytes(&client.identity.client_id)),
        );
}

fn show_lease(lease: &Lease, now: Instant, fields: &mut Fields<'_>) {
    let (times, options) = (&lease.times, &lease.parameters);
    fields
        .value(
            "address",
            format_args!("{}/{}", lease.address, lease.prefix),
        )
        .value("server", format_args!("{}", lease.server))
        .value("leased_for_ns", now.since(times.obtained))
        .value("renews_in_ns", until(times.renew, now))
        .value("rebinds_in_ns", until(times.rebind, now))
        .value("expires_in_ns", until(times.expire, now))
        .value("gateway", format_args!("{}", Known(lease.gateway())))
        .value("routers", format_args!("{}", List(&options.routers)))
        .value("routes", format_args!("{}", List(&options.routes)))
        .value(
            "name_servers",
            format_args!("{}", List(&options.name_servers)),
        )
        .value(
            "time_servers",
            format_args!("{}", List(&options.time_servers)),
        )
        .value(
            "broadcast_address",
            format_args!("{}", Known(options.broadcast_address)),
        )
        .value("mtu", format_args!("{}", Known(options.mtu)))
        .text("host_name", or_none(&options.host_name))
        .text("domain_name", or_none(&options.domain_name))
        .value(
            "search_domains",
            format_args!("{}", List(&options.search_domains)),
        );
}

/// The time to a deadline; what has none never comes.
fn until(at: Option<Instant>, now: Instant) -> Value<'static> {
    at.map_or(Value::Text("never"), |at| at.since(now).into())
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

struct Known<T>(Option<T>);

impl<T: Display> Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("none"),
        }
    }
}

struct Hex(Option<u32>);

impl Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number:08x}"),
            None => f.write_str("none"),
        }
    }
}

struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, item) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{item}")?;
        }
        Ok(())
    }
}

struct Bytes<'a>(&'a [u8]);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}
