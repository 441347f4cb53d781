//! The firmware's log of what it measured, as far as it has whole events.
//!
//! It is the crypto-agile format (TCG PC Client Platform Firmware Profile 1.06, 10.2).
//! Limits: `EVENT_LOG_BYTES_MAX`. What is left out is said with its reason.

use super::hand_over::FinalEvents;
use crate::base::fixed::Vec;
use crate::limits::EVENT_LOG_BYTES_MAX;
use alloc::boxed::Box;

/// PCR, type, the digest of SHA-1, how much data: the first event has the form of older logs.
const FIRST_BYTES: usize = 32;
const FIRST_TYPE: u32 = 3;
const SIGNATURE: &[u8; 16] = b"Spec ID Event03\0";
/// Hash algorithms of one log; a TPM has up to five banks.
const ALGORITHMS_MAX: usize = 8;
/// What the firmware of virtual machines has for the events that come last.
const FINAL_EVENTS_BYTES: usize = 32 * 1024;
const FINAL_EVENTS_HEADER_BYTES: usize = 16;

/// Gives bytes of physical memory, where they are memory.
pub type Reader<'f, 'a> = &'f dyn Fn(u64, usize) -> Option<&'a [u8]>;

/// Whole events, and why they may not be all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FirmwareLog {
    pub bytes: Box<[u8]>,
    pub doubt: Option<&'static str>,
}

const DAMAGED: &str = "it is damaged; the events behind the damage are left out";
const TOO_LONG: &str = "it is longer than EVENT_LOG_BYTES_MAX; its end is left out";
const NO_FINAL_EVENTS: &str = "the firmware's table of its last events cannot be read";

/// For an area that cannot be read.
pub fn unreachable() -> FirmwareLog {
    FirmwareLog {
        doubt: Some("it does not lie in memory that is mapped"),
        ..FirmwareLog::default()
    }
}

/// The events at the beginning of an area, whose rest is zeros.
pub fn of_area(area: &[u8]) -> FirmwareLog {
    match Format::read(area) {
        None => FirmwareLog::default(),
        Some(format) => {
            let (length, doubt) = format.walk(area, format.first_bytes, u64::MAX);
            FirmwareLog {
                bytes: area[..length].into(),
                doubt,
            }
        }
    }
}

/// The events of a log, and behind them those of the table of final events, which `read` finds.
pub fn with_final_events<'a>(
    log: &[u8],
    final_events: Option<FinalEvents>,
    read: Reader<'_, 'a>,
) -> FirmwareLog {
    let known = of_area(log);
    let (Some(format), Some(place)) = (Format::read(log), final_events) else {
        return known;
    };
    let (last, doubt) = format.final_events(place, read);
    let room = EVENT_LOG_BYTES_MAX - known.bytes.len();
    let (length, too_long) = match last.len() <= room {
        true => (last.len(), None),
        // Nothing of it: half of the last events proves no more than none.
        false => (0, Some(TOO_LONG)),
    };
    FirmwareLog {
        bytes: [&known.bytes, &last[..length]].concat().into(),
        doubt: known.doubt.or(too_long).or(doubt),
    }
}

/// What the first event says of all others.
struct Format {
    first_bytes: usize,
    /// The bytes of each algorithm's digest.
    digests: Vec<(u16, u16), ALGORITHMS_MAX>,
}

impl Format {
    fn read(log: &[u8]) -> Option<Self> {
        let has_type = u32_at(log, 0)? == 0 && u32_at(log, 4)? == FIRST_TYPE;
        let first_bytes = FIRST_BYTES.checked_add(u32_at(log, FIRST_BYTES - 4)? as usize)?;
        if !has_type || first_bytes > EVENT_LOG_BYTES_MAX {
            return None;
        }
        let data = log.get(FIRST_BYTES..first_bytes)?;
        let data = data.strip_prefix(SIGNATURE)?;
        // Class, version, size of an integer; then the algorithms.
        let count = u32_at(data, 8)? as usize;
        let mut digests = Vec::new();
        for index in 0..count.min(ALGORITHMS_MAX + 1) {
            let at = 12 + index * 4;
            digests
                .push((u16_at(data, at)?, u16_at(data, at + 2)?))
                .ok()?;
        }
        (count > 0).then_some(Self {
            first_bytes,
            digests,
        })
    }

    /// Where the events end that begin at `start`, and why before the area does.
    fn walk(&self, area: &[u8], start: usize, count: u64) -> (usize, Option<&'static str>) {
        let mut at = start;
        for _ in 0..count {
            let rest = area.get(at..).unwrap_or_default();
            if rest
                .first_chunk()
                .is_none_or(|header: &[u8; 12]| header == &[0; 12])
            {
                break;
            }
            let Some(bytes) = self.event_bytes(rest) else {
                return (at, Some(DAMAGED));
            };
            if at + bytes > EVENT_LOG_BYTES_MAX {
                return (at, Some(TOO_LONG));
            }
            at += bytes;
        }
        (at, None)
    }

    /// The bytes of the event (TCG_PCR_EVENT2) that `rest` begins with, if it is all there.
    fn event_bytes(&self, rest: &[u8]) -> Option<usize> {
        let count = u32_at(rest, 8)? as usize;
        if count == 0 || count > ALGORITHMS_MAX {
            return None;
        }
        let mut at = 12;
        for _ in 0..count {
            let algorithm = u16_at(rest, at)?;
            let digest = self.digests.iter().find(|known| known.0 == algorithm)?;
            at += 2 + usize::from(digest.1);
        }
        let bytes = at.checked_add(4)?.checked_add(u32_at(rest, at)? as usize)?;
        (bytes <= rest.len()).then_some(bytes)
    }

    /// The events of the table that the log does not have.
    fn final_events<'a>(
        &self,
        place: FinalEvents,
        read: Reader<'_, 'a>,
    ) -> (&'a [u8], Option<&'static str>) {
        let count = read(place.address, FINAL_EVENTS_HEADER_BYTES)
            .and_then(|header| Some(u64::from_le_bytes(*header.last_chunk()?)));
        let table = read(place.address, FINAL_EVENTS_BYTES);
        let (Some(count), Some(table)) = (count, table) else {
            return (&[], Some(NO_FINAL_EVENTS));
        };
        let (start, doubt) = self.walk(table, FINAL_EVENTS_HEADER_BYTES, place.known.min(count));
        if doubt.is_some() {
            return (&[], Some(NO_FINAL_EVENTS));
        }
        let (end, doubt) = self.walk(table, start, count.saturating_sub(place.known));
        (&table[start..end], doubt)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
