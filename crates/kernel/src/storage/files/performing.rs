//! Works from the point of view of who asks for them.

use super::work::Work;
use super::{FileError, Files, State, Wish, report};
use crate::base::operation::{OperationId, Performer};
use crate::base::report::Report;
use crate::limits::FILE_WORKS_MAX;
use alloc::boxed::Box;

impl Files {
    pub const NO_DISK: &str = "no disk of this machine is laid out; see storage format";
    pub const BUSY: &str = "too many commands work on files; wait until one has ended";

    /// Takes on what somebody wants; its answer comes later.
    pub fn start(&mut self, by: OperationId, wish: Wish) -> Result<(), &'static str> {
        if let State::Failed(_, Some(volume)) = &self.state {
            // What failed once may be well now.
            self.state = State::Mounting(*volume);
            self.has_more = true;
        }
        let failure = match &self.state {
            State::NoDisk => return Err(Self::NO_DISK),
            State::Failed(reason, _) => Some(*reason),
            State::Mounting(_) | State::Mounted(_) => None,
        };
        let generation = match &self.state {
            State::Mounted(mounted) => mounted.generation,
            _ => 0,
        };
        let Some(place) = self.works.iter_mut().find(|place| place.is_none()) else {
            self.counts.works_refused += 1;
            return Err(Self::BUSY);
        };
        let Some(buffer) = self.spare.pop() else {
            self.counts.works_refused += 1;
            return Err(Self::BUSY);
        };
        let mut work = Box::new(Work::new(by, wish, buffer, generation));
        if let Some(reason) = failure {
            work.fail(FileError::NotMounted(reason));
        }
        *place = Some(work);
        let used = FILE_WORKS_MAX - self.spare.len();
        self.counts.works_high_water = self.counts.works_high_water.max(used);
        self.has_more = true;
        Ok(())
    }

    pub(super) fn work(&mut self, by: OperationId) -> Option<&mut Work> {
        let mut works = self.works.iter_mut().flatten();
        works
            .find(|work| work.by == Some(by))
            .map(|work| &mut **work)
    }
}

impl Performer for Files {
    fn maybe_answer(&mut self, id: OperationId, out: &mut Report) -> bool {
        let mut measured = self.measured();
        let Some(work) = self.work(id).filter(|work| work.is_ended()) else {
            return false;
        };
        // What comes from elsewhere is answered by whoever it comes from.
        if matches!(work.wish.act, super::Act::Receive) {
            return false;
        }
        if let Some(measured) = &mut measured {
            measured.free = measured.free.or(work.counted);
        }
        report::answer(work, measured, out);
        work.abandon();
        self.drop_ended();
        true
    }

    fn forget(&mut self, id: OperationId) {
        if let Some(work) = self.work(id) {
            work.abandon();
            self.has_more = true;
        }
        self.drop_ended();
    }
}
