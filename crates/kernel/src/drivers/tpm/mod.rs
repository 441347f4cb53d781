//! TPM 2.0: two ways to its registers, its language, and a client that speaks it.

pub mod client;
pub mod codec;
