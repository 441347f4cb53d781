//! The service with its server, over streams in memory.

mod promises;
mod rig;
