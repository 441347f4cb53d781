//! Files whose contents come from elsewhere in the kernel, piece by piece.

use super::{Act, Files};
use crate::base::file_sink::{FileSink, SinkError};
use crate::base::operation::{OperationId, Performer};

impl FileSink for Files {
    fn room(&mut self, of: OperationId) -> usize {
        self.work(of).map_or(0, |work| work.room())
    }

    fn take(&mut self, of: OperationId, bytes: &[u8]) -> usize {
        let taken = self.work(of).map_or(0, |work| work.take(bytes));
        self.has_more |= taken > 0;
        taken
    }

    fn end(&mut self, of: OperationId) {
        if let Some(work) = self.work(of) {
            work.end();
            self.has_more = true;
        }
    }

    fn give_up(&mut self, of: OperationId) {
        self.forget(of);
    }

    fn outcome(&mut self, of: OperationId) -> Option<Result<u64, SinkError>> {
        let work = self
            .work(of)
            .filter(|work| matches!(work.wish.act, Act::Receive));
        let Some(work) = work else {
            return Some(Err(SinkError::cut_from("the file was given up")));
        };
        if !work.is_ended() {
            return None;
        }
        let outcome = match work.result {
            Ok(()) => Ok(work.size),
            Err(error) => Err(SinkError::format(format_args!("{error}"))),
        };
        work.abandon();
        self.drop_ended();
        Some(outcome)
    }
}
