//! A walk along the chain of batches.
//!
//! Each is looked at before the one in front of it is given out, for a later epoch may
//! have cut that short.

use super::Lsn;
use super::area::Place;
use super::fetch::Fetch;
use super::header::Header;
use super::judgement::{Break, DamagedPart};
use super::requests::{Requests, Walker};
use super::rules::Rules;
use crate::base::buffer::Buffer;
use crate::base::disk::SECTOR_BYTES;
use crate::base::time::Instant;
use crate::storage::io::{IoError, Submit};

pub struct Walk {
    /// Where the next batch is expected.
    at: Place,
    held: Option<Held>,
    fetches: [Fetch; 2],
    /// The one that was filled last.
    newest: usize,
    is_past_fork: bool,
    stop: Stop,
}

/// A whole batch that was not given out yet.
struct Held {
    header: Header,
    fetch: usize,
}

/// Where the walk ends though there is more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It goes as far as there are batches.
    Never,
    /// Behind the batch that holds this record, and before the batch of this number.
    Lsn { lsn: u64, number: u64 },
}

pub enum Step {
    /// Something has to be read first.
    Read,
    /// The stop was reached; the place of the batch behind it.
    Stopped(Place),
    Broken(Break),
}

impl Walk {
    pub fn new(at: Place, stop: Stop, rules: &Rules, buffers: [Buffer; 2]) -> Self {
        let mut walk = Self {
            at,
            held: None,
            fetches: buffers.map(Fetch::new),
            newest: 0,
            is_past_fork: at.number > rules.fork.number,
            stop,
        };
        walk.fetches[0].want(&rules.area, at.position, u64::MAX);
        walk
    }

    /// Goes as far as what was read reaches. `accept` hears of each batch's place.
    pub fn advance(
        &mut self,
        rules: &Rules,
        accept: &mut dyn FnMut(Place),
        visit: &mut dyn FnMut(Lsn, &[u8]),
    ) -> Step {
        loop {
            if self.at.number == rules.fork.number
                && !self.is_past_fork
                && let Some(broken) = self.pass_fork(rules, visit)
            {
                return Step::Broken(broken);
            }
            if let Some(place) = self.stopped() {
                self.give_out(u64::MAX, visit);
                return Step::Stopped(place);
            }
            let Some(batch) = self.fetches[self.newest].bytes_at(self.at.position) else {
                self.fetch_next(rules);
                return Step::Read;
            };
            let before = self.held.as_ref().map(|held| &held.header);
            let header = Header::parse(batch);
            let header = header.filter(|header| rules.fits(header, &self.at, before));
            let Some(header) = header else {
                self.give_out(u64::MAX, visit);
                return Step::Broken(Break::at(self.at, DamagedPart::Header));
            };
            if header.sectors() as usize * SECTOR_BYTES > batch.len() {
                if self.fetches[self.newest].position() == self.at.position {
                    // It reaches beyond the end of the circle, where no batch does.
                    self.give_out(u64::MAX, visit);
                    return Step::Broken(Break::at(self.at, DamagedPart::Header));
                }
                self.fetch_next(rules);
                return Step::Read;
            }
            if let Err(bad) = header.records(batch, |_, _| {}) {
                self.give_out(u64::MAX, visit);
                return Step::Broken(Break::of_records(self.at, &header, bad));
            }
            if let Stop::Lsn { lsn, .. } = self.stop
                && header.lsn > lsn
            {
                self.give_out(header.lsn, visit);
                return Step::Stopped(self.at);
            }
            self.give_out(header.lsn, visit);
            accept(Place {
                lsn: header.lsn,
                ..self.at
            });
            self.held = Some(Held {
                header,
                fetch: self.newest,
            });
            self.at = header.after(&rules.area);
        }
    }

    fn stopped(&self) -> Option<Place> {
        match self.stop {
            Stop::Never => None,
            Stop::Lsn { number, .. } => (self.at.number >= number).then_some(self.at),
        }
    }

    /// All before the fork was safe when the epoch began, so the chain must lead to it.
    fn pass_fork(&mut self, rules: &Rules, visit: &mut dyn FnMut(Lsn, &[u8])) -> Option<Break> {
        self.is_past_fork = true;
        let fork = rules.fork;
        if let Some(held) = &self.held {
            let header = &held.header;
            let leads_on = self.at.position == fork.position && self.at.link == fork.link;
            if !leads_on || !(header.lsn..=self.at.lsn).contains(&fork.lsn) {
                let place = Place {
                    number: header.number,
                    position: header.position,
                    lsn: header.lsn,
                    link: header.link,
                };
                self.held = None;
                return Some(Break::at(place, DamagedPart::Link));
            }
        }
        self.give_out(fork.lsn, visit);
        self.at = fork;
        None
    }

    /// Gives out what is held, up to a record that was given out again later.
    fn give_out(&mut self, below: u64, visit: &mut dyn FnMut(Lsn, &[u8])) {
        let Some(held) = self.held.take() else {
            return;
        };
        let bytes = self.fetches[held.fetch].bytes_at(held.header.position);
        let given = held
            .header
            .records(bytes.unwrap_or_default(), |lsn, record| {
                if lsn < below {
                    visit(Lsn(lsn), record);
                }
            });
        crate::invariant!(given.is_ok(), "a batch in memory is not what it was");
    }

    fn fetch_next(&mut self, rules: &Rules) {
        if self.is_waiting() {
            return;
        }
        // The one that holds a batch is still needed.
        self.newest = match &self.held {
            Some(held) => 1 - held.fetch,
            None => self.newest,
        };
        self.fetches[self.newest].want(&rules.area, self.at.position, u64::MAX);
    }

    /// For something that was asked for and is not there yet.
    pub fn is_waiting(&self) -> bool {
        let fetch = &self.fetches[self.newest];
        !fetch.is_home() || fetch.is_pending()
    }

    /// Could something be asked of the disk now?
    pub const fn is_pending(&self) -> bool {
        self.fetches[self.newest].is_pending()
    }

    /// The disk has none of its buffers.
    pub fn is_home(&self) -> bool {
        self.fetches.iter().all(Fetch::is_home)
    }

    /// The oldest place that is still read from.
    pub fn reads_from(&self) -> u64 {
        self.held
            .as_ref()
            .map_or(self.at.position, |held| held.header.position)
    }

    pub const fn error(&self) -> Option<IoError> {
        self.fetches[self.newest].error()
    }

    pub fn step(
        &mut self,
        now: Instant,
        rules: &Rules,
        who: Walker,
        requests: &mut Requests,
        block: &mut Option<Buffer>,
        io: &mut dyn Submit,
    ) {
        let whose = (who, self.newest);
        self.fetches[self.newest].step(now, &rules.area, whose, requests, block, io);
    }

    pub const fn fetch_mut(&mut self, index: usize) -> &mut Fetch {
        &mut self.fetches[index & 1]
    }

    /// The one in which all can be read that is not part of the chain.
    pub const fn newest_mut(&mut self) -> &mut Fetch {
        &mut self.fetches[self.newest]
    }

    pub fn into_buffers(self) -> [Option<Buffer>; 2] {
        self.fetches.map(Fetch::into_buffer)
    }
}
