//! Promises of files, on disks in memory.
