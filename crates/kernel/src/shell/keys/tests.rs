//! Which bytes are which keys, and that no bytes stop the rest.

use super::*;

const LATER: Instant = Instant::from_nanos(1_000_000_000);

fn decode(bytes: &[u8]) -> (std::vec::Vec<Key>, Decoder) {
    let mut decoder = Decoder::new();
    let mut keys = std::vec::Vec::new();
    for byte in bytes {
        keys.extend_from_slice(&decoder.step(Instant::ZERO, *byte));
    }
    (keys, decoder)
}

fn keys(bytes: &[u8]) -> std::vec::Vec<Key> {
    decode(bytes).0
}

#[test]
fn every_usual_sequence_is_its_key() {
    let cases: [(&[&str], Key); 12] = [
        (&["\x1b[A", "\x1bOA"], Key::Up),
        (&["\x1b[B", "\x1bOB"], Key::Down),
        (&["\x1b[C", "\x1bOC", "\x1b[1;2C"], Key::Right),
        (&["\x1b[D", "\x1bOD"], Key::Left),
        (
            &["\x1b[H", "\x1b[1~", "\x1b[7~", "\x1bOH", "\x1b[1;5H"],
            Key::Home,
        ),
        (&["\x1b[F", "\x1b[4~", "\x1b[8~", "\x1bOF"], Key::End),
        (&["\x1b[3~", "\x1b[3;5~"], Key::Delete),
        (
            &["\x1b[1;5C", "\x1b[1;3C", "\x1b[5C", "\x1bOc", "\x1b\x1b[C"],
            Key::WordRight,
        ),
        (
            &["\x1b[1;5D", "\x1b[1;3D", "\x1b[5D", "\x1bOd", "\x1b\x1b[D"],
            Key::WordLeft,
        ),
        (&["\x1b[200~"], Key::PasteStart),
        (&["\x1b[201~"], Key::PasteEnd),
        (&["\x08", "\x7f"], Key::Backspace),
    ];
    for (sequences, key) in cases {
        for sequence in sequences {
            assert_eq!(keys(sequence.as_bytes()), [key], "{sequence:?}");
        }
    }
    assert_eq!(
        keys(b"\x1bb\x1bF\x1b\x7f"),
        [Key::Alt('b'), Key::Alt('F'), Key::Alt('\x7f')]
    );
    assert_eq!(keys(b"\x01\x1a"), [Key::Control('a'), Key::Control('z')]);
}

#[test]
fn a_line_ends_once_however_it_ends() {
    use Key::{Char, Enter};
    assert_eq!(
        keys(b"a\nb\rc\r\nd\n\ne\r\rf\r\n\n"),
        [
            Char('a'),
            Enter,
            Char('b'),
            Enter,
            Char('c'),
            Enter,
            Char('d'),
            Enter,
            Enter,
            Char('e'),
            Enter,
            Enter,
            Char('f'),
            Enter,
            Enter
        ]
    );
}

#[test]
fn a_bad_sequence_is_one_mark_and_takes_nothing_with_it() {
    let bad = Key::Char('\u{fffd}');
    let cases: [(&[u8], &[Key], u64); 8] = [
        (
            "é日😀".as_bytes(),
            &[Key::Char('é'), Key::Char('日'), Key::Char('😀')],
            0,
        ),
        (b"\xffa", &[bad, Key::Char('a')], 1),
        (b"\xe6\x97a", &[bad, Key::Char('a')], 1),
        (b"\xe6\x97\r", &[bad, Key::Enter], 1),
        (b"\xf0\x9f\x98\xc3\xa9", &[bad, Key::Char('é')], 1),
        (b"\xc0\xaf", &[bad, bad], 2),
        (b"\xed\xa0\x80", &[bad, bad, bad], 3),
        (b"\xc3\x03", &[bad, Key::Control('c')], 1),
    ];
    for (bytes, expected, count) in cases {
        let (keys, decoder) = decode(bytes);
        assert_eq!(keys, expected, "{bytes:x?}");
        assert_eq!(decoder.view().bad_utf8, count, "{bytes:x?}");
    }
}

#[test]
fn unknown_sequences_are_swallowed_whole_and_counted() {
    let overlong = std::format!("\x1b[{}m", "1;".repeat(10_000));
    let title = std::format!("\x1b]0;{}\x07", "x".repeat(10_000));
    let cases: [(&str, u64, u64); 14] = [
        ("\x1b[15~", 1, 0),
        ("\x1bOP", 1, 0),
        ("\x1b[[A", 1, 0),
        ("\x1b[?1;2c", 1, 0),
        ("\x1b[1;2;3A", 1, 0),
        ("\x1b[ A", 1, 0),
        ("\x1b[Z", 1, 0),
        ("\x1b]0;title\x07", 1, 0),
        ("\x1b]0;title\x1b\\", 1, 0),
        ("\x1bP1$r0m\x1b\\", 1, 0),
        ("\x1b_x\x1b[15~", 2, 0),
        ("\x1b[\u{e9}\x1b[99~", 2, 0),
        (&overlong, 0, 1),
        (&title, 0, 1),
    ];
    for (text, unknown, overlong) in cases {
        let (mut keys, mut decoder) = decode(text.as_bytes());
        keys.retain(|key| *key != Key::Char('é'));
        assert_eq!(keys, [], "{:?}", &text[..text.len().min(20)]);
        let view = decoder.view();
        assert_eq!(
            (view.unknown_sequences, view.overlong_sequences),
            (unknown, overlong),
            "{:?}",
            &text[..text.len().min(20)]
        );
        assert_eq!(&decoder.step(Instant::ZERO, b'x')[..], [Key::Char('x')]);
    }
}

#[test]
fn control_characters_break_out_of_every_sequence() {
    for begun in [
        "\x1b",
        "\x1b[",
        "\x1b[1;5",
        "\x1bO",
        "\x1b[[",
        "\x1b]0;title",
        "\x1bPx",
        "\x1b]x\x1b",
    ] {
        for (byte, key) in [(3, Key::Control('c')), (b'\r', Key::Enter)] {
            let bytes = [begun.as_bytes(), &[byte]].concat();
            assert_eq!(keys(&bytes), [key], "{begun:?} {byte}");
        }
    }
}

#[test]
fn a_lone_escape_is_a_key_after_a_silence() {
    let (keys, mut decoder) = decode(b"\x1b");
    assert_eq!(keys, []);
    let deadline = decoder.next_deadline().unwrap();
    assert_eq!(deadline, Instant::ZERO + SILENCE);
    assert_eq!(decoder.on_time(Instant::ZERO), None);
    assert_eq!(decoder.on_time(deadline), Some(Key::Escape));
    assert_eq!(
        (decoder.next_deadline(), decoder.on_time(LATER)),
        (None, None)
    );
}

#[test]
fn what_was_begun_ends_with_a_silence() {
    for (begun, key) in [("\x1b[1;", None), ("\x1b]0;ti", None), ("\x1bO", None)] {
        let (_, mut decoder) = decode(begun.as_bytes());
        assert_eq!(decoder.on_time(LATER), key);
        assert_eq!(decoder.view().unknown_sequences, 1);
        assert_eq!(&decoder.step(LATER, b'x')[..], [Key::Char('x')]);
    }
    let (_, mut decoder) = decode(b"\xe6\x97");
    assert_eq!(decoder.on_time(LATER), Some(Key::Char('\u{fffd}')));
}
