//! The security floor's turn in a tick, on this kernel's machine.

use super::{Kernel, Machine};
use crate::api::Denied;
use crate::base::digest::Digest;
use crate::base::log::Level;
use crate::base::subject::Subject;
use crate::base::token::Secret;
use crate::security::Setup;
use crate::security::audit::Event;
use crate::security::audit::compliance::SecretFacts;

/// What the machine was booted from and what of it is secret.
pub fn setup<M: Machine>(machine: &mut M) -> Setup {
    let mut seed: Digest = Default::default();
    // A machine without entropy has nonces that can be guessed, and no others.
    machine.entropy(&mut seed);
    let config = &machine.boot().config;
    let secrets = [config.token.as_ref(), config.tpm_owner.as_ref()];
    let lengths = secrets.into_iter().flatten().map(Secret::byte_count);
    Setup {
        secrets: SecretFacts {
            shortest_bytes: lengths.min(),
            // Without a token, nobody can change anything by HTTP.
            is_open_without: false,
        },
        path: machine.boot().path,
        inputs: machine.boot_inputs().clone(),
        seed,
    }
}

impl<M: Machine> Kernel<M> {
    /// Rights that are over end, before anything is asked in this tick.
    pub(super) fn expire_rights(&mut self) {
        let now = self.machine.now();
        self.handlers.grants_mut().on_time(now);
        self.security.enforce(&mut self.handlers);
    }

    /// Who was not let in has an entry.
    fn record_strangers(&mut self) {
        let now = self.machine.now();
        while let Some((peer, denied)) = self.web.take_denial() {
            let from = format_args!("{peer}");
            let event = match denied {
                Denied::Wrong => Event::wrong_token(Subject::Visitor, from),
                Denied::ShutOut(_) => Event::shut_out(from),
                Denied::NoToken | Denied::Missing => Event::no_token(Subject::Visitor, from),
            };
            self.security.audit.append(now, event);
        }
    }

    /// Measures, records and looks after what it has recorded.
    pub(super) fn guard(&mut self) {
        self.record_strangers();
        let now = self.machine.now();
        let tpm = self.machine.tpm();
        self.security.step(now, tpm, &self.handlers);
        let machine = &self.machine;
        let grants = self.handlers.grants();
        self.security.bench.step(&mut || machine.now(), grants);
        let measured = &mut self.security.measured;
        if let Some(reason) = measured.take_news() {
            let log = self.machine.log();
            log.write(now, Level::Error, "tpm", format_args!("{reason}"));
        }
        if let Some(fresh) = measured.take_fresh() {
            self.machine.add_entropy(&fresh);
        }
    }
}
