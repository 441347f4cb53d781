//! A conversation with a kernel over its serial line: lines in, answers out, and every way in which it can end.

mod client;
mod failure;
mod framing;
mod line;
mod terminal;

pub use client::{Answer, Session};
pub use failure::Failure;
pub use line::Line;
pub use terminal::{PROMPT, Terminal};
