//! What the tests that boot the kernel share.

pub mod book;
pub mod boot_partition;
pub mod screen;
