//! The end of a log: its memory goes to the next one, or to its own next try.

use super::LogError;
use super::area::Place;
use super::control::Control;
use super::cutting::Cutting;
use super::flights::Flights;
use super::machine::{Log, State};
use super::recovery::Recovery;
use super::superblock::Superblock;
use crate::base::buffer::Buffer;

impl Log {
    /// Gives back the memory that it was opened with. The disk must have nothing of it
    /// (`is_idle`); what was appended and not written is lost, as nobody was told else.
    pub fn close(mut self, give: &mut dyn FnMut(Buffer)) {
        crate::invariant!(self.is_idle(), "a log is closed while a disk writes it");
        self.gather();
        while let Some(buffer) = self.buffers.pop() {
            give(buffer);
        }
        self.block.take().into_iter().for_each(give);
    }

    /// Did its disk fail it, which may be well again?
    pub const fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    /// Could another try help? Whoever reads is told of the failure first.
    pub fn may_reopen(&self) -> bool {
        let is_curable = matches!(self.state, State::Failed(LogError::Disk(_)));
        is_curable && self.is_idle() && self.reader.is_none()
    }

    /// Reads anew what is on the disk, in the memory that it has. What was appended and
    /// is not safe is lost, as nobody was told else; what was safe must be found again.
    /// A patient log does not take a sector that cannot be read for an empty one: it fails.
    pub fn reopen(&mut self, is_patient: bool) {
        if !self.may_reopen() {
            return;
        }
        if self.recovery.is_none() {
            self.proven = Some((self.superblock.identity, self.synced.number));
        }
        self.gather();
        let nothing = Superblock::fresh(0, &self.area);
        self.superblock = nothing;
        self.confirmed = nothing;
        self.next = Place::FIRST;
        self.synced = Place::FIRST;
        self.flights = Flights::default();
        self.control = Control::new();
        self.cut = None;
        self.index.clear();
        self.is_update_wanted = false;
        self.is_patient = is_patient;
        self.counters.reopened += 1;
        self.recovery = Some(Recovery::new());
        self.state = State::Recovering;
    }

    /// All of its memory that the disk has not.
    fn gather(&mut self) {
        if let Some(walk) = self.recovery.take().and_then(Recovery::into_walk) {
            self.take_back(walk);
        }
        if let Some(walk) = self.cutting.take().and_then(Cutting::into_walk) {
            self.take_back(walk);
        }
        if let Some(reader) = self.reader.take() {
            self.take_back(reader.into_walk());
        }
        let filling = self.filling.take();
        self.buffers_back(filling.map(|batch| batch.buffer));
    }
}
