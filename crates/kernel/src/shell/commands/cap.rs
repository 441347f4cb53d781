//! `cap`: who may do what, since when, until when, and from whom.

use super::cap_words::{read_capabilities, read_order, read_subject};
use super::{Inspect, Invocation, Outcome, Report};
use crate::base::capability::{
    Asked, Basis, Capability, CapabilitySet, Change, EventKind, Grants, Order, Right,
};
use crate::base::fixed::Text;
use crate::base::report::Value;
use crate::base::subject::Subject;
use crate::security::policy::Policy;
use crate::shell::catalog::Intent;

/// What a subject is called.
type Name = Text<16>;

/// Events that one answer has room for.
pub const EVENTS_SHOWN_MAX: usize = 512;
const EVENTS_SHOWN: usize = 32;

pub fn list(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let now = inspect.now();
    let grants = inspect.handlers().grants();
    let rights = || grants.rights();
    report
        .fields("capabilities")
        .count("version", grants.version())
        .count(
            "grants",
            rights().filter(|right| right.source.is_none()).count() as u64,
        )
        .count(
            "delegations",
            rights().filter(|right| right.source.is_some()).count() as u64,
        )
        .count("changes_refused", grants.refused());
    let columns = &["subject", "standing", "for_a_time", "policy"];
    let mut table = report.table("subjects", columns);
    for subject in Subject::all() {
        let own = rights().filter(|right| right.to == subject);
        let for_a_time = own.fold(CapabilitySet::NONE, |all, right| all | right.capabilities);
        // About what needs ADMIN the policy is asked command by command.
        let policy = grants.mandatory(subject).intersection(Policy::MASKED);
        table.row(&[
            format_args!("{subject}").into(),
            set_value(
                grants.standing(subject),
                &format_args!("{}", grants.standing(subject)),
            ),
            set_value(for_a_time, &format_args!("{for_a_time}")),
            policy_value(policy, &format_args!("{policy}")),
        ]);
    }
    let columns = &[
        "number",
        "from",
        "to",
        "capabilities",
        "constraints",
        "running",
        "ends_in_ns",
        "by",
        "version",
    ];
    let mut table = report.table("rights", columns);
    for right in rights() {
        table.row(&[
            right.number.into(),
            match right.source {
                Some(ref source) => (*source).into(),
                None => Value::Text("-"),
            },
            format_args!("{}", right.to).into(),
            format_args!("{}", right.capabilities).into(),
            // All that apply: its own, and those of what it was handed on from.
            format_args!("{}", right.effective).into(),
            running_value(grants, right),
            right.expires_at.since(now).into(),
            format_args!("{}", right.by).into(),
            right.version.into(),
        ]);
    }
    Ok(None)
}

/// All of them in one word.
fn set_value<'a>(set: CapabilitySet, names: &'a core::fmt::Arguments<'a>) -> Value<'a> {
    match set == CapabilitySet::ALL {
        true => Value::Text("all"),
        false => (*names).into(),
    }
}

/// What the policy lets somebody do with devices, should he hold it.
fn policy_value<'a>(set: CapabilitySet, names: &'a core::fmt::Arguments<'a>) -> Value<'a> {
    match set == Policy::MASKED {
        true => Value::Text("all"),
        false => (*names).into(),
    }
}

/// A dash where nothing is counted.
fn running_value(grants: &Grants, right: &Right) -> Value<'static> {
    match grants.running(right) {
        Some(running) => Value::Count(running.into()),
        None => Value::Text("-"),
    }
}

pub fn grant(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let order = read_order(call.arguments())?;
    tell(&order, inspect, report);
    Ok(Some(Intent::Capability(Change::Grant(order))))
}

pub fn delegate(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let source = call.number(0).unwrap_or_default();
    let order = read_order(call.arguments().get(1..).unwrap_or_default())?;
    tell(&order, inspect, report);
    Ok(Some(Intent::Capability(Change::Delegate { source, order })))
}

/// What will be so once the change is made.
fn tell(order: &Order, inspect: &dyn Inspect, report: &mut Report) {
    report
        .fields("")
        .value("number", inspect.handlers().grants().next_number())
        .value("to", format_args!("{}", order.to))
        .value("capabilities", format_args!("{}", order.capabilities))
        .value("ends_in_ns", order.time_to_live)
        .value("constraints", format_args!("{}", order.constraints));
}

pub fn revoke(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let number = call.number(0).unwrap_or_default();
    let grants = inspect.handlers().grants();
    report
        .fields("")
        .value("revoked", number)
        .count("ended_with_it", grants.heirs(number) as u64);
    Ok(Some(Intent::Capability(Change::Revoke { number })))
}

pub fn set_standing(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let subject = read_subject(call.text(0).unwrap_or_default())?;
    let capabilities = read_capabilities(call.text(1).unwrap_or_default())?;
    report
        .fields("")
        .value("subject", format_args!("{subject}"))
        .value(
            "standing",
            set_value(capabilities, &format_args!("{capabilities}")),
        );
    Ok(Some(Intent::Capability(Change::SetStanding {
        subject,
        capabilities,
    })))
}

pub fn check(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let subject = read_subject(call.text(0).unwrap_or_default())?;
    let Some(capability) = call.text(1).and_then(Capability::parse) else {
        // The catalog lets only names of capabilities through.
        return Ok(None);
    };
    let port = call.number(2).and_then(|port| u16::try_from(port).ok());
    let asked = Asked {
        port,
        ..Asked::of(subject, capability)
    };
    let grants = inspect.handlers().grants();
    let found = grants.explain(inspect.now(), &asked);
    let mut fields = report.fields("");
    fields
        .value("subject", format_args!("{subject}"))
        .text("capability", capability.name());
    if let Some(port) = port {
        fields.count("port", port.into());
    }
    fields.value("is_allowed", found.is_ok());
    match found {
        Ok(Basis::Standing) => fields.text("why", "it is a standing right"),
        Ok(Basis::Right(number)) => {
            let source = grants.find(number).and_then(|right| right.source);
            let kind = source.map_or("grant", |_| "delegation");
            fields.value("why", format_args!("{kind} {number}"))
        }
        Err(refusal) => fields.value("why", format_args!("{refusal}")),
    };
    Ok(None)
}

pub fn audit(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let wanted = call.number(0).unwrap_or(EVENTS_SHOWN as u64) as usize;
    let grants = inspect.handlers().grants();
    let kept = grants.events().len();
    report
        .fields("audit")
        .count("kept", kept as u64)
        .count("forgotten", grants.events_forgotten());
    let mut table = report.table("since boot", &["event", "times"]);
    for kind in EventKind::ALL {
        table.row(&[kind.name().into(), grants.count(kind).into()]);
    }
    let columns = &[
        "at_ns",
        "event",
        "subject",
        "capabilities",
        "right",
        "by",
        "times",
    ];
    let mut table = report.table("events", columns);
    for event in grants.events().skip(kept.saturating_sub(wanted)) {
        let by = event.by.map(|by| Name::format(format_args!("{by}")));
        table.row(&[
            event.at.into(),
            event.kind.name().into(),
            format_args!("{}", event.subject).into(),
            set_value(event.capabilities, &format_args!("{}", event.capabilities)),
            event.right.map_or(Value::Text("-"), Value::Count),
            by.as_deref().unwrap_or("-").into(),
            event.times.into(),
        ]);
    }
    let mut table = report.table("passed at once", &["subject", "capability", "times"]);
    for subject in Subject::all() {
        for capability in Capability::ALL {
            let times = grants.passes(subject, capability);
            if times > 0 {
                table.row(&[
                    format_args!("{subject}").into(),
                    capability.name().into(),
                    times.into(),
                ]);
            }
        }
    }
    Ok(None)
}
