//! Transfers of blocks between memory and all disks of the pool.
//!
//! What is written goes to one member after the other with the same memory; what is read
//! comes from one of them, and from another when the first fails.
//!
//! Limits: `VOLUME_TRANSFERS_MAX` at the same time.
//! Invariants: a transfer ends once; its memory is with a disk, here, or given back.

use super::members::{MemberState, Members};
use super::pointer::BLOCK_SECTORS;
use crate::base::buffer::Buffer;
use crate::base::disk::DiskOperation;
use crate::base::fixed::Queue;
use crate::base::metric::Usage;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::limits::VOLUME_TRANSFERS_MAX;
use crate::storage::io::{IoDone, IoError, IoRequest, IoTag, Owner, Priority, Submit};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// How long an answer that the disk's queue had no room for is put off.
const PAUSE: Duration = Duration::from_millis(5);

/// What a transfer is for; its owner knows the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Header(usize),
    /// A page comes into this frame of the cache.
    PageIn(usize),
    PageOut(usize),
    Flush,
    /// All of a request, or one of its blocks.
    Request {
        slot: usize,
        piece: Option<usize>,
    },
    Repair,
    /// A block of the walk over everything.
    Scrub(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub purpose: Purpose,
    pub operation: DiskOperation,
    pub block: u32,
    pub blocks: u32,
    pub priority: Priority,
    pub tenant: Tenant,
    pub deadline: Option<Instant>,
}

pub struct Ended {
    pub wish: Wish,
    pub buffer: Option<Buffer>,
    pub result: Result<(), IoError>,
    /// Who was read from.
    pub member: usize,
    /// A bit for each member from which it could not be had.
    tried: u8,
}

struct Transfer {
    wish: Wish,
    member: usize,
    tried: u8,
    /// Has at least one member what was written?
    is_kept: bool,
    error: Option<IoError>,
    progress: Progress,
}

enum Progress {
    /// To be given to its member's disk.
    Ready(Option<Buffer>),
    Away,
}

pub struct Transfers {
    slots: Box<[Option<Transfer>]>,
    serials: Box<[u32]>,
    ended: Box<Queue<Ended, VOLUME_TRANSFERS_MAX>>,
    used: usize,
    high_water: usize,
    refused: u64,
    answers_ignored: u64,
    /// Where the next read goes, so that all members have their share.
    turn: usize,
    /// When a disk whose queue was full is tried again.
    paused_until: Option<Instant>,
}

impl Transfers {
    #[inline(never)]
    pub fn new() -> Self {
        let mut slots = Vec::with_capacity(VOLUME_TRANSFERS_MAX);
        slots.resize_with(VOLUME_TRANSFERS_MAX, || None);
        Self {
            slots: slots.into_boxed_slice(),
            serials: alloc::vec![0; VOLUME_TRANSFERS_MAX].into_boxed_slice(),
            ended: Box::default(),
            used: 0,
            high_water: 0,
            refused: 0,
            answers_ignored: 0,
            turn: 0,
            paused_until: None,
        }
    }

    pub fn space(&self) -> usize {
        VOLUME_TRANSFERS_MAX - self.used - self.ended.len()
    }

    /// Anything on its way, or ended and not yet looked at?
    pub fn is_idle(&self) -> bool {
        self.used == 0 && self.ended.is_empty()
    }

    /// Takes on a transfer; it begins at the next `pump`. Look at `space` first.
    pub fn start(&mut self, wish: Wish, buffer: Option<Buffer>, members: &Members) {
        let turn = self.turn;
        self.turn = self.turn.wrapping_add(1);
        let first = match wish.operation {
            DiskOperation::Read => {
                let count = members.healthy().count().max(1);
                members.healthy().nth(turn % count)
            }
            _ => members.written().next(),
        };
        self.start_at(wish, buffer, first, 0);
    }

    /// The same, with one member only.
    pub fn start_with(&mut self, wish: Wish, buffer: Option<Buffer>, member: usize) {
        self.start_at(wish, buffer, Some(member), !(1 << member));
    }

    /// Reads from any but this member.
    pub fn start_without(
        &mut self,
        wish: Wish,
        buffer: Option<Buffer>,
        member: usize,
        members: &Members,
    ) {
        let other = members.healthy().find(|other| *other != member);
        self.start_at(wish, buffer, other, 1 << member);
    }

    fn start_at(&mut self, wish: Wish, buffer: Option<Buffer>, member: Option<usize>, tried: u8) {
        let Some(member) = member else {
            self.end(Ended {
                wish,
                buffer,
                result: Err(IoError::NoDisk),
                member: 0,
                tried,
            });
            return;
        };
        let slot = self.slots.iter().position(Option::is_none);
        crate::invariant!(
            slot.is_some() && self.space() > 0,
            "a transfer without room; space was not looked at"
        );
        let Some(slot) = slot else { return };
        self.serials[slot] = self.serials[slot].wrapping_add(1);
        self.used += 1;
        self.high_water = self.high_water.max(self.used);
        self.slots[slot] = Some(Transfer {
            wish,
            member,
            tried,
            is_kept: false,
            error: None,
            progress: Progress::Ready(buffer),
        });
    }

    /// What was read is not what it should be: reads it from another member, if there is one.
    pub fn read_elsewhere(&mut self, ended: Ended, members: &Members) -> Result<(), Ended> {
        let tried = ended.tried | 1 << ended.member;
        let other = members.healthy().find(|member| tried & 1 << member == 0);
        if other.is_none() || self.space() == 0 {
            return Err(ended);
        }
        self.start_at(ended.wish, ended.buffer, other, tried);
        Ok(())
    }

    /// Gives the disks what is ready for them. Did something end at that?
    pub fn pump(&mut self, now: Instant, members: &mut Members, io: &mut dyn Submit) -> bool {
        self.paused_until = None;
        let before = self.ended.len();
        for slot in 0..self.slots.len() {
            while self.submit(slot, now, members, io) {}
        }
        self.ended.len() > before
    }

    /// Is it to be tried again, with another member?
    fn submit(
        &mut self,
        slot: usize,
        now: Instant,
        members: &mut Members,
        io: &mut dyn Submit,
    ) -> bool {
        let Some(transfer) = self.slots[slot].as_mut() else {
            return false;
        };
        let Progress::Ready(buffer) = &mut transfer.progress else {
            return false;
        };
        let wish = &transfer.wish;
        let Some((disk, sector)) = members.place_of(transfer.member, wish.block, wish.blocks)
        else {
            return self.after(slot, Err(IoError::NoDisk), members);
        };
        if io.space(disk) == 0 && io.facts(disk).is_some() {
            self.paused_until = Some(now + PAUSE);
            return false;
        }
        let request = IoRequest {
            disk,
            tag: IoTag {
                owner: Owner::Volume,
                number: u64::from(self.serials[slot]) << 32 | slot as u64,
            },
            operation: wish.operation,
            sector: if wish.operation == DiskOperation::Flush {
                0
            } else {
                sector
            },
            sectors: u64::from(wish.blocks) * BLOCK_SECTORS,
            data: buffer.take(),
            priority: wish.priority,
            deadline: wish.deadline,
            tenant: wish.tenant,
        };
        transfer.progress = Progress::Away;
        match io.submit(now, request) {
            Ok(()) => false,
            Err((error, request)) => {
                transfer.progress = Progress::Ready(request.data);
                if error == IoError::Full {
                    self.paused_until = Some(now + PAUSE);
                    return false;
                }
                self.after(slot, Err(error), members)
            }
        }
    }

    /// A disk has answered.
    pub fn on_done(&mut self, done: IoDone, members: &mut Members) {
        let (slot, serial) = (
            (done.request.tag.number & 0xffff_ffff) as usize,
            done.request.tag.number >> 32,
        );
        let is_ours = self
            .serials
            .get(slot)
            .is_some_and(|own| u64::from(*own) == serial);
        let transfer = self
            .slots
            .get_mut(slot)
            .and_then(Option::as_mut)
            .filter(|_| is_ours);
        match transfer.filter(|transfer| matches!(transfer.progress, Progress::Away)) {
            Some(transfer) => transfer.progress = Progress::Ready(done.request.data),
            None => {
                self.answers_ignored += 1;
                return;
            }
        }
        self.after(slot, done.result, members);
    }

    /// One member has answered: goes on with the next, or ends. Does it go on?
    fn after(&mut self, slot: usize, result: Result<(), IoError>, members: &mut Members) -> bool {
        let Some(transfer) = self.slots[slot].as_mut() else {
            return false;
        };
        let member = transfer.member;
        let is_read = transfer.wish.operation == DiskOperation::Read;
        transfer.tried |= 1 << member;
        match result {
            Ok(()) if is_read => {
                transfer.tried &= !(1 << member);
                return self.finish(slot, Ok(()));
            }
            Ok(()) => transfer.is_kept = true,
            Err(error) => {
                members.count_error(member);
                transfer.error = Some(error);
                let has_others = members.healthy().any(|other| other != member);
                if !is_read
                    && (has_others
                        || members
                            .get(member)
                            .is_some_and(|it| it.state == MemberState::Filling))
                {
                    members.become_state(member, MemberState::Stale);
                }
            }
        }
        let tried = transfer.tried;
        let is_left = |other: &usize| tried & 1 << other == 0;
        let next = match is_read {
            true => members.healthy().find(is_left),
            false => members.written().find(is_left),
        };
        if let Some(next) = next {
            transfer.member = next;
            return true;
        }
        let result = match transfer.error {
            Some(error) if !transfer.is_kept => Err(error),
            _ => Ok(()),
        };
        self.finish(slot, result)
    }

    fn finish(&mut self, slot: usize, result: Result<(), IoError>) -> bool {
        if let Some(transfer) = self.slots[slot].take() {
            self.used -= 1;
            let buffer = match transfer.progress {
                Progress::Ready(buffer) => buffer,
                Progress::Away => None,
            };
            self.end(Ended {
                wish: transfer.wish,
                buffer,
                result,
                member: transfer.member,
                tried: transfer.tried,
            });
        }
        false
    }

    fn end(&mut self, ended: Ended) {
        let is_kept = self.ended.push(ended).is_ok();
        crate::invariant!(is_kept, "more transfers ended than there are");
    }

    pub fn next_ended(&mut self) -> Option<Ended> {
        self.ended.pop()
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.paused_until
    }

    pub const fn answers_ignored(&self) -> u64 {
        self.answers_ignored
    }

    pub fn usage(&self) -> Usage {
        Usage::of("VOLUME_TRANSFERS_MAX", VOLUME_TRANSFERS_MAX)
            .used(self.used as u64)
            .high_water(self.high_water as u64)
            .refused(self.refused)
    }
}

impl Ended {
    /// Members from which it could not be had, before it was.
    pub fn failed_members(&self) -> impl Iterator<Item = usize> + use<> {
        let tried = self.tried;
        (0..u8::BITS as usize).filter(move |member| tried & 1 << member != 0)
    }
}

#[cfg(test)]
impl Transfers {
    pub fn into_buffers(mut self) -> Vec<Buffer> {
        let mut buffers = Vec::new();
        for transfer in self.slots.iter_mut().flatten() {
            if let Progress::Ready(buffer) = &mut transfer.progress {
                buffers.extend(buffer.take());
            }
        }
        while let Some(ended) = self.ended.pop() {
            buffers.extend(ended.buffer);
        }
        buffers
    }
}

impl Default for Transfers {
    fn default() -> Self {
        Self::new()
    }
}
