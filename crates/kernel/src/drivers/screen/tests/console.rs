//! The console as the kernel uses it: keys, budgets, scroll-back, a panic.

use super::{console_on, geometry, pixel, small_console, text, write_all};
use crate::base::console::Console;
use crate::base::prng::Prng;
use crate::drivers::screen::PixelFormat;
use crate::limits::KEYBOARD_INPUT_BYTES;
use core::fmt::Write;
use std::format;
use std::string::String;

const LEFT_SHIFT: u8 = 0x2a;
const PAGE_UP: [u8; 2] = [0xe0, 0x49];
const PAGE_DOWN: [u8; 2] = [0xe0, 0x51];

fn numbered_lines(count: usize) -> String {
    (0..count).map(|line| format!("line {line}\n")).collect()
}

#[test]
fn typed_keys_are_read_as_from_a_serial_line() {
    let mut console = small_console();
    [0x23, 0xa3, 0x17, 0x97, 0x1c, 0xe0, 0x48]
        .into_iter()
        .for_each(|code| console.feed_scancode(code));
    let mut buffer = [0; 4];
    assert_eq!(console.read(&mut buffer), 4);
    assert_eq!(&buffer, b"hi\r\x1b");
    assert_eq!(console.read(&mut buffer), 2);
    assert_eq!(&buffer[..2], b"[A");
    assert_eq!(console.read(&mut buffer), 0);
    assert_eq!(console.view().received_bytes, 6);
}

#[test]
fn keys_that_nobody_reads_are_dropped_whole_and_counted() {
    let mut console = small_console();
    for _ in 0..KEYBOARD_INPUT_BYTES {
        [0xe0, 0x48]
            .into_iter()
            .for_each(|code| console.feed_scancode(code));
    }
    let view = console.view();
    assert_eq!(view.received_bytes % 3, 0);
    assert_eq!(
        view.received_bytes + view.receive_dropped_bytes,
        3 * KEYBOARD_INPUT_BYTES as u64
    );
    assert!(view.receive_dropped_bytes > 0);
}

#[test]
fn a_page_back_shows_old_lines_and_typing_returns() {
    let mut console = small_console();
    write_all(&mut console, numbered_lines(100).as_bytes());
    let bottom = text(&console);
    assert!(bottom.ends_with("line 99"));
    console.feed_scancode(LEFT_SHIFT);
    for code in PAGE_UP.repeat(6) {
        console.feed_scancode(code);
    }
    assert!(!text(&console).contains("line 99"));
    assert!(console.screen_view().view_back_lines > 0);
    for code in PAGE_DOWN.repeat(6) {
        console.feed_scancode(code);
    }
    assert_eq!(text(&console), bottom);
    for code in PAGE_UP.repeat(200) {
        console.feed_scancode(code);
    }
    assert!(text(&console).starts_with("line 0\n"));
    console.feed_scancode(0x1e);
    assert_eq!(text(&console), bottom);
}

#[test]
fn a_budget_is_kept_and_in_the_end_all_is_shown() {
    let mut console = small_console();
    let mut calls = 0;
    loop {
        let before = console.screen_view().cells_painted;
        let waiting = console.draw(50);
        assert!(console.screen_view().cells_painted - before <= 50);
        calls += 1;
        if waiting == 0 {
            break;
        }
    }
    let view = console.screen_view();
    let cells = view.columns * view.rows;
    assert_eq!(view.cells_painted, cells as u64);
    assert_eq!(calls, cells.div_ceil(50));
    // One typed letter costs two cells: its own and the cursor's.
    write_all(&mut console, b"x");
    assert_eq!(console.draw(50), 0);
    assert_eq!(console.screen_view().cells_painted, view.cells_painted + 2);
}

#[test]
fn painting_bit_by_bit_gives_the_same_picture_as_at_once() {
    let display = geometry(640, 480, 643, 3, PixelFormat::Bgr);
    let (mut bit_by_bit, mut at_once) = (console_on(display), console_on(display));
    let mut prng = Prng::new(5);
    for round in 0..60 {
        let line = format!(
            "\x1b[{}mround {round} \x1b[0m{}\n",
            31 + round % 7,
            "~".repeat(round)
        );
        write_all(&mut bit_by_bit, line.as_bytes());
        write_all(&mut at_once, line.as_bytes());
        bit_by_bit.draw(prng.below(300) as usize);
    }
    while bit_by_bit.draw(97) > 0 {}
    at_once.draw(usize::MAX);
    assert!(bit_by_bit.painter.framebuffer().memory() == at_once.painter.framebuffer().memory());
}

#[test]
fn a_panic_is_on_the_display_at_once_whatever_was_going_on() {
    let mut console = small_console();
    write_all(&mut console, numbered_lines(50).as_bytes());
    write_all(&mut console, b"prompt> \x1b]2;an endless title");
    console.feed_scancode(LEFT_SHIFT);
    PAGE_UP
        .into_iter()
        .for_each(|code| console.feed_scancode(code));
    let mut writer = console.panic_writer();
    writeln!(writer, "panic: the reason").unwrap();
    write!(writer, "the end").unwrap();
    drop(writer);
    assert_eq!(console.screen_view().cells_waiting, 0);
    assert_eq!(text(&console), "panic: the reason\nthe end");
    // The reason can be seen as pixels that are neither ground nor margin.
    let is_lit = |y: usize| (0..50).any(|x| pixel(&console, 7 + x, 7 + y)[0] > 0x80);
    assert!((0..16).any(is_lit));
}

#[test]
fn the_reason_of_a_panic_stays_in_view_however_long_the_report_is() {
    for line_bytes in [1, 42, 43, 44, 200] {
        let mut console = small_console();
        write_all(&mut console, b"\x1b[7mbefore");
        let mut writer = console.panic_writer();
        writeln!(writer, "panic: the reason").unwrap();
        for _ in 0..100 {
            writeln!(writer, "{}", "x".repeat(line_bytes)).unwrap();
        }
        drop(writer);
        let shown = text(&console);
        assert!(shown.starts_with("panic: the reason\nx"), "{shown}");
        assert!(
            shown.ends_with("more lines on the serial console"),
            "{shown}"
        );
        assert_eq!(console.screen_view().cells_waiting, 0);
    }
}

#[test]
fn every_display_gets_a_console_that_fits_it() {
    for (width, height) in [
        (160, 100),
        (320, 200),
        (800, 600),
        (1024, 768),
        (1366, 768),
        (2560, 1440),
        (3840, 2160),
        (8000, 200),
    ] {
        for bytes_per_pixel in 1..=4 {
            let display = geometry(width, height, width + 5, bytes_per_pixel, PixelFormat::Rgb);
            let mut console = console_on(display);
            write_all(&mut console, numbered_lines(200).as_bytes());
            assert_eq!(console.draw(usize::MAX), 0);
            let corner = console.painter.framebuffer().memory()[0];
            assert_ne!(corner, 0xa5, "{width} x {height}");
            // Behind each line lies padding, which is not ours.
            let padding = width * bytes_per_pixel;
            assert_eq!(console.painter.framebuffer().memory()[padding], 0xa5);
        }
    }
}
