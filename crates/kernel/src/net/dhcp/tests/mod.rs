//! The client and its messages, byte by byte and input by input.

mod hostile;
mod lease;
mod wire;
