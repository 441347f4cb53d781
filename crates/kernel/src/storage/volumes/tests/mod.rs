//! Promises of the volumes as a whole.

mod audit;
mod consoles;
mod crowds;
mod cuts;
mod disk;
mod fuzz;
mod keys;
mod limits;
mod model;
mod promises;
mod rows;
mod scrubbing;
mod world;
