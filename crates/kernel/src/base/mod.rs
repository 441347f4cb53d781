//! L0: what every floor uses; no device, no lock order, no unsafe.

pub mod buffer;
pub mod capability;
pub mod config;
pub mod console;
pub mod disk;
pub mod fixed;
pub mod invariant;
pub mod log;
pub mod machine;
pub mod metric;
pub mod network_port;
pub mod operation;
pub mod prng;
pub mod registers;
pub mod report;
pub mod service;
pub mod symbols;
pub mod sync;
pub mod tenant;
pub mod time;
pub mod token;
pub mod token_bucket;
pub mod trace;
pub mod width;
