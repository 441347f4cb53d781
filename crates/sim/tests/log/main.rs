//! The write-ahead log on simulated disks whose power is cut at every moment.

mod bench;
mod cuts;
mod faults;
mod model;
