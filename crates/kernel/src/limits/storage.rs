//! Capacities of the storage floor, each with its reason.

use super::{
    BLOCK_REQUEST_BYTES_MAX, BLOCK_REQUESTS_MAX, LINE_MAX, Limit, VIRTIO_QUEUE_ENTRIES_MAX,
};

limits! {
    /// What people want of disks at the same time: one a console, and as many through the interface.
    DISK_ERRANDS_MAX = 4;
    /// Bytes that one of these reads or writes: eight sectors, which fill a screen.
    DISK_ERRAND_BYTES = 4096;
    /// Bytes with which a disk is looked at and laid out: 80 KiB from its start on, for the marks of other systems
    /// lie up to 64 KiB behind it.
    LAYOUT_BUFFER_BYTES = 128 * 1024;
    /// Requests at the same time while a disk is measured.
    MEASURE_DEPTH_MAX = 32;
    /// Buffers that machines of the storage floor have given back: those of all logs, and as many again.
    SHELF_BUFFERS_MAX = 48;
    /// Partitions of one disk that are looked at: as many as the usual table has.
    PARTITIONS_MAX = 128;
    /// Requests in the queue of a disk, waiting and on their way: four times what the device takes.
    IO_REQUESTS_MAX = 256;
    /// Buffers of one transfer: what was asked for in pieces goes to the disk as one.
    IO_PIECES_MAX = 128;
    /// Transfers of one disk that were merged, on their way at the same time; each has a list of pieces.
    IO_MERGES_MAX = 16;
    /// Bytes of one transfer that was merged.
    IO_MERGED_BYTES_MAX = 1 << 20;
    /// Volumes of the pool.
    VOLUMES_MAX = 32;
    /// Snapshots of all volumes together; four each.
    VOLUME_SNAPSHOTS_MAX = 128;
    /// Disks that hold the same pool.
    VOLUME_REPLICAS_MAX = 3;
    /// Bytes of the name of a volume or a snapshot.
    VOLUME_NAME_MAX = 32;
    /// Blocks of 4 KiB that are used of a pool: 16 GiB; each takes a byte of memory and a bit.
    VOLUME_POOL_BLOCKS_MAX = 4 << 20;
    /// Map pages in memory; a path is four, and a transaction's changed ones stay until they are on the disk.
    VOLUME_MAP_PAGES = 96;
    /// Map pages that one transaction may change before it is committed.
    VOLUME_DIRTY_PAGES_MAX = 56;
    /// Blocks of memory for requests that lie in several places on the disk.
    VOLUME_BOUNCES = 32;
    /// Requests to volumes that run or wait for their volume's limits.
    VOLUME_REQUESTS_MAX = 64;
    /// Blocks of one request: 128 KiB.
    VOLUME_REQUEST_BLOCKS_MAX = 32;
    /// Transfers that the volumes have with disks: the pages of a transaction, and a request's blocks each by itself.
    VOLUME_TRANSFERS_MAX = 128;
    /// Blocks that one transaction may set free.
    VOLUME_FREED_MAX = 4096;
    /// Trees that are taken apart in the background; as many as a transaction can drop, four times.
    VOLUME_DROPPED_MAX = 4 * (VOLUME_DIRTY_PAGES_MAX + VOLUME_CHANGES_MAX);
    /// Changes of the table of volumes that wait; each console's, and the volumes' own.
    VOLUME_CHANGES_MAX = 16;
    /// Bytes of a transaction's record: the new roots of all volumes, and some rows of the table.
    VOLUME_RECORD_BYTES = 4096;
    /// Bytes of the key of an object.
    VOLUME_KEY_MAX = 64;
    /// Requests of people to volumes at the same time.
    VOLUME_ERRANDS_MAX = 8;

    /// Bytes of one record of a write-ahead log: what a proposal of a client may have.
    LOG_RECORD_BYTES_MAX = 64 * 1024;
    /// Bytes of a batch of a log with records of that length; headers are counted in.
    LOG_BATCH_BYTES = 66 * 1024;
    /// Bytes of a batch of a log with small records; as long as both superblocks.
    LOG_SMALL_BATCH_BYTES = 8 * 1024;
    /// Batches of a log on their way; a flush behind them makes all of them safe.
    LOG_BATCHES_MAX = 3;
    /// Buffers of a log: batches on their way, one that is filled, two for reading.
    LOG_BUFFERS_MAX = LOG_BATCHES_MAX + 3;
    /// Requests of a log: its batches, a flush, a superblock, and three that read.
    LOG_REQUESTS_MAX = LOG_BATCHES_MAX + 5;
    /// Records of earlier boots in one answer.
    CHRONICLE_SHOWN_MAX = 256;
    /// Bytes of such an answer: so many records of the longest kind.
    CHRONICLE_ANSWER_BYTES = CHRONICLE_SHOWN_MAX * 288;
    /// Places that a log remembers; between them it reads.
    LOG_INDEX_MAX = 256;
    /// Commands on files at the same time, fetches into files included: one a console.
    FILE_WORKS_MAX = 4;
    /// Bytes of a file that one of them holds: what `cat` and `run` take, and what is written at once.
    FILE_WORK_BYTES = 32 * 1024;
    /// Bytes of a file system that are read at once.
    FILE_LINE_BYTES = 4096;
    /// Pieces of a file system that are remembered; the largest change looks at ten.
    FILE_LINES_MAX = 32;
    /// Sectors that one change touches: a directory's cluster of 64 KiB, and what it takes to hang it in.
    FILE_CHANGED_SECTORS_MAX = 160;
    /// Bytes of one write to a file system.
    FILE_WRITE_BYTES = 16 * 1024;
    /// Writes to a file system on their way.
    FILE_WRITES_MAX = 4;
    /// Bytes of a path; a line has room for two.
    FILE_PATH_MAX = 480;
}

const _: () = assert!(IO_REQUESTS_MAX >= BLOCK_REQUESTS_MAX && IO_REQUESTS_MAX < u16::MAX as usize);
const _: () = assert!(IO_MERGED_BYTES_MAX <= BLOCK_REQUEST_BYTES_MAX);
const _: () = assert!(LOG_RECORD_BYTES_MAX + 512 <= LOG_BATCH_BYTES);
const _: () =
    assert!(LOG_BATCH_BYTES.is_multiple_of(512) && LOG_SMALL_BATCH_BYTES.is_multiple_of(512));
const _: () = assert!(IO_PIECES_MAX + 2 <= VIRTIO_QUEUE_ENTRIES_MAX);
// What is written at once, and four copies of the table's sectors that one change looks at.
const _: () = assert!(FILE_WORK_BYTES / 512 + 4 * 18 <= FILE_CHANGED_SECTORS_MAX);
// And those sectors are at hand at the same time, with some of other works.
const _: () = assert!(FILE_LINES_MAX * FILE_LINE_BYTES / 512 >= 4 * 18);
const _: () = assert!(FILE_CHANGED_SECTORS_MAX < u8::MAX as usize && 2 * FILE_PATH_MAX < LINE_MAX);
