//! How one command is carried, whichever registers carry it.

use super::exchange::{Exchange, Flow, STEPS_A_POLL};
use super::timing::TIMEOUT_A;
use crate::base::time::Instant;
use crate::base::tpm::{TpmFacts, TpmFault, TpmPort};

/// A kind of registers: what is asked of them in each phase.
pub trait Transport {
    fn exchange(&self) -> &Exchange;
    fn exchange_mut(&mut self) -> &mut Exchange;
    fn is_idle(&self) -> bool;
    /// The first phase: the locality is to be claimed for a command.
    fn claim_first(&mut self);
    fn step(&mut self, now: Instant) -> Result<Flow, TpmFault>;
    /// Leaves the device idle and the locality to others.
    fn release(&mut self, result: &Result<(), TpmFault>);
}

impl<T: Transport> TpmPort for T {
    fn facts(&self) -> TpmFacts {
        self.exchange().facts
    }

    fn send(&mut self, now: Instant, command: &[u8]) -> Result<(), TpmFault> {
        if !self.is_idle() {
            return Err(TpmFault::Busy);
        }
        self.exchange_mut().take_command(command)?;
        self.exchange_mut().begin(now, TIMEOUT_A);
        self.claim_first();
        Ok(())
    }

    fn poll(&mut self, now: Instant, answer: &mut [u8]) -> Option<Result<usize, TpmFault>> {
        if self.is_idle() || !self.exchange().is_due(now) {
            return None;
        }
        for _ in 0..STEPS_A_POLL {
            let result = match self.step(now) {
                Ok(Flow::On) => continue,
                Ok(Flow::Wait) => return None,
                Ok(Flow::End) => Ok(()),
                Err(fault) => Err(fault),
            };
            self.release(&result);
            return Some(self.exchange_mut().end(result, answer));
        }
        None
    }

    fn next_deadline(&self, _: Instant) -> Option<Instant> {
        (!self.is_idle()).then(|| self.exchange().next_look())
    }
}
