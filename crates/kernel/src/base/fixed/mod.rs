//! Containers with a capacity that is part of their type; full is a value.

mod map;
mod outbox;
mod pool;
mod queue;
mod ring;
mod text;
mod vec;

pub use map::Map;
pub use outbox::Outbox;
pub use pool::{Handle, Pool};
pub use queue::Queue;
pub use ring::Ring;
pub use text::Text;
pub use vec::Vec;

use core::fmt;

/// Refused because the container holds as much as it ever will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("full")
    }
}
