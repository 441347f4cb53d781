//! What capabilities promise.

mod set;
