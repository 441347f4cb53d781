//! Serving requests: reading, writing, discarding and flushing blocks.
//!
//! Invariants: the map names a block only when its data is on the disk (in its cache at
//! least); what is read is checked before it is handed out.

use super::Volumes;
use super::error::VolumeError;
use super::live::Live;
use super::objects::{KEYED_BLOCKS, VALUES_AT};
use super::pointer::{BLOCK_BYTES, Pointer};
use super::request::{Asker, VolumeDone, VolumeId, VolumeOperation, VolumeRequest};
use super::requests::Stage;
use super::row::Kind;
use super::state::State;
use super::tree::{Change, Miss, look_up, look_up_run};
use crate::base::time::Duration;
use crate::limits::VOLUME_REQUEST_BLOCKS_MAX;
use crate::storage::io::Submit;

/// What one turn of a request came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It went on, and may be able to go on.
    Moved,
    /// It waits for something.
    Waits,
    /// The volume's limits do not let it run yet; nor those behind it.
    Throttled,
}

impl Volumes {
    #[expect(clippy::result_large_err, reason = "what is refused comes back whole")]
    /// Puts a request in; its answer comes from `next_done`. What is refused comes back.
    pub fn submit(&mut self, request: VolumeRequest) -> Result<(), (VolumeError, VolumeRequest)> {
        if let Err(error) = self.check_request(&request) {
            return Err((error, request));
        }
        let slot = request.volume.slot;
        if let Err(request) = self.requests.add(self.now, request) {
            return Err((VolumeError::Busy, request));
        }
        if let Some(live) = &mut self.live[slot] {
            live.pending += 1;
        }
        Ok(())
    }

    /// Requests that are taken at the moment.
    pub fn space(&self) -> usize {
        self.requests.space()
    }

    /// The next request that has ended.
    pub fn next_done(&mut self) -> Option<VolumeDone> {
        self.requests.done.pop()
    }

    pub(super) fn live_of(&self, volume: VolumeId) -> Option<&Live> {
        let live = self.live.get(volume.slot)?.as_ref()?;
        (live.id == volume.id && live.state != State::Deleted).then_some(live)
    }

    fn check_request(&self, request: &VolumeRequest) -> Result<(), VolumeError> {
        self.readiness()?;
        let live = self.live_of(request.volume).ok_or(VolumeError::NoVolume)?;
        let name = || live.name.clone();
        let may = match request.asker {
            Asker::Tenant(tenant) => live.tenant == Some(tenant),
            _ => live.tenant.is_none(),
        };
        if !may {
            return Err(match live.tenant {
                Some(tenant) => VolumeError::AttachedTo {
                    name: name(),
                    tenant,
                },
                None => VolumeError::NotAttached { name: name() },
            });
        }
        if !live.state.is_served() || live.state == State::Detaching {
            let state = live.state;
            return Err(VolumeError::State {
                name: name(),
                state,
            });
        }
        let is_change = !matches!(
            request.operation,
            VolumeOperation::Read | VolumeOperation::Flush
        );
        if is_change && self.lost_pages > 0 {
            return Err(VolumeError::ReadOnly);
        }
        if request.operation == VolumeOperation::Flush {
            return Ok(());
        }
        let end = request.block.checked_add(request.blocks);
        let blocks = match (request.asker, live.kind.has_keys()) {
            (Asker::Objects, true) => KEYED_BLOCKS,
            (Asker::Objects, false) => 0,
            (_, false) => live.blocks,
            (_, true) => {
                let kind = Kind::Block.name();
                return Err(VolumeError::NotOfKind { name: name(), kind });
            }
        };
        if request.blocks == 0 || end.is_none_or(|end| end > blocks) {
            return Err(VolumeError::OutOfRange {
                blocks: live.blocks,
            });
        }
        if request.operation == VolumeOperation::Discard {
            return Ok(());
        }
        let room = request
            .data
            .as_ref()
            .map_or(0, |data| data.capacity() / BLOCK_BYTES);
        let most = room.min(VOLUME_REQUEST_BLOCKS_MAX) as u64;
        if request.blocks > most {
            return Err(VolumeError::BadRequest);
        }
        Ok(())
    }

    /// Goes on with all requests. Did one go on?
    pub(super) fn serve(&mut self, io: &mut dyn Submit) -> bool {
        self.requests.ready_at = None;
        let mut has_moved = false;
        let mut throttled = 0_u32;
        let mut at = 0;
        while let Some(slot) = self.requests.order.get(at).copied() {
            let volume = self.requests.slots[slot]
                .as_ref()
                .map_or(0, |it| it.request.volume.slot);
            let is_held = throttled & 1 << volume != 0 && self.is_waiting(slot);
            while !is_held && self.requests.slots[slot].is_some() {
                match self.advance(slot, io) {
                    Turn::Moved => has_moved = true,
                    Turn::Waits => break,
                    Turn::Throttled => {
                        throttled |= 1 << volume;
                        break;
                    }
                }
            }
            // One that has ended has made its place free for the next.
            if self.requests.order.get(at) == Some(&slot) {
                at += 1;
            }
        }
        has_moved
    }

    fn is_waiting(&self, slot: usize) -> bool {
        let running = self.requests.slots[slot].as_ref();
        running.is_some_and(|running| running.stage == Stage::Waiting)
    }

    fn advance(&mut self, slot: usize, io: &mut dyn Submit) -> Turn {
        let Some(running) = &self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let (stage, volume) = (running.stage, running.request.volume);
        if self.live_of(volume).is_none() && running.moving == 0 {
            return self.on_volume_gone(slot);
        }
        match stage {
            Stage::Waiting => self.admit(slot, io),
            Stage::Looking => self.look(slot, io),
            Stage::Reading => self.read_pieces(slot),
            Stage::Confirming(suspect) => self.confirm(slot, suspect),
            Stage::Writing => self.write_pieces(slot),
            Stage::Mapping => self.map(slot),
            Stage::Discarding(next) => self.discard(slot, next),
            Stage::Committing(generation) if self.commit.durable >= generation => {
                self.finish(slot, Ok(()))
            }
            Stage::Committing(_) => Turn::Waits,
        }
    }

    pub(super) fn go_to(&mut self, slot: usize, stage: Stage) -> Turn {
        if let Some(running) = &mut self.requests.slots[slot] {
            running.stage = stage;
        }
        Turn::Moved
    }

    pub(super) fn finish(&mut self, slot: usize, result: Result<(), VolumeError>) -> Turn {
        let Some(running) = self.requests.remove(slot) else {
            return Turn::Moved;
        };
        let request = running.request;
        let took = self.now.since(running.began);
        if let Some(live) = &mut self.live[request.volume.slot]
            && live.id == request.volume.id
        {
            live.pending -= 1;
            count(live, &request, &result, took);
        }
        let is_own = matches!(request.asker, Asker::Objects | Asker::Person);
        let done = VolumeDone { request, result };
        let is_kept = match is_own {
            true => self.requests.own_done.push(done).is_ok(),
            false => self.requests.done.push(done).is_ok(),
        };
        crate::invariant!(is_kept, "more requests ended than were taken");
        Turn::Moved
    }

    fn on_volume_gone(&mut self, slot: usize) -> Turn {
        if let Some(running) = &self.requests.slots[slot]
            && matches!(running.stage, Stage::Writing | Stage::Mapping)
        {
            self.give_blocks_back(slot);
        }
        self.finish(slot, Err(VolumeError::Gone))
    }

    /// Blocks that were taken for a write are not used after all.
    pub(super) fn give_blocks_back(&mut self, slot: usize) {
        if let Some(running) = &mut self.requests.slots[slot] {
            for pointer in &mut running.pointers {
                if !pointer.is_none() {
                    self.counts.lower(pointer.block);
                    *pointer = Pointer::NONE;
                }
            }
        }
    }

    fn admit(&mut self, slot: usize, io: &mut dyn Submit) -> Turn {
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let operation = running.request.operation;
        let bytes = match operation {
            VolumeOperation::Read | VolumeOperation::Write { .. } => {
                running.request.blocks * BLOCK_BYTES as u64
            }
            _ => 0,
        };
        let is_write = matches!(operation, VolumeOperation::Write { .. });
        let (volume, blocks) = (running.request.volume, running.request.blocks);
        // The directory comes on top: who removes something writes there.
        let is_value = running.request.block >= VALUES_AT;
        let is_full = |live: &Live| {
            live.kind.has_keys() && is_value && live.tree.data_blocks + blocks > live.blocks
        };
        if is_write && self.live_of(volume).is_some_and(is_full) {
            return self.finish(slot, Err(VolumeError::VolumeFull));
        }
        if is_write && !self.has_blocks(slot) {
            return self.wait_for_blocks(slot);
        }
        let volume = self.requests.slots[slot]
            .as_ref()
            .map(|it| it.request.volume);
        let Some(live) = volume.and_then(|volume| self.live[volume.slot].as_mut()) else {
            return Turn::Waits;
        };
        if let Err(at) = live.admit(self.now, bytes) {
            let ready = self.requests.ready_at.map_or(at, |other| other.min(at));
            self.requests.ready_at = Some(ready);
            if let Some(running) = &mut self.requests.slots[slot]
                && !core::mem::replace(&mut running.was_throttled, true)
            {
                live.counters.throttled += 1;
            }
            return Turn::Throttled;
        }
        match operation {
            VolumeOperation::Read => self.go_to(slot, Stage::Looking),
            VolumeOperation::Write { .. } => self.begin_write(slot, io),
            VolumeOperation::Discard => {
                let first = self.requests.slots[slot]
                    .as_ref()
                    .map_or(0, |it| it.request.block);
                self.go_to(slot, Stage::Discarding(first))
            }
            VolumeOperation::Flush => self.flush(slot),
        }
    }

    fn flush(&mut self, slot: usize) -> Turn {
        if self.open.has_changes() {
            self.open.is_wanted = true;
            return self.go_to(slot, Stage::Committing(self.open.generation));
        }
        match self.commit.generation() {
            Some(generation) => self.go_to(slot, Stage::Committing(generation)),
            None => self.finish(slot, Ok(())),
        }
    }

    /// A page is missing, or there is no room: sees to it, or ends the request.
    fn on_miss(&mut self, slot: usize, miss: Miss) -> Turn {
        let Some(running) = &self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let priority = running.request.priority;
        match miss {
            Miss::Wants(pointer, place) => {
                self.fetch(pointer, place, priority);
                Turn::Waits
            }
            Miss::Moving => Turn::Waits,
            Miss::Full => {
                self.open.is_wanted |= self.open.has_changes();
                Turn::Waits
            }
            Miss::NoSpace => self.wait_for_blocks(slot),
            Miss::Bad(pointer, place, bad) => {
                self.give_blocks_back_of_write(slot);
                if let Some(error) = bad.passing() {
                    self.cache.forget_bad();
                    return self.finish(slot, Err(VolumeError::Io(error)));
                }
                let place = self.damage(place.first, pointer.block, bad.member, bad.what);
                self.on_damage(slot, place)
            }
        }
    }

    fn give_blocks_back_of_write(&mut self, slot: usize) {
        let is_write = self.requests.slots[slot].as_ref().is_some_and(|running| {
            matches!(running.request.operation, VolumeOperation::Write { .. })
        });
        if is_write {
            self.give_blocks_back(slot);
        }
    }

    fn look(&mut self, slot: usize, io: &mut dyn Submit) -> Turn {
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let request = &running.request;
        let Some(live) = &self.live[request.volume.slot] else {
            return Turn::Waits;
        };
        let found = &mut running.pointers[..request.blocks as usize];
        let root = live.tree.root;
        match look_up_run(&mut self.cache, root, live.levels, request.block, found) {
            Ok(()) => self.begin_read(slot, io),
            Err(miss) => self.on_miss(slot, miss),
        }
    }

    fn confirm(&mut self, slot: usize, suspect: super::requests::Suspect) -> Turn {
        let Some(running) = &self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let request = &running.request;
        let Some(live) = &self.live[request.volume.slot] else {
            return Turn::Waits;
        };
        let block = request.block + suspect.piece as u64;
        match look_up(&mut self.cache, live.tree.root, live.levels, block) {
            // It was replaced meanwhile, and what lay there is of somebody else.
            Ok(pointer) if pointer != suspect.pointer => self.go_to(slot, Stage::Looking),
            Ok(pointer) => {
                let place = self.damage(block, pointer.block, suspect.member, suspect.what);
                self.on_damage(slot, place)
            }
            Err(miss) => self.on_miss(slot, miss),
        }
    }

    /// The map is to say where the written blocks are.
    fn map(&mut self, slot: usize) -> Turn {
        let Some(running) = &mut self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let request = &running.request;
        let volume = request.volume.slot;
        let Some(live) = &mut self.live[volume] else {
            return Turn::Waits;
        };
        let mut change = Change {
            cache: &mut self.cache,
            counts: &mut self.counts,
            given_up: &mut self.open.given_up,
            tree: &mut live.tree,
            levels: live.levels,
            volume,
            generation: self.open.generation,
        };
        let pointers = &running.pointers[..request.blocks as usize];
        let result = change
            .prepare(request.block, request.blocks)
            .and_then(|()| change.set(request.block, pointers));
        if let Err(miss) = result {
            return self.on_miss(slot, miss);
        }
        live.is_changed = true;
        running.pointers.fill(Pointer::NONE);
        let is_synced = request.operation == VolumeOperation::Write { is_synced: true };
        self.open.touch(self.now);
        if !is_synced {
            return self.finish(slot, Ok(()));
        }
        self.open.is_wanted = true;
        self.go_to(slot, Stage::Committing(self.open.generation))
    }

    fn discard(&mut self, slot: usize, next: u64) -> Turn {
        let Some(running) = &self.requests.slots[slot] else {
            return Turn::Waits;
        };
        let request = &running.request;
        let (volume, end) = (request.volume.slot, request.block + request.blocks);
        if next >= end {
            return self.finish(slot, Ok(()));
        }
        let Some(live) = &mut self.live[volume] else {
            return Turn::Waits;
        };
        let before = live.tree;
        let mut change = Change {
            cache: &mut self.cache,
            counts: &mut self.counts,
            given_up: &mut self.open.given_up,
            tree: &mut live.tree,
            levels: live.levels,
            volume,
            generation: self.open.generation,
        };
        let result = change
            .prepare(next, 1)
            .and_then(|()| change.discard(next, end));
        if live.tree != before {
            live.is_changed = true;
            self.open.touch(self.now);
        }
        match result {
            Ok(next) => self.go_to(slot, Stage::Discarding(next)),
            Err(miss) => self.on_miss(slot, miss),
        }
    }

    /// Nothing goes any more: everybody is told. Was there somebody?
    pub(super) fn give_everything_back(&mut self) -> bool {
        let Err(error) = self.readiness() else {
            return false;
        };
        let is_still = |slot: &usize| {
            self.requests.slots[*slot]
                .as_ref()
                .is_some_and(|running| running.moving == 0)
        };
        let found = self.requests.order.iter().copied().find(is_still);
        let has_refused = self.changes.refuse_all(&error);
        match found {
            Some(slot) => self.finish(slot, Err(error)) == Turn::Moved,
            None => has_refused,
        }
    }
}

fn count(
    live: &mut Live,
    request: &VolumeRequest,
    result: &Result<(), VolumeError>,
    took: Duration,
) {
    let counters = &mut live.counters;
    if result.is_err() {
        counters.failed += 1;
        return;
    }
    let bytes = request.blocks.saturating_mul(BLOCK_BYTES as u64);
    counters.busy = Duration::from_nanos(counters.busy.as_nanos().saturating_add(took.as_nanos()));
    match request.operation {
        VolumeOperation::Read => {
            counters.reads += 1;
            counters.read_bytes += bytes;
        }
        VolumeOperation::Write { .. } => {
            counters.writes += 1;
            counters.written_bytes += bytes;
        }
        VolumeOperation::Flush => counters.flushes += 1,
        VolumeOperation::Discard => counters.discards += 1,
    }
}
