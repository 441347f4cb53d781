//! What every step of a connection is given: the time, the memory, the counters.

use super::chunks::Chunks;
use super::view::TcpCounters;
use crate::base::time::Instant;

pub struct Context<'a> {
    pub now: Instant,
    pub pool: &'a mut Chunks,
    pub counters: &'a mut TcpCounters,
}

/// The clock that timestamps show (RFC 7323): milliseconds, begun where nobody can guess.
pub const fn clock_at(now: Instant, offset: u32) -> u32 {
    ((now.as_nanos() / 1_000_000) as u32).wrapping_add(offset)
}
