//! Tests of the server over streams in memory.

mod hostile;
mod promises;
mod rig;
mod times;
