//! The security floor's turn in a tick: it measures, anchors and records.

use super::Security;
use super::audit::{AnchorError, AnchoredIn, Event};
use super::measured::boot::Root;
use super::measured::phase::Phase;
use super::measured::{MeasureError, Measurement};
use crate::base::time::Instant;
use crate::base::tpm::TpmPort;
use crate::drivers::handlers::DeviceHandlers;

/// What the trail has been told of the measured boot.
#[derive(Default)]
pub(super) struct Told {
    phases: usize,
    is_settled: bool,
    is_lost: bool,
}

impl Security {
    /// Goes on with what there is to do now.
    pub fn step(&mut self, now: Instant, tpm: Option<&mut dyn TpmPort>, handlers: &DeviceHandlers) {
        self.measured.step(now, tpm, &self.policy);
        self.tell_of_boot(now);
        self.audit.copy_device_records(now, handlers);
        self.audit.step(now);
        self.anchor(now);
        if self.measured.is_settled() && self.compliance.is_due(now) {
            let facts = self.facts(handlers);
            self.compliance.step(now, &facts, &mut self.audit);
        }
    }

    /// When it wants to be stepped though nothing happens.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let is_settled = self.measured.is_settled();
        let compliance = is_settled.then(|| self.compliance.next_deadline());
        let deadlines = [
            self.measured.next_deadline(now),
            self.audit.next_deadline(now),
            compliance.flatten(),
            self.bench.next_deadline(now),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Each phase that is over and each change of who keeps the registers has an entry.
    fn tell_of_boot(&mut self, now: Instant) {
        while let Some(phase) = Phase::ALL.get(self.told.phases)
            && let Some((_, Some(_))) = self.measured.phases().nth(self.told.phases)
        {
            self.told.phases += 1;
            let root = self.measured.root_name();
            let event = Event::boot(phase.name(), format_args!("measured; registers: {root}"));
            self.audit.append(now, event);
        }
        if !self.measured.is_settled() {
            return;
        }
        let is_software = matches!(self.measured.root(), Root::Software(_));
        let is_news = !self.told.is_settled || (is_software && !self.told.is_lost);
        if is_news {
            self.told.is_settled = true;
            self.told.is_lost = is_software;
            let is_attested = self.measured.is_attested();
            let reason = match self.measured.root() {
                Root::Software(reason) => reason.as_str(),
                Root::Sought | Root::Tpm => "",
            };
            let state = self.measured.state_name();
            let event = Event::tpm(state, is_attested, format_args!("{reason}"));
            self.audit.append(now, event);
        }
    }

    /// The trail's head goes into a register when that is due.
    fn anchor(&mut self, now: Instant) {
        if let Some((anchor, sequence)) = self.anchoring
            && self.measured.logged() >= sequence
        {
            self.anchoring = None;
            let place = match self.measured.root() {
                Root::Tpm => AnchoredIn::Tpm,
                Root::Sought | Root::Software(_) => AnchoredIn::Software,
            };
            self.audit.on_anchored(now, anchor, Ok(place));
        }
        if !self.measured.is_settled() {
            return;
        }
        // One that comes while another is on its way means that nobody waits for that any more.
        let Some(anchor) = self.audit.anchor_due(now) else {
            return;
        };
        let measurement = Measurement::audit(&anchor.head, anchor.entries);
        match self.measured.measure(now, measurement) {
            Ok(sequence) => self.anchoring = Some((anchor, sequence)),
            Err(error) => {
                let error = match error {
                    MeasureError::LogFull => AnchorError::LogFull,
                    MeasureError::TooMany => AnchorError::Refused,
                };
                self.audit.on_anchored(now, anchor, Err(error));
            }
        }
    }
}
