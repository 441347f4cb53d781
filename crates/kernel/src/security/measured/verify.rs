//! Replays the log and names the first event that does not fit.

use super::bank::Bank;
use super::format::{self, LogError};
use super::log::EventLog;
use crate::base::digest::{Digest, sha256};
use crate::base::hash::Algorithm;
use crate::limits::PCRS_SHOWN;

/// What is wrong with a log or with the registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misfit {
    /// The log cannot be read from this event on.
    Damaged { event: usize, error: LogError },
    /// The event's data is not what was hashed into its digest.
    ForgedData { event: usize, pcr: u32 },
    /// The event is not the one that was extended.
    ChangedEvent { event: usize, pcr: u32 },
    /// The log has lost events at its end, or has more than were extended.
    WrongLength { logged: usize, read: usize },
    /// The log fits itself, but the register was extended by something that is not in it,
    /// after this event (`None`: no event of the log is about it).
    ForeignExtend { pcr: u32, after: Option<usize> },
}

impl Misfit {
    /// The first event that does not fit, where it is one.
    pub const fn event(&self) -> Option<usize> {
        match self {
            Self::Damaged { event, .. }
            | Self::ForgedData { event, .. }
            | Self::ChangedEvent { event, .. } => Some(*event),
            Self::WrongLength { .. } => None,
            Self::ForeignExtend { after, .. } => *after,
        }
    }

    pub const fn pcr(&self) -> Option<u32> {
        match self {
            Self::ForgedData { pcr, .. }
            | Self::ChangedEvent { pcr, .. }
            | Self::ForeignExtend { pcr, .. } => Some(*pcr),
            Self::Damaged { .. } | Self::WrongLength { .. } => None,
        }
    }

    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Damaged { error, .. } => error.reason(),
            Self::ForgedData { .. } => "its data is not what its digest was made of",
            Self::ChangedEvent { .. } => "it is not the event that was extended",
            Self::WrongLength { .. } => "the log has lost events, or has more than were extended",
            Self::ForeignExtend { .. } => {
                "the register was extended behind this event by something that is not logged"
            }
        }
    }
}

/// Compares the log with the registers as they are.
pub fn verify(log: &EventLog, live: &[Digest; PCRS_SHOWN]) -> Result<(), Misfit> {
    let damaged = |event, error| Misfit::Damaged { event, error };
    let events = format::read(log.bytes()).map_err(|error| damaged(0, error))?;
    let banks = events.banks().clone();
    let mut bank = Bank::new();
    let mut last = [None; PCRS_SHOWN];
    let mut read = 0;
    for (index, event) in events.enumerate() {
        let event = event.map_err(|error| damaged(index, error))?;
        let pcr = event.pcr;
        if let Some(digest) = event.digest(&banks, Algorithm::Sha256)
            // Of a firmware's events this does not hold: its data is often only a name.
            && index >= log.firmware_events()
            && digest != Algorithm::Sha256.hash(&[event.data]).as_bytes()
        {
            return Err(Misfit::ForgedData { event: index, pcr });
        }
        let kept = log.kept().get(index);
        if kept.is_some_and(|kept| *kept != sha256(&[event.raw])) {
            return Err(Misfit::ChangedEvent { event: index, pcr });
        }
        if bank.replay(&event, &banks)
            && let Some(last) = last.get_mut(pcr as usize)
        {
            *last = Some(index);
        }
        read = index + 1;
    }
    if read != log.len() {
        let logged = log.len();
        return Err(Misfit::WrongLength { logged, read });
    }
    for (pcr, live) in live.iter().enumerate() {
        if bank.get(pcr) != Some(live) {
            let after = last[pcr];
            let pcr = pcr as u32;
            return Err(Misfit::ForeignExtend { pcr, after });
        }
    }
    Ok(())
}
