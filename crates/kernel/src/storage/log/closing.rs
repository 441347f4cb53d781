//! The end of a log: its memory goes to whoever opens the next one.

use super::cutting::Cutting;
use super::machine::Log;
use super::recovery::Recovery;
use crate::base::buffer::Buffer;

impl Log {
    /// Gives back the memory that it was opened with. The disk must have nothing of it
    /// (`is_idle`); what was appended and not written is lost, as nobody was told else.
    pub fn close(mut self, give: &mut dyn FnMut(Buffer)) {
        crate::invariant!(self.is_idle(), "a log is closed while a disk writes it");
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
        while let Some(buffer) = self.buffers.pop() {
            give(buffer);
        }
        self.block.take().into_iter().for_each(give);
    }
}
