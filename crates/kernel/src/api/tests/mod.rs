//! The service with its server, over streams in memory and a shell that is played.

mod promises;
mod rig;
