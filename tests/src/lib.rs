//! What the tests that boot the kernel share.

pub mod boot_partition;
pub mod screen;
