//! Scripts for the terminal and what then stands on the screen.

use super::super::cell::Style;
use super::super::terminal::Terminal;
use crate::base::prng::Prng;
use std::string::String;
use std::vec::Vec;

/// The screen of 10 x 4 after the bytes; `_` is where the cursor stands.
fn screen(bytes: &[u8]) -> String {
    let mut terminal = Terminal::new(10, 4);
    terminal.write(bytes);
    let cursor = terminal.visible_cursor();
    let mut lines = Vec::new();
    for row in 0..4 {
        let cells = terminal.grid().visible_row(row).iter().enumerate();
        let line: String = cells
            .map(|(column, cell)| match cell.character() {
                ' ' if cursor == Some((row, column)) => '_',
                character => character,
            })
            .collect();
        lines.push(String::from(line.trim_end()));
    }
    String::from(lines.join("|").trim_end_matches('|'))
}

#[test]
fn text_flows_from_line_to_line() {
    assert_eq!(screen(b"one\r\ntwo\nthree"), "one|two|three_");
    assert_eq!(screen(b"abc\x08X\rY"), "YbX");
    assert_eq!(screen(b"a\tb"), "a       b_");
    assert_eq!(screen(b"1\n2\n3\n4\n5\n6"), "3|4|5|6_");
}

#[test]
fn a_full_line_wraps_only_when_more_comes() {
    assert_eq!(screen(b"0123456789"), "0123456789");
    assert_eq!(screen(b"0123456789\nx"), "0123456789|x_");
    assert_eq!(screen(b"0123456789x"), "0123456789|x_");
    assert_eq!(screen(b"0123456789\rx"), "x123456789");
}

#[test]
fn the_cursor_moves_and_stays_inside() {
    assert_eq!(screen(b"\x1b[2;3Hx\x1b[Ay\x1b[2Bz"), "   y|  x|    z_");
    assert_eq!(screen(b"ab\x1b[99Cx\x1b[99Dy"), "yb       x");
    assert_eq!(screen(b"\x1b[99;99Hx\x1b[99Ay"), "         y|||         x");
    assert_eq!(screen(b"abc\x1b[2GX\x1b[0;0Hz"), "zXc");
    assert_eq!(screen(b"a\x1b7\nbc\x1b8d"), "ad_|bc");
    assert_eq!(screen(b"\x1b[3dx\x1b[Fy\x1b[Ez"), "|y|z_");
}

#[test]
fn erasing_takes_what_it_says() {
    let full = b"aaaaaaaaaa\nbbbbbbbbbb\ncccccccccc\x1b[2;5H";
    let erased = |sequence: &[u8]| screen(&[&full[..], sequence].concat());
    assert_eq!(erased(b"\x1b[K"), "aaaaaaaaaa|bbbb_|cccccccccc");
    assert_eq!(erased(b"\x1b[1K"), "aaaaaaaaaa|    _bbbbb|cccccccccc");
    assert_eq!(erased(b"\x1b[2K"), "aaaaaaaaaa|    _|cccccccccc");
    assert_eq!(erased(b"\x1b[J"), "aaaaaaaaaa|bbbb_");
    assert_eq!(erased(b"\x1b[1J"), "|    _bbbbb|cccccccccc");
    assert_eq!(erased(b"\x1b[2J"), "|    _");
    assert_eq!(erased(b"\x1bc"), "_");
}

#[test]
fn a_wide_character_keeps_its_two_columns() {
    assert_eq!(screen("日a".as_bytes()), "日日a_");
    assert_eq!(screen("012345678日".as_bytes()), "012345678|日日_");
    // A mark that belongs to the letter before takes none.
    assert_eq!(screen("e\u{301}x".as_bytes()), "ex_");
}

#[test]
fn what_is_unknown_leaves_no_trace() {
    let strange = b"a\x1b[5n\x1b[?1049h\x1b]2;title\x07\x1bPq\x1b\\\x1b(0\x1b[>c\x05\x02\x03\x7fb";
    assert_eq!(screen(strange), "ab_");
    let mut terminal = Terminal::new(10, 4);
    terminal.write(b"\x1b[5n\x1b[?1049h\x1b]2;title\x07\x1b[m");
    assert_eq!(terminal.sequences_ignored(), 3);
}

#[test]
fn styles_are_those_of_every_terminal() {
    let style_of = |bytes: &[u8]| {
        let mut terminal = Terminal::new(10, 4);
        terminal.write(bytes);
        terminal.write(b"x");
        let cell = terminal.grid().visible_row(0)[0];
        (
            cell.foreground(),
            cell.background(),
            cell.is_bold(),
            cell.is_underlined(),
        )
    };
    let plain = (
        Style::PLAIN.foreground,
        Style::PLAIN.background,
        false,
        false,
    );
    assert_eq!(style_of(b""), plain);
    assert_eq!(style_of(b"\x1b[1;4;31;42m"), (1, 2, true, true));
    assert_eq!(style_of(b"\x1b[91;104m"), (9, 12, false, false));
    assert_eq!(style_of(b"\x1b[31;7m"), (0, 1, false, false));
    assert_eq!(style_of(b"\x1b[1;31m\x1b[0m"), plain);
    assert_eq!(style_of(b"\x1b[1;31m\x1b[m"), plain);
    assert_eq!(style_of(b"\x1b[1;4;7;31;41m\x1b[22;24;27;39;49m"), plain);
    // Colours beyond the sixteen are read whole, so what follows keeps its meaning.
    assert_eq!(style_of(b"\x1b[38;5;9;48;5;200m"), (9, 0, false, false));
    assert_eq!(style_of(b"\x1b[38;2;1;4;7;1m"), (7, 0, true, false));
}

#[test]
fn no_bytes_move_the_cursor_out_of_the_grid() {
    let mut prng = Prng::new(3);
    // What sequences are made of comes often, so that they are reached.
    let likely = b"\x1b\x1b\x1b[[[[0123456789;;?ABCDEFGHJKmdsuhl78cDE\r\n\t\x08\x18]P";
    for (columns, rows) in [(20, 4), (1, 1), (80, 25)] {
        let mut terminal = Terminal::new(columns, rows);
        for round in 0..3_000 {
            let mut bytes = [0; 100];
            prng.fill(&mut bytes);
            for byte in &mut bytes {
                if !prng.one_in(4) {
                    *byte = likely[prng.below(likely.len() as u64) as usize];
                }
            }
            terminal.write(&bytes);
            if prng.one_in(10) {
                terminal
                    .grid_mut()
                    .move_view(prng.below(2_000) as isize - 1_000);
            }
            assert!(terminal.cursor().0 < rows, "round {round}");
            if let Some((row, column)) = terminal.visible_cursor() {
                assert!(row < rows && column < columns, "round {round}");
            }
            for row in 0..rows {
                assert_eq!(terminal.grid().visible_row(row).len(), columns);
            }
        }
        // Whatever happened, a reset and a line are readable.
        terminal.grid_mut().view_to_bottom();
        terminal.write(b"\x18\x1bcK");
        assert_eq!(terminal.grid().visible_row(0)[0].character(), 'K');
    }
}
