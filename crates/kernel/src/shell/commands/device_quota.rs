//! `device quota`, `device audit`: what tenants may do with devices, and did.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::fixed::Text;
use crate::base::report::Value;
use crate::base::tenant::Tenant;
use crate::drivers::handlers::{
    AuditEvent, Device, DeviceHandlers, InputKind, Measure, QuotaView, Resource,
};
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::quantity::Quantity;
use crate::shell::render::Unit;

/// What lifts a limit.
const NONE: &str = "none";

pub fn show(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let wanted = call.number(0);
    let handlers = inspect.handlers();
    let tenants = || Tenant::all().filter(|tenant| is_wanted(wanted, *tenant));
    let columns = &[
        "tenant",
        "quota",
        "limit",
        "used",
        "high_water",
        "unit",
        "denied",
    ];
    let mut table = report.table("quotas", columns);
    for tenant in tenants() {
        for quota in handlers.quotas(tenant) {
            table.row(&[
                tenant.index().into(),
                quota.resource.name().into(),
                limit_value(quota.limit),
                held_value(&quota, quota.used),
                held_value(&quota, quota.high_water),
                quota.resource.unit().into(),
                quota.denied.into(),
            ]);
        }
    }
    let columns = &["tenant", "device", "allowed", "denied", "bytes"];
    let mut table = report.table("operations", columns);
    for tenant in tenants() {
        for device in Device::ALL {
            let counts = handlers.counts(tenant, device);
            table.row(&[
                tenant.index().into(),
                device.name().into(),
                counts.allowed.into(),
                counts.denied.into(),
                counts.bytes.into(),
            ]);
        }
    }
    report_inputs(handlers, wanted, report);
    Ok(None)
}

fn is_wanted(wanted: Option<u64>, tenant: Tenant) -> bool {
    wanted.is_none_or(|wanted| wanted == tenant.index() as u64)
}

fn report_inputs(handlers: &DeviceHandlers, wanted: Option<u64>, report: &mut Report) {
    let mut table = report.table("input events", &["tenant", "key", "mouse", "touch"]);
    for tenant in Tenant::all().filter(|tenant| is_wanted(wanted, *tenant)) {
        let [key, mouse, touch] = InputKind::ALL.map(|kind| handlers.inputs(tenant, kind));
        table.row(&[
            tenant.index().into(),
            key.into(),
            mouse.into(),
            touch.into(),
        ]);
    }
}

pub fn set(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let word = call.text(2).unwrap_or_default();
    let tenant = call
        .number(0)
        .and_then(|number| Tenant::new(number as usize));
    let resource = call.text(1).and_then(Resource::parse);
    let (Some(tenant), Some(resource)) = (tenant, resource) else {
        // The catalog lets only names of tenants and quotas through.
        return Ok(None);
    };
    let limit = match word {
        NONE => None,
        word => Some(
            read_limit(word, resource).ok_or_else(|| CommandError::NotALimit {
                word: CommandError::shown(word),
                unit: resource.unit(),
            })?,
        ),
    };
    report
        .fields("")
        .value("tenant", tenant.index())
        .text("quota", resource.name())
        .value("limit", limit_value(limit))
        .text("unit", resource.unit());
    Ok(Some(Intent::SetQuota {
        tenant,
        resource,
        limit,
    }))
}

/// A whole number of the quota's unit.
fn read_limit(word: &str, resource: Resource) -> Option<u64> {
    let unit = match resource {
        Resource::GpuMemory | Resource::BlockSpace | Resource::NetworkIn | Resource::NetworkOut => {
            Unit::Bytes
        }
        _ => Unit::PerSecond,
    };
    let Quantity {
        numerator,
        denominator,
    } = Quantity::parse(word, unit)?;
    let denominator = i128::from(denominator);
    (numerator % denominator == 0).then(|| u64::try_from(numerator / denominator).ok())?
}

pub fn audit(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let handlers = inspect.handlers();
    report
        .fields("audit")
        .count("kept", handlers.audit().len() as u64)
        .count("forgotten", handlers.audit_forgotten());
    let columns = &["at_ns", "tenant", "event", "what", "times"];
    let mut table = report.table("operations", columns);
    for record in handlers.audit() {
        let (event, what, times) = describe(&record.event);
        table.row(&[
            record.at.into(),
            record.tenant.index().into(),
            event.into(),
            what.as_str().into(),
            times.into(),
        ]);
    }
    Ok(None)
}

/// A sentence about a record, as long as its longest line.
type Sentence = Text<128>;

fn describe(event: &AuditEvent) -> (&'static str, Sentence, u64) {
    match event {
        AuditEvent::Denied {
            resource,
            limit,
            wanted,
            times,
        } => {
            let what = match resource.measure() {
                Measure::Rate => Text::format(format_args!(
                    "{}: over {limit} {}",
                    resource.name(),
                    resource.unit()
                )),
                Measure::Held | Measure::Bound => Text::format(format_args!(
                    "{}: wanted {wanted}, limit {limit} {}",
                    resource.name(),
                    resource.unit()
                )),
            };
            ("denied", what, *times)
        }
        AuditEvent::Forbidden {
            capability,
            refusal,
            times,
        } => {
            let what = Text::format(format_args!("{}: {refusal}", capability.name()));
            ("forbidden", what, *times)
        }
        AuditEvent::Used { capability, times } => {
            let what = Text::format(format_args!("{}: audited", capability.name()));
            ("used", what, *times)
        }
        AuditEvent::ConsoleLine { text } => ("console line", Text::cut_from(text), 1),
        AuditEvent::QuotaSet {
            resource,
            before,
            after,
        } => {
            let what = Text::format(format_args!(
                "{}: {} to {} {}",
                resource.name(),
                Limit(*before),
                Limit(*after),
                resource.unit()
            ));
            ("quota set", what, 1)
        }
    }
}

struct Limit(Option<u64>);

impl core::fmt::Display for Limit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(limit) => write!(f, "{limit}"),
            None => f.write_str(NONE),
        }
    }
}

fn limit_value(limit: Option<u64>) -> Value<'static> {
    limit.map_or(Value::Text(NONE), Value::Count)
}

/// Nothing is held of a rate or a bound.
fn held_value(quota: &QuotaView, amount: Option<u64>) -> Value<'static> {
    match quota.resource.measure() {
        Measure::Held => amount.into(),
        Measure::Rate | Measure::Bound => Value::Text("-"),
    }
}
