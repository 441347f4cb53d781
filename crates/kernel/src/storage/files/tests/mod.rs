//! Promises of files, on disks in memory.

mod bench;
mod checker;
mod crowd;
mod damage;
mod fuzz;
mod model;
mod power;
mod promises;
mod refusals;
mod side_by_side;
