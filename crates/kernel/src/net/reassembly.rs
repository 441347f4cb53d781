//! Datagrams that come in pieces (RFC 791, RFC 8200 4.5, RFC 5722).
//!
//! Limits: `REASSEMBLIES_MAX`, the oldest makes room; `DATAGRAM_BYTES_MAX`;
//! `REASSEMBLY_PIECES_MAX`. Pieces that overlap spoil their datagram: nothing of it
//! is ever delivered, and its memory is free at once.

use super::carrier::{Carrier, OwnFrames};
use super::ip::{Fragment, IpHeader, NewHeader};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::{DATAGRAM_BYTES_MAX, REASSEMBLIES_MAX, REASSEMBLY_PIECES_MAX};
use core::net::IpAddr;
use core::ops::Range;

/// RFC 791 suggests 15 to 30 s, RFC 8200 demands 60 s; the memory is worth more.
const WAIT_FOR: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    interface: usize,
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

#[derive(Debug)]
struct Datagram {
    key: Key,
    until: Instant,
    header_bytes: usize,
    protocol: u8,
    hop_limit: u8,
    congestion: u8,
    /// Bytes of the whole payload, once the last piece is here.
    total: Option<usize>,
    /// What is here, in order, neighbours joined.
    pieces: Vec<Range<usize>, REASSEMBLY_PIECES_MAX>,
    /// `None` when the datagram is spoilt.
    carrier: Option<Carrier>,
}

/// What became of a piece.
#[derive(Debug)]
pub enum Taken {
    Waits,
    /// The whole packet; its header says so.
    Whole(Carrier),
    /// It spoils its datagram, whose memory is handed back.
    Spoilt(Option<Carrier>),
    NoMemory,
}

/// A datagram that was given up.
#[derive(Debug)]
pub struct GivenUp {
    pub interface: usize,
    pub carrier: Option<Carrier>,
    /// Is its beginning here, so that the sender can be told (RFC 8200 4.5)?
    pub quoted_bytes: usize,
}

#[derive(Debug, Default)]
pub struct Reassembly {
    datagrams: Vec<Datagram, REASSEMBLIES_MAX>,
    high_water: usize,
    refused: u64,
}

impl Reassembly {
    /// Takes one piece. When there is no room, `make_room` must have been called before.
    pub fn on_piece(
        &mut self,
        now: Instant,
        interface: usize,
        header: &IpHeader,
        fragment: Fragment,
        payload: &[u8],
        memory: &mut OwnFrames,
    ) -> Taken {
        let key = Key {
            interface,
            source: header.source,
            destination: header.destination,
            // RFC 8200 leaves the protocol out, and the first piece's counts.
            protocol: if header.is_ipv6() { 0 } else { header.protocol },
            identification: fragment.identification,
        };
        let known = self
            .datagrams
            .iter()
            .position(|datagram| datagram.key == key);
        let index = match known {
            Some(index) => index,
            None => match self.begin(now, key, header, memory) {
                Some(index) => index,
                None => return Taken::NoMemory,
            },
        };
        let datagram = &mut self.datagrams[index];
        match datagram.put(header, fragment, payload) {
            Err(Spoilt) => {
                datagram.pieces.clear();
                Taken::Spoilt(datagram.carrier.take())
            }
            Ok(false) => Taken::Waits,
            Ok(true) => {
                let whole = self.datagrams.remove(index).and_then(Datagram::finish);
                whole.map_or(Taken::Waits, Taken::Whole)
            }
        }
    }

    fn begin(
        &mut self,
        now: Instant,
        key: Key,
        header: &IpHeader,
        memory: &mut OwnFrames,
    ) -> Option<usize> {
        if self.datagrams.is_full() {
            self.refused += 1;
            return None;
        }
        let carrier = memory.take(DATAGRAM_BYTES_MAX)?;
        let begun = self.datagrams.push(Datagram {
            key,
            until: now + WAIT_FOR,
            header_bytes: if header.is_ipv6() { 40 } else { 20 },
            protocol: header.protocol,
            hop_limit: header.hop_limit,
            congestion: header.congestion,
            total: None,
            pieces: Vec::new(),
            carrier: Some(carrier),
        });
        crate::invariant!(begun.is_ok(), "no room for a datagram though there was");
        self.high_water = self.high_water.max(self.datagrams.len());
        Some(self.datagrams.len() - 1)
    }

    /// Gives up the oldest datagram when all places or all memory are in use.
    pub fn make_room(&mut self, memory: &OwnFrames) -> Option<GivenUp> {
        let is_needed = self.datagrams.is_full() || memory.is_exhausted();
        // They lie in the order of their beginning.
        is_needed.then(|| self.datagrams.remove(0))??.give_up()
    }

    /// Gives up a datagram whose time is over; asked until there is none.
    pub fn overdue(&mut self, now: Instant) -> Option<GivenUp> {
        let mut datagrams = self.datagrams.iter();
        let index = datagrams.position(|datagram| datagram.until <= now)?;
        self.datagrams.remove(index)?.give_up()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.datagrams.iter().map(|datagram| datagram.until).min()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("REASSEMBLIES_MAX", REASSEMBLIES_MAX)
            .used(self.datagrams.len() as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}

/// The pieces of a datagram contradict each other.
struct Spoilt;

impl Datagram {
    /// Says whether that was the last piece that was missing.
    fn put(
        &mut self,
        header: &IpHeader,
        fragment: Fragment,
        payload: &[u8],
    ) -> Result<bool, Spoilt> {
        let Some(carrier) = &mut self.carrier else {
            return Ok(false);
        };
        let range = fragment.offset..fragment.offset + payload.len();
        let is_cut_wrong = fragment.has_more && !payload.len().is_multiple_of(8);
        let place = carrier.bytes_mut().get_mut(self.header_bytes..);
        let Some(place) = place.and_then(|place| place.get_mut(range.clone())) else {
            return Err(Spoilt);
        };
        if payload.is_empty() || is_cut_wrong || self.total.is_some_and(|total| range.end > total) {
            return Err(Spoilt);
        }
        let mut pieces = self.pieces.iter();
        if let Some(known) = pieces.find(|known| known.start < range.end && range.start < known.end)
        {
            // A copy made on the way is harmless; anything else is an attack.
            let is_copy = known.start <= range.start && range.end <= known.end && place == payload;
            return if is_copy { Ok(false) } else { Err(Spoilt) };
        }
        if !fragment.has_more {
            let reached = self.pieces.last().map_or(0, |last| last.end);
            if self.total.is_some() || reached > range.end {
                return Err(Spoilt);
            }
            self.total = Some(range.end);
        }
        if fragment.offset == 0 {
            self.protocol = header.protocol;
            self.hop_limit = header.hop_limit;
        }
        self.congestion |= header.congestion;
        place.copy_from_slice(payload);
        self.note(range)?;
        let whole = 0..self.total.unwrap_or(usize::MAX);
        Ok(*self.pieces == [whole])
    }

    /// Joins a piece with its neighbours.
    fn note(&mut self, range: Range<usize>) -> Result<(), Spoilt> {
        let index = self
            .pieces
            .partition_point(|known| known.end <= range.start);
        let touches_next = self
            .pieces
            .get(index)
            .is_some_and(|next| next.start == range.end);
        let before = index.checked_sub(1);
        let before = before.filter(|before| self.pieces[*before].end == range.start);
        match (before, touches_next) {
            (Some(before), true) => {
                self.pieces[before].end = self.pieces[index].end;
                self.pieces.remove(index);
            }
            (Some(before), false) => self.pieces[before].end = range.end,
            (None, true) => self.pieces[index].start = range.start,
            (None, false) => {
                return self.pieces.insert(index, range).map_err(|_| Spoilt);
            }
        }
        Ok(())
    }

    /// The packet as if it had come in one piece.
    fn finish(self) -> Option<Carrier> {
        let total = self.total?;
        self.write_header(total)
    }

    fn write_header(self, payload_bytes: usize) -> Option<Carrier> {
        let mut carrier = self.carrier?;
        carrier.truncate(self.header_bytes + payload_bytes);
        let header = NewHeader {
            source: self.key.source,
            destination: self.key.destination,
            protocol: self.protocol,
            hop_limit: self.hop_limit,
            congestion: self.congestion,
            payload_bytes,
            may_fragment: true,
            fragment: None,
        };
        header.emit(carrier.bytes_mut());
        Some(carrier)
    }

    fn give_up(self) -> Option<GivenUp> {
        let begin = self.pieces.first().filter(|piece| piece.start == 0);
        let begin = begin.map_or(0, |piece| piece.end);
        let (interface, header_bytes) = (self.key.interface, self.header_bytes);
        let carrier = self.write_header(begin);
        Some(GivenUp {
            interface,
            carrier,
            quoted_bytes: if begin > 0 { header_bytes + begin } else { 0 },
        })
    }
}
