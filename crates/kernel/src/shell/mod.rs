//! L7: from bytes to commands to reports.

pub mod catalog;
pub mod command_error;
pub mod commands;
pub mod editor;
pub mod filter;
pub mod gate;
pub mod history;
pub mod inspect;
pub mod invocation;
pub mod keys;
pub mod parse;
mod parse_error;
pub mod quantity;
pub mod render;
mod select;
pub mod session;
pub mod suggest;
pub mod words;
