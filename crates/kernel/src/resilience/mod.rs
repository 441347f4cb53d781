//! What keeps a machine's work over failures and restarts.

pub mod chronicle;
