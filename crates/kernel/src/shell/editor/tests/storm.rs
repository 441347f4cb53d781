//! Ten million bytes that no user would type, and a good line after them.

use super::rig::{PROMPT, Rig};
use crate::base::prng::Prng;
use crate::base::time::Duration;
use crate::shell::editor::Event;
use crate::shell::parse::{Line, Scratch};
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

/// Bytes that each kind of weather brings; all six together are ten millions and more.
const STORM_BYTES: usize = 1_750_000;
/// How often, in bytes, the terminal is compared with the editor.
const CHECKED_EACH: u64 = 5;

const LINES: &[&str] = &[
    "help",
    "status; mem status | where used > 10 | sort used desc | limit 3",
    "watch 0.5 cpu --json",
    "echo 'one two' \"three \\\" four\" five\\ six",
    "log | match \"disk 1\" | json",
    "threads | where name != idle|sort core",
    " ; ;; debug panic",
    "echo 日本語 e\u{301}té 😀 \u{200b}\u{200d}",
];
const COLUMNS: &[Option<u16>] = &[None, Some(12), Some(13), Some(40), Some(24), Some(100)];
const WIDE: &[char] = &[
    '日', 'é', '😀', '\u{301}', '\u{200d}', '\u{fe0f}', 'ᄀ', 'ᅡ', '\u{ad}',
];

/// Adds the next few bytes of a kind of weather.
type Weather = fn(&mut Prng, &mut Vec<u8>);

fn pick<'a, T>(prng: &mut Prng, from: &'a [T]) -> &'a T {
    &from[prng.below(from.len() as u64) as usize]
}

fn random_bytes(prng: &mut Prng, out: &mut Vec<u8>) {
    let mut bytes = [0; 64];
    prng.fill(&mut bytes);
    out.extend_from_slice(&bytes);
}

fn mutated_lines(prng: &mut Prng, out: &mut Vec<u8>) {
    let mut line = pick(prng, LINES).as_bytes().to_vec();
    for _ in 0..prng.below(4) {
        let at = prng.below(line.len() as u64) as usize;
        match prng.below(4) {
            0 => line[at] = prng.next_u64() as u8,
            1 => drop(line.drain(at..)),
            2 => line.insert(at, *pick(prng, b"|;'\"\\ \t-=<>!")),
            _ => line.extend_from_slice(pick(prng, LINES).as_bytes()),
        }
        if line.is_empty() {
            return;
        }
    }
    out.extend_from_slice(&line);
    out.extend_from_slice(pick(prng, &["\r", "\n", "\r\n", "", "\t\t"]).as_bytes());
}

fn escape_soup(prng: &mut Prng, out: &mut Vec<u8>) {
    let length = if prng.one_in(500) {
        3000
    } else {
        prng.below(12)
    };
    out.push(0x1b);
    for _ in 0..length {
        out.push(*pick(
            prng,
            b"\x1b[[[OO]P_^X;;;0123456789?~ABCDHFMRabcdfm\\\x07\x9b\xc3 x",
        ));
    }
}

fn torn_utf8(prng: &mut Prng, out: &mut Vec<u8>) {
    let code = prng.below(0x11_0000) as u32;
    let character = match prng.below(3) {
        0 => *pick(prng, WIDE),
        1 => char::from_u32(code % 0x3000).unwrap_or('x'),
        _ => char::from_u32(code).unwrap_or('x'),
    };
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).as_bytes();
    let torn = prng.below(bytes.len() as u64 + 3) as usize;
    out.extend_from_slice(&bytes[..torn.min(bytes.len())]);
    if prng.one_in(40) {
        out.push(*pick(prng, b"\r\x7f\x01\x0b"));
    }
}

/// A line up to a third of a megabyte; half of the pastes are marked, and some never end.
fn pastes(prng: &mut Prng, out: &mut Vec<u8>) {
    let is_marked = prng.one_in(2);
    let has_lines = prng.one_in(2);
    if is_marked {
        out.extend_from_slice(b"\x1b[200~");
    }
    for _ in 0..1 << prng.below(14) {
        out.extend_from_slice(pick(prng, LINES).as_bytes());
        if has_lines {
            out.push(b'\n');
        }
    }
    if is_marked && prng.one_in(2) {
        out.extend_from_slice(b"\x1b[201~");
    }
}

fn busy_fingers(prng: &mut Prng, out: &mut Vec<u8>) {
    const KEYS: &[&str] = &[
        "\x01",
        "\x02",
        "\x05",
        "\x06",
        "\x07",
        "\x08",
        "\x0b",
        "\x0c",
        "\x0e",
        "\x10",
        "\x12",
        "\x14",
        "\x15",
        "\x17",
        "\x19",
        "\x7f",
        "\x04",
        "\t",
        "\t\t",
        "\r",
        "\x1bb",
        "\x1bf",
        "\x1bd",
        "\x1b\x7f",
        "\x1b[A",
        "\x1b[B",
        "\x1b[C",
        "\x1b[D",
        "\x1b[H",
        "\x1b[F",
        "\x1b[3~",
        "\x1b[1;5C",
        "\x1b[1;5D",
        "\x1b[200~a\nb\x1b[201~",
    ];
    match prng.below(6) {
        0 | 1 => out.extend_from_slice(pick(prng, KEYS).as_bytes()),
        2 => out.extend_from_slice(pick(prng, WIDE).encode_utf8(&mut [0; 4]).as_bytes()),
        3 => out.extend_from_slice(pick(prng, LINES).as_bytes()),
        _ => out.push(b' ' + prng.below(95) as u8),
    }
}

/// Types one kind of weather in parts; between them the user asks for a good line.
fn weather_the_storm(seed: u64, weather: Weather) {
    let mut prng = Prng::new(seed);
    let mut bytes = Vec::new();
    for (round, columns) in COLUMNS.iter().enumerate() {
        let mut rig = Rig::new(*columns);
        let mut typed = 0;
        while typed < STORM_BYTES / COLUMNS.len() {
            bytes.clear();
            weather(&mut prng, &mut bytes);
            bytes.truncate(STORM_BYTES / COLUMNS.len());
            typed += bytes.len();
            blow(&mut prng, &mut rig, &bytes);
            if prng.one_in(200) {
                ask_for_a_good_line(&mut rig);
            }
        }
        ask_for_a_good_line(&mut rig);
        let view = rig.editor.view();
        assert_eq!(view.lost_output_bytes, 0, "round {round}");
        assert!(rig.most_output > PROMPT.len());
    }
}

fn blow(prng: &mut Prng, rig: &mut Rig, bytes: &[u8]) {
    for byte in bytes {
        rig.type_byte(*byte);
        if prng.one_in(CHECKED_EACH) {
            rig.check();
        }
        if prng.one_in(100) {
            rig.wait(Duration::from_millis(prng.below(80)));
            rig.check();
        }
        if prng.one_in(1000) {
            rig.interject("disk 1 is gone");
            rig.check();
        }
    }
}

fn ask_for_a_good_line(rig: &mut Rig) {
    assert_eq!(rig.type_byte(3), Some(Event::Interrupt));
    rig.type_bytes(b"echo still here");
    rig.check();
    assert_eq!(rig.type_byte(b'\r'), Some(Event::Line));
    assert_eq!(rig.last_line, "echo still here");
    rig.check();
    let (before, after) = rig.terminal.around_cursor();
    assert_eq!(
        before.trim_end(),
        PROMPT.trim_end().repeat(usize::from(!before.is_empty()))
    );
    assert_eq!(after.trim_end(), "");
}

#[test]
fn random_bytes_leave_a_prompt() {
    weather_the_storm(1, random_bytes);
}

#[test]
fn mutated_command_lines_leave_a_prompt() {
    weather_the_storm(2, mutated_lines);
}

#[test]
fn soups_of_escape_sequences_leave_a_prompt() {
    weather_the_storm(3, escape_soup);
}

#[test]
fn torn_characters_leave_a_prompt() {
    weather_the_storm(4, torn_utf8);
}

#[test]
fn pasted_megabytes_leave_a_prompt() {
    weather_the_storm(5, pastes);
}

#[test]
fn busy_fingers_leave_a_prompt() {
    weather_the_storm(6, busy_fingers);
}

/// Words quoted the one way that keeps everything.
fn quoted(words: &[&str]) -> String {
    let mut line = String::new();
    for word in words {
        line += &std::format!("'{}' ", word.replace('\'', "'\\''"));
    }
    line
}

#[test]
fn the_parser_takes_anything_and_what_it_took_can_be_typed_again() {
    let mut prng = Prng::new(7);
    let mut scratch = [Box::new(Scratch::new()), Box::new(Scratch::new())];
    let [first, second] = &mut scratch;
    let (mut typed, mut understood) = (0, 0);
    while typed < STORM_BYTES {
        let mut bytes = Vec::new();
        for _ in 0..=prng.below(4) {
            match prng.below(4) {
                0 => random_bytes(&mut prng, &mut bytes),
                1 => torn_utf8(&mut prng, &mut bytes),
                _ => mutated_lines(&mut prng, &mut bytes),
            }
        }
        typed += bytes.len();
        let text = String::from_utf8_lossy(&bytes);
        let text = if prng.one_in(4) {
            text.into()
        } else {
            text.replace(char::is_control, " ")
        };
        let line = match Line::parse(&text, first) {
            Ok(line) => line,
            Err(error) => {
                assert!(!std::format!("{error}").is_empty());
                continue;
            }
        };
        for command in line.commands() {
            understood += 1;
            assert!(text.contains(command.source));
            let again = quoted(command.words);
            let Ok(again) = Line::parse(&again, second) else {
                assert!(again.len() > crate::limits::LINE_MAX, "{again}");
                continue;
            };
            let again: Vec<_> = again.commands().collect();
            assert!(again[0].words == command.words || command.words[0] == "watch");
        }
    }
    assert!(
        understood > 1000,
        "only {understood} commands were understood"
    );
}
