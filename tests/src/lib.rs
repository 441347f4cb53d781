//! What the tests that boot the kernel share.

pub mod book;
pub mod boot_partition;
pub mod cores;
pub mod cut_state;
pub mod exchange;
pub mod form;
pub mod lab;
pub mod panic_report;
pub mod poll;
pub mod report;
pub mod scenario;
pub mod screen;
pub mod shown;
pub mod spoiled_kernel;
pub mod tpm;
pub mod xtask_binary;
