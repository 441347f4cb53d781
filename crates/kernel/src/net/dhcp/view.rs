//! What can be seen of a client.

use super::Identity;
use super::counters::Flaws;
use super::history::History;
use super::lease::Lease;
use super::repr::MessageType;
use crate::base::time::Instant;
use core::net::Ipv4Addr;

/// How many messages of each kind were sent, or received and found to be for us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages([u64; MessageType::ALL.len()]);

impl Messages {
    pub(super) const fn count(&mut self, kind: MessageType) {
        self.0[kind as usize - 1] += 1;
    }

    pub const fn of(&self, kind: MessageType) -> u64 {
        self.0[kind as usize - 1]
    }
}

#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub identity: &'a Identity,
    pub state: &'static str,
    /// Why the state is error.
    pub error: Option<&'static str>,
    /// The lease whose address is in use.
    pub lease: Option<&'a Lease>,
    pub link_local: Option<Ipv4Addr>,
    pub transaction: Option<u32>,
    /// When the client acts though nothing comes.
    pub next_at: Option<Instant>,
    pub messages: &'a Messages,
    pub flaws: &'a Flaws,
    /// Inputs that meant nothing in the state they came in.
    pub ignored: u64,
    pub history: &'a History,
}
