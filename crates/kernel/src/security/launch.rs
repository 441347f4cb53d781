//! A workload is about to run: the policy is asked, and it is measured first.

use super::Security;
use super::audit::{Event, Kind, Level, Outcome, Verb as Did};
use super::measured::Measurement;
use super::policy::{Object, Verb};
use crate::base::subject::Subject;
use crate::base::time::Instant;
use core::fmt;

const DENIED: &str = "the security policy does not let that tenant execute file:load; security check TENANT execute file:load --why says more";

impl Security {
    /// May the subject run the program? Then it is measured and runs in the context that
    /// the program leads to. What cannot be measured does not run.
    pub fn launch(
        &mut self,
        now: Instant,
        subject: Subject,
        program: &Object<'_>,
        what: fmt::Arguments<'_>,
    ) -> Result<(), &'static str> {
        let event = Event::new(Kind::Security, Did::Run, program.name)
            .by(subject)
            .text(what);
        let decision = self.policy.check(subject, Verb::Execute, program);
        self.policy.count(&decision);
        if !decision.is_allowed() {
            self.gate.denied += 1;
            let denied = event.level(Level::Warning).outcome(Outcome::Denied);
            self.audit.append(now, denied);
            return Err(DENIED);
        }
        let measured = self
            .measured
            .measure(now, Measurement::launch(subject, what));
        if let Err(error) = measured {
            let failed = event.level(Level::Error).outcome(Outcome::Failed);
            self.audit
                .append(now, failed.text(format_args!("{}", error.reason())));
            return Err(error.reason());
        }
        self.policy.execute(subject, program);
        self.audit.append(now, event.outcome(Outcome::Allowed));
        Ok(())
    }
}
