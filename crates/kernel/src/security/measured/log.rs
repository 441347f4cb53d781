//! The measurement log: what was extended into which register, in order.
//!
//! Limits: `EVENT_LOG_EVENTS_MAX` events, `EVENT_LOG_BYTES_MAX` bytes.
//! Invariants: an event is in it whole or not at all; of each a digest is kept apart, so
//! that a later change of the log's bytes is found at the event that it changed.

use super::bank::Bank;
use super::format::{self, Banks, Events, LogError};
use crate::base::digest::{Digest, sha256};
use crate::base::fixed::Full;
use crate::base::hash::Algorithm;
use crate::base::metric::Usage;
use crate::limits::{EVENT_LOG_BYTES_MAX, EVENT_LOG_EVENTS_MAX};
use alloc::vec::Vec;

pub struct EventLog {
    bytes: Vec<u8>,
    banks: Banks,
    /// Of each event's bytes.
    kept: Vec<Digest>,
    firmware_events: usize,
    /// Replayed: what the registers have to be.
    expected: Bank,
    refused: u64,
}

/// Why the log of a firmware is not gone on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdoptError {
    Damaged(LogError),
    TooLong,
    /// It has a bank of an algorithm that this kernel cannot compute.
    UnknownBank,
    /// The registers are kept and compared in that bank.
    NoSha256,
}

impl AdoptError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Damaged(error) => error.reason(),
            Self::TooLong => "it is longer than EVENT_LOG_EVENTS_MAX and EVENT_LOG_BYTES_MAX allow",
            Self::UnknownBank => "it has a bank of an unknown algorithm",
            Self::NoSha256 => "it has no bank of SHA-256",
        }
    }
}

impl EventLog {
    /// Takes all the memory that it will ever use; a log of the SHA-256 bank alone.
    pub fn new() -> Self {
        let mut log = Self {
            bytes: Vec::with_capacity(EVENT_LOG_BYTES_MAX),
            banks: Banks::default(),
            kept: Vec::with_capacity(EVENT_LOG_EVENTS_MAX),
            firmware_events: 0,
            expected: Bank::new(),
            refused: 0,
        };
        log.begin(&[Algorithm::Sha256]);
        log
    }

    /// Empties it for these banks.
    pub fn begin(&mut self, banks: &[Algorithm]) {
        self.bytes.clear();
        self.kept.clear();
        self.firmware_events = 0;
        self.expected = Bank::new();
        self.banks = Banks::of(banks);
        let bytes = &mut self.bytes;
        format::emit_beginning(banks, &mut |part| bytes.extend_from_slice(part));
    }

    /// Goes on with what a firmware has logged; an error leaves the log as it was.
    pub fn adopt(&mut self, firmware: &[u8]) -> Result<usize, AdoptError> {
        let events = format::read(firmware).map_err(AdoptError::Damaged)?;
        let banks = events.banks().clone();
        if !banks.are_all_known() {
            return Err(AdoptError::UnknownBank);
        }
        if banks.known().all(|bank| bank != Algorithm::Sha256) {
            return Err(AdoptError::NoSha256);
        }
        let mut count = 0;
        for event in events {
            event.map_err(AdoptError::Damaged)?;
            count += 1;
        }
        if count > EVENT_LOG_EVENTS_MAX || firmware.len() > EVENT_LOG_BYTES_MAX {
            return Err(AdoptError::TooLong);
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(firmware);
        self.banks = banks;
        self.kept.clear();
        self.expected = Bank::new();
        for event in Events::flatten(format::read(firmware).map_err(AdoptError::Damaged)?) {
            self.expected.replay(&event, &self.banks);
            self.kept.push(sha256(&[event.raw]));
        }
        self.firmware_events = count;
        Ok(count)
    }

    /// Is there room for one more event with so much data, behind `waiting` others of that size?
    pub fn has_room(&self, data_bytes: usize, waiting: usize) -> bool {
        let digests: usize = self.banks.known().map(|bank| 2 + bank.digest_bytes()).sum();
        let event_bytes = 16 + digests + data_bytes;
        self.kept.len() + waiting < EVENT_LOG_EVENTS_MAX
            && self.bytes.len() + event_bytes * (waiting + 1) <= EVENT_LOG_BYTES_MAX
    }

    /// Notes that an event was not extended because it could not have been logged.
    pub fn on_refused(&mut self) {
        self.refused += 1;
    }

    /// Adds an event whose digest is that of its data.
    pub fn push(&mut self, pcr: u8, kind: u32, data: &[u8]) -> Result<(), Full> {
        if !self.has_room(data.len(), 0) {
            self.refused += 1;
            return Err(Full);
        }
        let begin = self.bytes.len();
        let bytes = &mut self.bytes;
        format::emit(pcr, kind, data, &self.banks, &mut |part| {
            bytes.extend_from_slice(part)
        });
        let digest = Algorithm::Sha256.hash(&[data]);
        self.expected.extend(usize::from(pcr), digest.as_bytes());
        self.kept.push(sha256(&[&self.bytes[begin..]]));
        Ok(())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[cfg(test)]
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub const fn banks(&self) -> &Banks {
        &self.banks
    }

    /// What the registers have to be.
    pub const fn expected(&self) -> &Bank {
        &self.expected
    }

    /// What the bytes of each event were hashed to when it was logged.
    pub fn kept(&self) -> &[Digest] {
        &self.kept
    }

    /// Its events, in order.
    pub fn events(&self) -> impl Iterator<Item = format::Event<'_>> {
        format::read(&self.bytes).into_iter().flatten().flatten()
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub const fn firmware_events(&self) -> usize {
        self.firmware_events
    }

    /// Events that were not extended because there was no room to log them.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("EVENT_LOG_EVENTS_MAX", EVENT_LOG_EVENTS_MAX)
                .used(self.kept.len() as u64)
                .refused(self.refused),
        );
        visit(&Usage::of("EVENT_LOG_BYTES_MAX", EVENT_LOG_BYTES_MAX).used(self.bytes.len() as u64));
    }
}

impl Default for EventLog {
    fn default() -> Self {
        Self::new()
    }
}
