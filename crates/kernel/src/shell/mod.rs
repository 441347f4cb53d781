//! L7: from bytes to commands to reports.

pub mod filter;
pub mod parse;
mod parse_error;
pub mod suggest;
pub mod words;
