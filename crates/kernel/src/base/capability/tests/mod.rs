//! What capabilities promise.

mod model;
mod random;
mod set;
