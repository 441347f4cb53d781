//! The screen as a person sees it: text, pixels, and hostile bytes.

mod console;
mod picture;
mod terminal;

use super::pixel::PixelFormat;
use super::{Framebuffer, Geometry, ScreenConsole};
use crate::base::config::Keymap;
use crate::base::console::Console;
use std::string::String;
use std::vec;
use std::vec::Vec;

type TestConsole = ScreenConsole<Vec<u8>>;

const fn geometry(
    width: usize,
    height: usize,
    stride: usize,
    bytes_per_pixel: usize,
    format: PixelFormat,
) -> Geometry {
    Geometry {
        width,
        height,
        stride,
        bytes_per_pixel,
        format,
    }
}

/// A console on a display whose memory is full of what the firmware left there.
fn console_on(display: Geometry) -> TestConsole {
    let memory = vec![0xa5; display.stride * display.height * display.bytes_per_pixel];
    ScreenConsole::new(Framebuffer::new(display, memory).unwrap(), Keymap::Us)
}

fn small_console() -> TestConsole {
    console_on(geometry(320, 200, 320, 4, PixelFormat::Bgr))
}

fn write_all(console: &mut TestConsole, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = console.write(bytes);
        bytes = &bytes[count..];
    }
}

/// The text in view, without the blanks at the ends of lines and of the screen.
fn text(console: &TestConsole) -> String {
    let grid = console.text.terminal.grid();
    let mut text = String::new();
    for row in 0..grid.rows() {
        let cells = grid.visible_row(row).iter();
        let line: String = cells.map(|cell| cell.character()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    String::from(text.trim_end())
}

/// Red, green and blue of a pixel of a display in `Bgr` or `Rgb`, or grey thrice.
fn pixel(console: &TestConsole, x: usize, y: usize) -> [u8; 3] {
    let framebuffer = console.painter.framebuffer();
    let display = framebuffer.geometry();
    let start = (y * display.stride + x) * display.bytes_per_pixel;
    let bytes = &framebuffer.memory()[start..start + display.bytes_per_pixel];
    match display.format {
        PixelFormat::Rgb => [bytes[0], bytes[1], bytes[2]],
        PixelFormat::Bgr => [bytes[2], bytes[1], bytes[0]],
        _ => [bytes[0]; 3],
    }
}
