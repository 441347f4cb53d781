//! What capabilities promise.

mod model;
mod promises;
mod random;
mod set;
