//! Where bytes from elsewhere in the kernel become a file, piece by piece.
//!
//! Who has the bytes and who has the files are neighbours and do not know each other:
//! the kernel gives the one a sink of the other.

use super::fixed::Text;
use super::operation::OperationId;

/// Why the file was not written.
pub type SinkError = Text<160>;

/// Files that are being written, each under the number of the operation that wants it.
pub trait FileSink {
    /// Bytes that it takes now; there will be room again once some are on the disk.
    fn room(&mut self, of: OperationId) -> usize;

    /// Takes as many of the bytes as there is room for; the rest is offered again later.
    fn take(&mut self, of: OperationId, bytes: &[u8]) -> usize;

    /// That was all of them.
    fn end(&mut self, of: OperationId);

    /// There will be no more of them, and no file.
    fn give_up(&mut self, of: OperationId);

    /// The file's size once it is safe on the disk, or why it never will be.
    fn outcome(&mut self, of: OperationId) -> Option<Result<u64, SinkError>>;
}
