//! The trail as it is kept beyond a boot: records, and whether they hold.
//!
//! Where they are kept is nobody's affair here. A record is a beginning, which says what
//! the entries behind it follow, or an entry with the hash behind it.

mod check;
mod record;
#[cfg(test)]
mod tests;

pub use check::{KeptCheck, KeptFinding, Past};
pub use record::{EntryBytes, Record, RecordBytes, beginning, entry};

use super::entry::Link;

/// Do the entries behind `from` belong to the boot whose entries end at `before`? Some may
/// be missing in between.
fn goes_on(from: &Point, before: Option<&Point>) -> bool {
    before.is_some_and(|before| before.boot == from.boot)
}

/// How far the trail of a boot got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Boots are counted from 1 on; 0 is one whose number is not kept any more.
    pub boot: u64,
    pub link: Link,
}
