//! L7: from bytes to commands to reports.

pub mod editor;
pub mod filter;
pub mod history;
pub mod keys;
pub mod parse;
mod parse_error;
pub mod suggest;
pub mod words;
