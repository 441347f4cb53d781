//! Tests of the resolver against servers that a test plays.

mod hostile;
mod messages;
mod promises;
mod rig;
