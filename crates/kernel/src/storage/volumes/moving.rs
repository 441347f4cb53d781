//! Moving the data of requests: in one transfer, else block by block.

use super::Volumes;
use super::error::{Damage, VolumeError, What};
use super::objects::VALUES_AT;
use super::pointer::{BLOCK_BYTES, Pointer};
use super::requests::{Stage, Suspect};
use super::serving::Turn;
use super::state::Event;
use super::transfers::{Ended, Purpose, Wish};
use super::tree::PAGES_A_CHANGE;
use crate::base::buffer::Buffer;
use crate::base::crc32c::crc32c;
use crate::base::disk::{DiskError, DiskOperation};
use crate::base::tenant::Tenant;
use crate::storage::io::{IoError, Submit};
use crate::storage::volumes::request::Asker;

/// Of the pool's blocks, one in so many is kept for pages of maps.
const RESERVE_SHARE: u32 = 64;
const RESERVE_BLOCKS: u32 = 16;

impl Volumes {
    /// Are there blocks for what a request writes, beside those for pages?
    pub(super) fn has_blocks(&self, slot: usize) -> bool {
        let Some(running) = &self.requests.slots[slot] else {
            return false;
        };
        let request = &running.request;
        // Who removes something from a full pool writes to a directory.
        let is_directory = request.asker == Asker::Objects && request.block < VALUES_AT;
        let reserve = match is_directory {
            true => PAGES_A_CHANGE as u32,
            false => self.reserve(),
        };
        u64::from(self.counts.free()) >= request.blocks + u64::from(reserve)
    }

    pub(super) fn reserve(&self) -> u32 {
        RESERVE_BLOCKS + self.counts.blocks() / RESERVE_SHARE
    }

    /// There are none now; will there be some when what was given up is free?
    pub(super) fn wait_for_blocks(&mut self, slot: usize) -> Turn {
        let is_hopeful = self.is_giving_up() || !self.reaper.is_idle() || !self.commit.is_idle();
        if is_hopeful {
            self.open.is_wanted |= self.open.has_changes();
            return Turn::Waits;
        }
        self.give_blocks_back(slot);
        self.finish(slot, Err(VolumeError::NoSpace))
    }

    fn wish(&self, slot: usize, piece: Option<usize>, operation: DiskOperation) -> Option<Wish> {
        let running = self.requests.slots[slot].as_ref()?;
        let request = &running.request;
        let blocks = match piece {
            Some(_) => 1,
            None => request.blocks as u32,
        };
        Some(Wish {
            purpose: Purpose::Request { slot, piece },
            operation,
            block: running.pointers[piece.unwrap_or(0)].block,
            blocks,
            priority: request.priority,
            tenant: match request.asker {
                Asker::Tenant(tenant) => tenant,
                _ => Tenant::KERNEL,
            },
            deadline: None,
        })
    }

    /// Does so much go to every member in one transfer?
    fn fits_one_transfer(&self, blocks: usize, io: &dyn Submit) -> bool {
        let mut members = self.members.iter();
        members.all(|(_, member)| {
            let facts = member.region.and_then(|region| io.facts(region.disk));
            facts.is_none_or(|facts| blocks * BLOCK_BYTES <= facts.transfer_bytes_max)
        })
    }

    pub(super) fn begin_read(&mut self, slot: usize, io: &mut dyn Submit) -> Turn {
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let blocks = running.request.blocks as usize;
        let lies_together = is_run(&running.pointers[..blocks]) && !running.is_in_pieces;
        running.next_piece = 0;
        if lies_together && self.fits_one_transfer(blocks, io) {
            return self.move_whole(slot, DiskOperation::Read, Stage::Reading);
        }
        if let Some(running) = &mut self.requests.slots[slot] {
            running.is_in_pieces = true;
        }
        self.go_to(slot, Stage::Reading)
    }

    fn move_whole(&mut self, slot: usize, operation: DiskOperation, next: Stage) -> Turn {
        let wish = self.wish(slot, None, operation);
        let (Some(wish), Some(running)) = (wish, &mut self.requests.slots[slot]) else {
            return Turn::Waits;
        };
        if self.transfers.space() == 0 {
            return Turn::Waits;
        }
        running.moving = 1;
        running.next_piece = running.request.blocks as usize;
        running.stage = next;
        let buffer = running.request.data.take();
        self.transfers.start(wish, buffer, &self.members);
        Turn::Moved
    }

    pub(super) fn read_pieces(&mut self, slot: usize) -> Turn {
        while let Some(running) = &mut self.requests.slots[slot] {
            let (piece, blocks) = (running.next_piece, running.request.blocks as usize);
            if piece == blocks || running.suspect.is_some() || running.error.is_some() {
                break;
            }
            if running.pointers[piece].is_none() {
                if let Some(data) = &mut running.request.data {
                    block_mut(data, piece).fill(0);
                }
                running.next_piece += 1;
                continue;
            }
            let wish = self.wish(slot, Some(piece), DiskOperation::Read);
            let Some(wish) = wish.filter(|_| self.transfers.space() > 0) else {
                return Turn::Waits;
            };
            let Some(bounce) = self.bounces.pop() else {
                return Turn::Waits;
            };
            if let Some(running) = &mut self.requests.slots[slot] {
                running.next_piece += 1;
                running.moving += 1;
            }
            self.transfers.start(wish, Some(bounce), &self.members);
        }
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        if running.moving > 0 {
            return Turn::Waits;
        }
        if let Some(error) = running.error.take() {
            return self.finish(slot, Err(error));
        }
        match running.suspect.take() {
            Some(suspect) => self.go_to(slot, Stage::Confirming(suspect)),
            None => self.finish(slot, Ok(())),
        }
    }

    /// Takes blocks for what is written, and begins to write.
    pub(super) fn begin_write(&mut self, slot: usize, io: &mut dyn Submit) -> Turn {
        let blocks = self.requests.slots[slot]
            .as_ref()
            .map_or(0, |it| it.request.blocks);
        let is_in_pieces = !self.fits_one_transfer(blocks as usize, io);
        let run = self.counts.take_run(blocks as u32);
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        for piece in 0..blocks as usize {
            let block = match run {
                Some(first) => Some(first + piece as u32),
                None => self.counts.take_run(1),
            };
            let data = running.request.data.as_ref();
            running.pointers[piece] = Pointer {
                // It was looked whether there are enough.
                block: block.unwrap_or(0),
                crc: data.map_or(0, |data| crc32c(block_of(data, piece))),
                birth: 0,
            };
        }
        running.is_in_pieces = is_in_pieces || run.is_none();
        self.go_to(slot, Stage::Writing)
    }

    pub(super) fn write_pieces(&mut self, slot: usize) -> Turn {
        let is_whole = self.requests.slots[slot]
            .as_ref()
            .is_some_and(|running| !running.is_in_pieces && running.next_piece == 0);
        if is_whole {
            return self.move_whole(slot, DiskOperation::Write, Stage::Writing);
        }
        while let Some(running) = &self.requests.slots[slot]
            && running.next_piece < running.request.blocks as usize
            && running.error.is_none()
        {
            let piece = running.next_piece;
            let wish = self.wish(slot, Some(piece), DiskOperation::Write);
            let Some(wish) = wish.filter(|_| self.transfers.space() > 0) else {
                return Turn::Waits;
            };
            let Some(mut bounce) = self.bounces.pop() else {
                return Turn::Waits;
            };
            if let Some(running) = &mut self.requests.slots[slot] {
                running.next_piece += 1;
                running.moving += 1;
                if let Some(data) = &running.request.data {
                    bounce.bytes_mut()[..BLOCK_BYTES].copy_from_slice(block_of(data, piece));
                }
            }
            self.transfers.start(wish, Some(bounce), &self.members);
        }
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        if running.moving > 0 {
            return Turn::Waits;
        }
        match running.error.take() {
            Some(error) => {
                self.give_blocks_back(slot);
                self.finish(slot, Err(error))
            }
            None => self.go_to(slot, Stage::Mapping),
        }
    }

    /// A transfer of a request has ended.
    pub(super) fn on_request_io(&mut self, slot: usize, piece: Option<usize>, ended: Ended) {
        let is_read = ended.wish.operation == DiskOperation::Read;
        match (piece, is_read) {
            (None, true) => self.on_whole_read(slot, ended),
            (Some(piece), true) => self.on_piece_read(slot, piece, ended),
            (_, false) => {
                let Some(running) = &mut self.requests.slots[slot] else {
                    return;
                };
                running.moving -= 1;
                if let Err(error) = ended.result {
                    running.error = Some(VolumeError::Io(error));
                }
                match piece {
                    None => running.request.data = ended.buffer,
                    Some(_) => self.bounces.extend(ended.buffer),
                }
            }
        }
    }

    fn on_whole_read(&mut self, slot: usize, ended: Ended) {
        let Some(running) = &mut self.requests.slots[slot] else {
            return;
        };
        running.moving = 0;
        running.request.data = ended.buffer;
        let Some(data) = &running.request.data else {
            return;
        };
        let mut pieces = 0..running.request.blocks as usize;
        let is_good = |piece: usize| crc32c(block_of(data, piece)) == running.pointers[piece].crc;
        if ended.result.is_err() || !pieces.all(is_good) {
            // Which block it is, and whether another member has it, is seen one by one.
            running.is_in_pieces = true;
            running.stage = Stage::Looking;
        }
    }

    fn on_piece_read(&mut self, slot: usize, piece: usize, ended: Ended) {
        let Some(running) = &mut self.requests.slots[slot] else {
            return;
        };
        let pointer = running.pointers[piece];
        let what = match (&ended.result, &ended.buffer) {
            (Ok(()), Some(buffer)) => {
                let bytes = &buffer.bytes()[..BLOCK_BYTES];
                if crc32c(bytes) == pointer.crc {
                    if let Some(data) = &mut running.request.data {
                        block_mut(data, piece).copy_from_slice(bytes);
                    }
                    running.moving -= 1;
                    return self.maybe_repair(slot, piece, ended);
                }
                What::Data
            }
            (Ok(()), None) => What::Data,
            (Err(error), _) => What::Unreadable(*error),
        };
        let member = ended.member;
        let Err(ended) = self.transfers.read_elsewhere(ended, &self.members) else {
            return;
        };
        self.bounces.extend(ended.buffer);
        let Some(running) = &mut self.requests.slots[slot] else {
            return;
        };
        running.moving -= 1;
        match what {
            What::Unreadable(error) if !is_medium_error(&error) => {
                running.error = Some(VolumeError::Io(error));
            }
            _ => {
                running.suspect = Some(Suspect {
                    piece,
                    pointer,
                    member,
                    what,
                });
            }
        }
    }

    /// Some members did not have a block that another one had: they get it, if it still
    /// lies there.
    fn maybe_repair(&mut self, slot: usize, piece: usize, ended: Ended) {
        let first = ended
            .failed_members()
            .find(|member| self.members.healthy().any(|healthy| healthy == *member));
        let Some(buffer) = ended.buffer else {
            return;
        };
        let Some(member) = first else {
            self.bounces.push(buffer);
            return;
        };
        let Some(running) = &self.requests.slots[slot] else {
            self.bounces.push(buffer);
            return;
        };
        let (pointer, request) = (running.pointers[piece], &running.request);
        let block = request.block + piece as u64;
        let live = self.live[request.volume.slot].as_mut();
        let found = live.and_then(|live| {
            live.counters.damaged += 1;
            let (root, levels) = (live.tree.root, live.levels);
            super::tree::look_up(&mut self.cache, root, levels, block).ok()
        });
        if found != Some(pointer) || self.transfers.space() == 0 {
            self.bounces.push(buffer);
            return;
        }
        self.repair(pointer, member, buffer);
        if let Some(live) = self.requests.slots[slot]
            .as_ref()
            .and_then(|running| self.live[running.request.volume.slot].as_mut())
        {
            live.counters.repaired += 1;
        }
    }

    /// Writes a block to a member that had it wrong; it is held until that has ended, so that
    /// nobody else writes there.
    pub(super) fn repair(&mut self, pointer: Pointer, member: usize, buffer: Buffer) {
        self.counts.raise(pointer.block);
        let wish = Wish {
            purpose: Purpose::Repair,
            operation: DiskOperation::Write,
            block: pointer.block,
            blocks: 1,
            priority: crate::storage::io::Priority::USUAL,
            tenant: Tenant::KERNEL,
            deadline: None,
        };
        self.transfers.start_with(wish, Some(buffer), member);
    }

    pub(super) fn on_repaired(&mut self, ended: Ended) {
        self.counts.lower(ended.wish.block);
        self.bounces.extend(ended.buffer);
    }

    /// Something of a volume is lost.
    pub(super) fn on_damage(&mut self, slot: usize, place: Damage) -> Turn {
        if let Some(running) = &self.requests.slots[slot] {
            self.note_damage(running.request.volume.slot, place);
        }
        self.finish(slot, Err(VolumeError::Damaged { place }))
    }

    pub(super) fn note_damage(&mut self, volume: usize, place: Damage) {
        if let Some(live) = &mut self.live[volume] {
            live.counters.damaged += 1;
            live.last_damage = Some(place);
            live.on(Event::Damage);
            if !live.is_damaged && self.lost_pages == 0 {
                live.is_damaged = true;
                self.open.touch(self.now);
            }
        }
    }
}

/// Does the disk say that it cannot read what it has? Other troubles pass.
pub(super) const fn is_medium_error(error: &IoError) -> bool {
    matches!(error, IoError::Disk(DiskError::Device { .. }))
}

fn is_run(pointers: &[Pointer]) -> bool {
    let Some(first) = pointers.first().filter(|first| !first.is_none()) else {
        return false;
    };
    let places = pointers.iter().enumerate();
    let mut places =
        places.map(|(at, pointer)| first.block.checked_add(at as u32) == Some(pointer.block));
    places.all(|is_next| is_next)
}

pub(super) fn block_of(data: &Buffer, piece: usize) -> &[u8] {
    &data.bytes()[piece * BLOCK_BYTES..(piece + 1) * BLOCK_BYTES]
}

pub(super) fn block_mut(data: &mut Buffer, piece: usize) -> &mut [u8] {
    &mut data.bytes_mut()[piece * BLOCK_BYTES..(piece + 1) * BLOCK_BYTES]
}
