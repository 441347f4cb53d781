//! L0: what every floor uses; no device, no lock order, no unsafe.

pub mod buffer;
pub mod config;
pub mod console;
pub mod disk;
pub mod display;
pub mod entropy;
pub mod fixed;
pub mod input;
pub mod invariant;
pub mod log;
pub mod machine;
pub mod metric;
pub mod network_port;
pub mod operation;
pub mod panel;
pub mod prng;
pub mod registers;
pub mod report;
pub mod symbols;
pub mod sync;
pub mod tenant;
pub mod time;
pub mod trace;
pub mod width;
