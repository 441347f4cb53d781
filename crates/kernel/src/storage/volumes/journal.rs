//! What the volumes need of a journal: records that stay, in their order.

/// A record's place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lsn(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JournalError {
    /// There is no room at the moment.
    Full,
    /// It takes nothing any more.
    Failed,
}

/// A log of the kernel's, for one user.
///
/// What is read again at the next mount is a prefix of what was appended, and has all in
/// it that was durable.
pub trait Journal {
    fn append(&mut self, record: &[u8]) -> Result<Lsn, JournalError>;

    fn is_durable(&self, lsn: Lsn) -> bool;

    /// Takes it nothing any more? Then what is not durable never will be.
    fn has_failed(&self) -> bool;

    /// Does it want the whole table, so that it can forget older records?
    fn wants_checkpoint(&self) -> bool;

    /// Records before this one are not needed; it and all behind it are durable.
    fn checkpoint(&mut self, lsn: Lsn);
}
