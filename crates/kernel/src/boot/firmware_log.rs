//! The firmware's log of what it measured, as far as it has whole events.
//!
//! Limits: `EVENT_LOG_BYTES_MAX`. What is left out is said with its reason.

use super::hand_over::FinalEvents;
use crate::limits::EVENT_LOG_BYTES_MAX;
use crate::security::measured::format::{self, Events};
use alloc::boxed::Box;

/// What the firmware of virtual machines has for the events that come last.
const FINAL_EVENTS_BYTES: usize = 32 * 1024;
/// A version, and how many events there are.
const FINAL_EVENTS_HEADER_BYTES: usize = 16;
/// Register, type and number of digests.
const EVENT_HEADER_BYTES: usize = 12;
/// What stands in their place behind the last event: a firmware fills its area with one of these.
const FILLINGS: [u8; 2] = [0, 0xff];

/// Gives bytes of physical memory, at most so many: as far as they are the firmware's.
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
        doubt: Some("it does not lie in memory that the firmware keeps"),
        ..FirmwareLog::default()
    }
}

/// The events at the beginning of an area, whose rest is filled.
pub fn of_area(area: &[u8]) -> FirmwareLog {
    let Ok(mut events) = format::read(area) else {
        return FirmwareLog::default();
    };
    let beginning = area.len() - events.rest().len();
    let Some(room) = EVENT_LOG_BYTES_MAX.checked_sub(beginning) else {
        return FirmwareLog::default();
    };
    let (length, doubt) = pass(&mut events, u64::MAX, room);
    FirmwareLog {
        bytes: area[..beginning + length].into(),
        doubt,
    }
}

/// The events of a log, and behind them those of the table of final events, which `read` finds.
pub fn with_final_events<'a>(
    log: &[u8],
    place: Option<FinalEvents>,
    read: Reader<'_, 'a>,
) -> FirmwareLog {
    let known = of_area(log);
    let (Ok(events), Some(place)) = (format::read(log), place) else {
        return known;
    };
    let (last, doubt) = final_events(&events, place, read);
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

/// Passes over at most `count` whole events: the bytes of those that fit `room`, and why they
/// end before the area does.
fn pass(events: &mut Events<'_>, count: u64, room: usize) -> (usize, Option<&'static str>) {
    let mut length = 0;
    for _ in 0..count {
        let rest = events.rest();
        let header = &rest[..rest.len().min(EVENT_HEADER_BYTES)];
        let is_filling = |filling: &u8| header.iter().all(|byte| byte == filling);
        if FILLINGS.iter().any(is_filling) {
            break;
        }
        match events.next() {
            None => break,
            Some(Err(_)) => return (length, Some(DAMAGED)),
            Some(Ok(event)) if length + event.raw.len() > room => return (length, Some(TOO_LONG)),
            Some(Ok(event)) => length += event.raw.len(),
        }
    }
    (length, None)
}

/// The events of the table that the log, whose banks they have, does not have.
fn final_events<'a>(
    log: &Events<'_>,
    place: FinalEvents,
    read: Reader<'_, 'a>,
) -> (&'a [u8], Option<&'static str>) {
    let table = read(place.address, FINAL_EVENTS_BYTES);
    let parts = table.and_then(|table| table.split_at_checked(FINAL_EVENTS_HEADER_BYTES));
    let Some((header, area)) = parts else {
        return (&[], Some(NO_FINAL_EVENTS));
    };
    let count = header
        .last_chunk()
        .map_or(0, |count| u64::from_le_bytes(*count));
    let mut events = Events::of(log.banks().clone(), area);
    let (start, doubt) = pass(&mut events, place.known.min(count), area.len());
    if doubt.is_some() {
        return (&[], Some(NO_FINAL_EVENTS));
    }
    let new = count.saturating_sub(place.known);
    let (length, doubt) = pass(&mut events, new, area.len());
    (&area[start..start + length], doubt)
}

#[cfg(test)]
mod tests;
