//! Reading map pages, and what is done with transfers that have ended.

use super::Volumes;
use super::cache::Bad;
use super::error::{Damage, Failure, What};
use super::page::{self, Place};
use super::pointer::{BLOCK_BYTES, BLOCK_SECTORS, Pointer};
use super::transfers::{Ended, Purpose, Wish};
use super::tree::Miss;
use super::walk::Walk;
use crate::base::disk::DiskOperation;
use crate::base::tenant::Tenant;
use crate::storage::io::Priority;

/// Transfers that are kept for those who write.
const SPARE_TRANSFERS: usize = 32;
/// Pages that a walk has read ahead.
const AHEAD_MAX: usize = 8;

impl Volumes {
    /// Begins to read a page, if there is room at the moment.
    pub(super) fn fetch(&mut self, pointer: Pointer, place: Place, priority: Priority) {
        if self.transfers.space() <= SPARE_TRANSFERS {
            return;
        }
        let Some((frame, buffer)) = self.cache.begin_reading(pointer, place) else {
            return;
        };
        let wish = Wish {
            purpose: Purpose::PageIn(frame),
            operation: DiskOperation::Read,
            block: pointer.block,
            blocks: 1,
            priority,
            tenant: Tenant::KERNEL,
            deadline: None,
        };
        self.transfers.start(wish, Some(buffer), &self.members);
    }

    /// Brings what a walk misses; says what cannot be had.
    pub(super) fn fetch_for(
        &mut self,
        walk: &Walk,
        miss: Miss,
        priority: Priority,
    ) -> Result<(), (Place, Bad)> {
        match miss {
            Miss::Wants(pointer, place) => {
                self.fetch(pointer, place, priority);
                let mut ahead = crate::base::fixed::Vec::<_, AHEAD_MAX>::new();
                walk.ahead(&mut self.cache, &mut |pointer, place| {
                    // Others come later.
                    let _ = ahead.push((pointer, place));
                });
                for (pointer, place) in &ahead {
                    if self.cache.is_unknown(pointer) {
                        self.fetch(*pointer, *place, priority);
                    }
                }
                Ok(())
            }
            Miss::Bad(_, place, bad) => Err((place, bad)),
            Miss::Moving | Miss::Full | Miss::NoSpace => Ok(()),
        }
    }

    /// Looks at all transfers that have ended. Was there one?
    pub(super) fn take_ended(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(ended) = self.transfers.next_ended() {
            has_moved = true;
            self.on_ended(ended);
        }
        has_moved
    }

    fn on_ended(&mut self, ended: Ended) {
        match ended.wish.purpose {
            Purpose::Header(member) => self.on_header(member, ended),
            Purpose::PageIn(frame) => self.on_page_read(frame, ended),
            Purpose::PageOut(frame) => {
                self.cache.end_writing(frame, ended.buffer);
                self.on_page_written();
                if let Err(error) = ended.result {
                    self.fail(Failure::Disk(error));
                }
            }
            Purpose::Flush => match ended.result {
                Ok(()) => self.on_flushed(),
                Err(error) => self.fail(Failure::Disk(error)),
            },
            Purpose::Request { slot, piece } => self.on_request_io(slot, piece, ended),
            Purpose::Scrub(job) => self.on_scrubbed(job, ended),
            Purpose::Repair => self.on_repaired(ended),
        }
        self.note_members();
    }

    fn on_page_read(&mut self, frame: usize, ended: Ended) {
        let (pointer, place) = self.cache.expected(frame);
        let bytes = ended
            .buffer
            .as_ref()
            .map_or(&[][..], |buffer| buffer.bytes());
        let result = match ended.result {
            Err(error) => Err(What::Unreadable(error)),
            Ok(()) => {
                let bytes = bytes.get(..BLOCK_BYTES).unwrap_or_default();
                page::check(bytes, place, &pointer, self.counts.blocks()).map_err(What::Map)
            }
        };
        let Err(what) = result else {
            self.cache.end_reading(frame, ended.buffer, None);
            return;
        };
        let member = ended.member;
        if let Err(ended) = self.transfers.read_elsewhere(ended, &self.members) {
            let bad = Bad { what, member };
            self.cache.end_reading(frame, ended.buffer, Some(bad));
        }
    }

    /// Where something is lost, said so that a person finds it.
    pub(super) fn damage(&self, block: u64, at: u32, member: usize, what: What) -> Damage {
        let place = self.members.place_of(member, at, 1);
        Damage {
            block,
            sector: place.map_or(u64::from(at) * BLOCK_SECTORS, |(_, sector)| sector),
            disk: place.map_or(member, |(disk, _)| disk),
            what,
        }
    }
}
