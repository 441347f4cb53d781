//! What the device handlers have remembered becomes entries, once each.
//!
//! Limits: a denial or use of each tenant and quota or capability may be growing at the same time.
//! Invariants: the entries, and what grows, hold together as many denials as were copied.

use super::AuditTrail;
use super::event::Event;
use super::words::{Kind, Level, Outcome, Verb};
use crate::base::capability::Capability;
use crate::base::fixed::Vec;
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::drivers::handlers::{AuditEvent, AuditRecord, DENIALS_MERGED_WITHIN, DeviceHandlers};
use crate::drivers::handlers::{Measure, Resource};
use crate::limits::TENANTS_MAX;
use core::fmt;

const GROWING_MAX: usize = TENANTS_MAX * (Resource::ALL.len() + 2 * Capability::ALL.len());

/// How far the device handlers' records were copied.
#[derive(Default)]
pub struct DeviceCursor {
    next: u64,
    growing: Vec<Growing, GROWING_MAX>,
    /// Records that were pushed out before they were copied.
    missed: u64,
}

/// A denial that the handlers still count up.
struct Growing {
    number: u64,
    until: Instant,
    copied: u64,
}

/// What a record says as an event, in names and numbers, so without secrets; what was typed
/// on a console has an entry of its own.
pub fn from_device_record(record: &AuditRecord) -> Option<Event> {
    let subject = Subject::Tenant(record.tenant);
    match &record.event {
        AuditEvent::Denied {
            resource,
            limit,
            wanted,
            times,
        } => {
            let event = Event::new(Kind::Security, Verb::Use, resource.name())
                .level(Level::Warning)
                .by(subject)
                .outcome(Outcome::Denied)
                .times(u32::try_from(*times).unwrap_or(u32::MAX));
            let unit = resource.unit();
            Some(match resource.measure() {
                Measure::Rate => event.text(format_args!("over {limit} {unit}")),
                Measure::Held | Measure::Bound => {
                    event.text(format_args!("wanted {wanted}, limit {limit} {unit}"))
                }
            })
        }
        AuditEvent::Forbidden {
            capability,
            refusal,
            times,
        } => {
            let event = Event::new(Kind::Security, Verb::Use, capability.name())
                .level(Level::Warning)
                .by(subject)
                .outcome(Outcome::Denied)
                .times(u32::try_from(*times).unwrap_or(u32::MAX));
            Some(event.text(format_args!("{refusal}")))
        }
        AuditEvent::Used { capability, times } => {
            let event = Event::new(Kind::Security, Verb::Use, capability.name())
                .level(Level::Notice)
                .by(subject)
                .outcome(Outcome::Allowed)
                .times(u32::try_from(*times).unwrap_or(u32::MAX));
            Some(event.text(format_args!("the policy wants it written down")))
        }
        AuditEvent::QuotaSet {
            resource,
            before,
            after,
        } => {
            // Whose quota it is; who set it was not remembered.
            let (before, after) = (Limit(*before), Limit(*after));
            let event = Event::new(Kind::System, Verb::SetQuota, resource.name())
                .level(Level::Notice)
                .text(format_args!(
                    "of {subject}: {before} to {after} {}",
                    resource.unit()
                ));
            Some(event)
        }
        AuditEvent::ConsoleLine { .. } => None,
    }
}

struct Limit(Option<u64>);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(limit) => write!(f, "{limit}"),
            None => f.write_str("none"),
        }
    }
}

fn times(record: &AuditRecord) -> u64 {
    match record.event {
        AuditEvent::Denied { times, .. }
        | AuditEvent::Forbidden { times, .. }
        | AuditEvent::Used { times, .. } => times,
        _ => 0,
    }
}

impl AuditTrail {
    /// Makes entries of what the device handlers have remembered since the last time.
    pub fn copy_device_records(&mut self, now: Instant, handlers: &DeviceHandlers) {
        self.close_grown(now, handlers);
        let end = handlers.audit_forgotten() + handlers.audit().len() as u64;
        if self.devices.next == end {
            return;
        }
        self.devices.missed += handlers.audit_forgotten().saturating_sub(self.devices.next);
        let kept = handlers.audit().len() as u64;
        let fresh = (end - self.devices.next).min(kept);
        for record in handlers.audit().skip((kept - fresh) as usize) {
            let Some(event) = from_device_record(record) else {
                continue;
            };
            self.seal(now, &event);
            if times(record) > 0 {
                self.devices.watch(record);
            }
        }
        self.devices.next = end;
    }

    /// What came to a denial after it was copied has an entry once no more comes.
    fn close_grown(&mut self, now: Instant, handlers: &DeviceHandlers) {
        let is_over = |growing: &Growing| now >= growing.until;
        while let Some(index) = self.devices.growing.iter().position(is_over) {
            let Some(growing) = self.devices.growing.remove(index) else {
                return;
            };
            if let Some(record) = growing.record(handlers)
                && let Some(event) = from_device_record(record)
                && growing.more(handlers) > 0
            {
                let more = u32::try_from(growing.more(handlers)).unwrap_or(u32::MAX);
                self.seal(now, &event.times(more));
            }
        }
    }
}

impl DeviceCursor {
    fn watch(&mut self, record: &AuditRecord) {
        let growing = Growing {
            number: record.number,
            until: record.at + DENIALS_MERGED_WITHIN,
            copied: times(record),
        };
        // A newer one of the same tenant and quota begins when the older is over, so there is
        // room; where there were not, its repeats would be missing in the sum and be seen there.
        let _ = self.growing.push(growing);
    }

    /// Denials that were counted up since they were copied.
    pub fn denials_growing(&self, handlers: &DeviceHandlers) -> u64 {
        let is_denial = |growing: &&Growing| {
            let record = growing.record(handlers).map(|record| &record.event);
            !matches!(record, Some(AuditEvent::Used { .. }))
        };
        let growing = self.growing.iter().filter(is_denial);
        growing.map(|growing| growing.more(handlers)).sum()
    }

    pub const fn missed(&self) -> u64 {
        self.missed
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.growing.iter().map(|growing| growing.until).min()
    }
}

impl Growing {
    fn record<'h>(&self, handlers: &'h DeviceHandlers) -> Option<&'h AuditRecord> {
        let index = self.number.checked_sub(handlers.audit_forgotten())?;
        handlers.audit().nth(index as usize)
    }

    fn more(&self, handlers: &DeviceHandlers) -> u64 {
        let times = self.record(handlers).map_or(0, times);
        times.saturating_sub(self.copied)
    }
}
