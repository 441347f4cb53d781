//! Streams in memory, for tests: what one end writes the other end reads.

use super::{ConnectError, StreamId, StreamState, Streams};
use crate::base::fixed::Pool;
use crate::net::packet::Endpoint;
use core::net::{IpAddr, Ipv4Addr};
use std::boxed::Box;
use std::collections::VecDeque;
use std::vec::Vec;

const ENDS_MAX: usize = 512;

struct End {
    port: u16,
    remote: Endpoint,
    other: Option<StreamId>,
    received: Vec<u8>,
    has_ended: bool,
    is_gone: bool,
}

pub struct MemoryStreams {
    ends: Box<Pool<End, ENDS_MAX>>,
    waiting: VecDeque<StreamId>,
    /// Bytes that an end holds for its reader.
    pub window: usize,
    /// Bytes that `readable` shows at once.
    pub run: usize,
    /// Are connections answered at all?
    pub is_reachable: bool,
}

impl Default for MemoryStreams {
    fn default() -> Self {
        Self {
            ends: Box::new(Pool::new()),
            waiting: VecDeque::new(),
            window: 64 * 1024,
            run: usize::MAX,
            is_reachable: true,
        }
    }
}

impl MemoryStreams {
    /// A client from an address; the server's end waits to be accepted.
    pub fn dial_from(&mut self, client: IpAddr, port: u16) -> StreamId {
        let local = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));
        let end = |port, address| End {
            port,
            remote: Endpoint { address, port },
            other: None,
            received: Vec::new(),
            has_ended: false,
            is_gone: false,
        };
        let (Ok(ours), Ok(theirs)) = (
            self.ends.insert(end(port, local)),
            self.ends.insert(end(port, client)),
        ) else {
            panic!("a test dials more streams than there is room for");
        };
        for (end, other) in [(ours, theirs), (theirs, ours)] {
            if let Some(end) = self.ends.get_mut(end) {
                end.other = Some(other);
            }
        }
        self.waiting.push_back(theirs);
        ours
    }

    pub fn dial(&mut self, port: u16) -> StreamId {
        self.dial_from(IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2)), port)
    }

    /// Everything that has arrived at an end, taken out.
    pub fn take(&mut self, id: StreamId) -> Vec<u8> {
        self.ends
            .get_mut(id)
            .map_or_else(Vec::new, |end| core::mem::take(&mut end.received))
    }

    /// Ends that nobody has released.
    pub fn in_use(&self) -> usize {
        self.ends.used()
    }

    fn other(&mut self, id: StreamId) -> Option<&mut End> {
        let other = self.ends.get(id)?.other?;
        self.ends.get_mut(other)
    }
}

impl Streams for MemoryStreams {
    fn accept(&mut self, port: u16) -> Option<StreamId> {
        let ends = &self.ends;
        let is_there = |id: &StreamId| ends.get(*id).is_some_and(|end| end.port == port);
        let index = self.waiting.iter().position(is_there)?;
        self.waiting.remove(index)
    }

    fn connect(&mut self, remote: Endpoint) -> Result<StreamId, ConnectError> {
        match self.is_reachable {
            true => Ok(self.dial(remote.port)),
            false => Err(ConnectError::Unreachable),
        }
    }

    fn state(&self, id: StreamId) -> StreamState {
        match self.ends.get(id) {
            Some(end) if !end.is_gone => match end.has_ended {
                true => StreamState::Ended,
                false => StreamState::Open,
            },
            _ => StreamState::Gone,
        }
    }

    fn remote(&self, id: StreamId) -> Option<Endpoint> {
        self.ends.get(id).map(|end| end.remote)
    }

    fn readable(&self, id: StreamId) -> &[u8] {
        self.ends.get(id).map_or(&[], |end| {
            let count = end.received.len().min(self.run);
            &end.received[..count]
        })
    }

    fn consume(&mut self, id: StreamId, count: usize) {
        if let Some(end) = self.ends.get_mut(id) {
            end.received.drain(..count);
        }
    }

    fn write_space(&self, id: StreamId) -> usize {
        let other = self.ends.get(id).and_then(|end| self.ends.get(end.other?));
        let held = other.map_or(self.window, |other| other.received.len());
        self.window.saturating_sub(held)
    }

    fn write(&mut self, id: StreamId, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.write_space(id));
        if let Some(other) = self.other(id) {
            other.received.extend_from_slice(&bytes[..count]);
        }
        count
    }

    fn finish(&mut self, id: StreamId) {
        if let Some(other) = self.other(id) {
            other.has_ended = true;
        }
    }

    fn abort(&mut self, id: StreamId) {
        if let Some(other) = self.other(id) {
            other.is_gone = true;
            other.received.clear();
        }
        if let Some(end) = self.ends.get_mut(id) {
            end.is_gone = true;
            end.received.clear();
        }
    }

    fn release(&mut self, id: StreamId) {
        self.finish(id);
        self.ends.remove(id);
    }
}
