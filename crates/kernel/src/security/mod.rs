//! L3: who may do what, what was done, and what this machine was booted from.

pub mod audit;
pub mod bench;
mod facts;
pub mod gate;
mod launch;
pub mod measured;
pub mod policy;
mod turn;

use crate::base::boot_inputs::BootInputs;
use crate::base::digest::Digest;
use alloc::boxed::Box;
use audit::compliance::{Compliance, SecretFacts};
use audit::{Anchor, AuditTrail};
use bench::Bench;
use gate::GateCounts;
use measured::MeasuredBoot;
use measured::boot::Sequence;
use policy::Policy;

/// All of it that one machine has.
pub struct Security {
    pub policy: Policy,
    pub audit: Box<AuditTrail>,
    pub compliance: Compliance,
    pub measured: Box<MeasuredBoot>,
    pub bench: Bench,
    gate: GateCounts,
    /// The state of the policy that device operations are checked against.
    enforced: Option<u64>,
    /// On its way into a register, as the measurement of that number.
    anchoring: Option<(Anchor, Sequence)>,
    /// Who kept the registers and what was measured when it was looked last.
    told: turn::Told,
    secrets: SecretFacts,
}

/// What a machine brings along for it.
pub struct Setup {
    pub inputs: BootInputs,
    /// How it was booted.
    pub path: &'static str,
    /// Something that nobody can guess.
    pub seed: Digest,
    pub secrets: SecretFacts,
}

impl Security {
    /// Takes all the memory that it will ever use. Large parts are in boxes of their own and
    /// made apart, or they would lie on the stack of the loop beside one another.
    #[inline(never)]
    pub fn new(setup: Setup) -> Box<Self> {
        let (seed, genesis) = (
            purposed(&setup.seed, b"tpm"),
            purposed(&setup.seed, b"audit"),
        );
        let mut audit = Box::<AuditTrail>::default();
        audit.begin(&genesis);
        Box::new(Self {
            policy: Policy::shipped(),
            audit,
            compliance: Compliance::new(),
            measured: MeasuredBoot::new(setup.inputs, setup.path, seed),
            bench: Bench::default(),
            gate: GateCounts::default(),
            enforced: None,
            anchoring: None,
            told: turn::Told::default(),
            secrets: setup.secrets,
        })
    }

    pub const fn gate_counts(&self) -> GateCounts {
        self.gate
    }
}

/// A number of its own for each purpose, so that one tells nothing about the other.
fn purposed(seed: &Digest, purpose: &[u8]) -> Digest {
    crate::base::digest::sha256(&[seed, purpose])
}
