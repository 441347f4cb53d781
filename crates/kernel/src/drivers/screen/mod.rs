//! The screen as a console: a framebuffer, a terminal on it, and a keyboard.
//!
//! Bytes go through `parser` into the cells of `grid`; `painter` brings what
//! changed to the framebuffer, as many cells at a time as the tick can spare.

mod cell;
pub mod console;
mod drawn;
mod font;
pub mod framebuffer;
mod grid;
mod painter;
mod palette;
mod panic;
mod parser;
pub mod pixel;
mod terminal;
mod utf8;

pub use console::{ScreenConsole, ScreenView};
pub use framebuffer::{Framebuffer, FramebufferError, Geometry};
pub use panic::PanicWriter;
pub use pixel::PixelFormat;

#[cfg(test)]
mod tests;
