//! Promises of files, on disks in memory.

mod bench;
mod checker;
mod damage;
mod fuzz;
mod power;
mod promises;
mod refusals;
mod side_by_side;
