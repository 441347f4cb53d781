//! L0: what every floor uses; no device, no lock order, no unsafe.

pub mod config;
pub mod console;
pub mod fixed;
pub mod invariant;
pub mod log;
pub mod machine;
pub mod metric;
pub mod prng;
pub mod report;
pub mod symbols;
pub mod sync;
pub mod time;
pub mod trace;
pub mod width;
