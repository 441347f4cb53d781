//! Answers that belong to no connection; few, because strangers cause them.

use super::flow::Flow;
use super::header::Header;
use crate::base::fixed::Queue;
use crate::base::time::{Duration, Instant};
use crate::limits::{TCP_REPLIES_MAX, TCP_RESETS_A_SECOND};

#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub flow: Flow,
    pub header: Header,
}

pub struct Replies {
    pub queue: Queue<Reply, TCP_REPLIES_MAX>,
    second: Instant,
    resets: usize,
    pub dropped: u64,
}

impl Replies {
    pub const fn new() -> Self {
        Self {
            queue: Queue::new(),
            second: Instant::ZERO,
            resets: 0,
            dropped: 0,
        }
    }

    pub fn push(&mut self, flow: Flow, header: Header) {
        if self.queue.push(Reply { flow, header }).is_err() {
            self.dropped += 1;
        }
    }

    /// A reset to somebody we do not know, unless there were enough in this second.
    pub fn push_to_stranger(&mut self, now: Instant, flow: Flow, header: Header) {
        if now.since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.resets = 0;
        }
        if self.resets < TCP_RESETS_A_SECOND {
            self.resets += 1;
            self.push(flow, header);
        } else {
            self.dropped += 1;
        }
    }
}
