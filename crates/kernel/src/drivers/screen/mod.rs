//! The screen as a console: a framebuffer, a terminal on it, and a keyboard.
//!
//! Bytes go through `parser` into the cells of `grid`; `painter` brings what
//! changed to the framebuffer, as many cells at a time as the tick can spare.

mod cell;
pub mod console;
pub mod dirty;
mod drawn;
mod font;
pub mod framebuffer;
mod grid;
pub mod painter;
mod palette;
mod panel;
mod panic;
mod parser;
pub mod pixel;
mod relay;
mod terminal;
mod text_console;
mod utf8;

pub use console::{ScreenConsole, ScreenView};
pub use framebuffer::{Framebuffer, FramebufferError, Geometry};
pub use painter::Painter;
pub use panel::{PANEL_ROWS, Panel};
pub use panic::PanicWriter;
pub use pixel::PixelFormat;
pub use text_console::TextConsole;

#[cfg(test)]
mod tests;
