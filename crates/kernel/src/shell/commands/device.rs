//! `device`: what was found on the buses, who drives it, and how it goes.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::drivers::devices::view::DeviceView;
use crate::drivers::pci::address::Address;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;

/// Every function of every bus, and what became of it.
pub fn list(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.devices();
    let mut table = report.table(
        "devices",
        &[
            "address",
            "id",
            "device",
            "driver",
            "name",
            "state",
            "interrupts",
            "at_ns",
            "reason",
        ],
    );
    for device in &view.devices {
        table.row(&[
            format_args!("{}", device.address).into(),
            format_args!("{:04x}:{:04x}", device.vendor, device.device).into(),
            device.what.into(),
            or_none(device.driver),
            or_none(device.label),
            device.state.into(),
            or_none(device.interrupts),
            device.since.into(),
            device.reason.as_str().into(),
        ]);
    }
    if view.unlisted > 0 {
        report
            .fields("not listed")
            .count("functions", view.unlisted);
    }
    Ok(None)
}

/// Counts of every driven device, and of its queues.
pub fn stats(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.devices();
    let mut table = report.table(
        "devices",
        &[
            "address",
            "driver",
            "name",
            "interrupts",
            "resets",
            "lies",
            "last_lie",
        ],
    );
    let has_driver = |device: &&DeviceView| !device.driver.is_empty() || device.resets > 0;
    for device in view.devices.iter().filter(has_driver) {
        table.row(&[
            format_args!("{}", device.address).into(),
            or_none(device.driver),
            or_none(device.label),
            device.interrupts_count.into(),
            device.resets.into(),
            device.lies.into(),
            or_none(device.last_lie),
        ]);
    }
    let mut table = report.table(
        "queues",
        &[
            "address",
            "name",
            "queue",
            "size",
            "in_flight",
            "added",
            "used",
            "notifications",
            "refused",
        ],
    );
    for device in &view.devices {
        for queue in &device.queues {
            table.row(&[
                format_args!("{}", device.address).into(),
                or_none(device.label),
                u32::from(queue.index).into(),
                u32::from(queue.size).into(),
                u32::from(queue.in_flight).into(),
                queue.added.into(),
                queue.used.into(),
                queue.notifications.into(),
                queue.refused.into(),
            ]);
        }
    }
    Ok(None)
}

/// Brings a device down and up again.
pub fn reset(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let word = call.text(0).unwrap_or_default();
    let address = Address::parse(word).ok_or_else(|| CommandError::NotADevice {
        word: CommandError::shown(word),
    })?;
    report
        .text("")
        .line("resetting; device list shows what became of it");
    Ok(Some(Intent::ResetDevice(address)))
}

fn or_none(text: &str) -> Value<'_> {
    Value::Text(if text.is_empty() { "none" } else { text })
}
