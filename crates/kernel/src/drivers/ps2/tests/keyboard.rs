//! Scan codes to text, for every layout and for hostile streams.

use crate::base::config::Keymap;
use crate::base::prng::Prng;
use crate::drivers::ps2::{Key, Keyboard, ScancodeSet};
use std::string::String;
use std::vec::Vec;

/// What the codes type; scrolling shows as a word.
fn typed(set: ScancodeSet, keymap: Keymap, codes: &[u8]) -> String {
    let mut keyboard = Keyboard::new(set, keymap);
    let mut bytes = Vec::new();
    for &code in codes {
        match keyboard.feed(code) {
            Some(Key::Bytes(key)) => bytes.extend_from_slice(&key),
            Some(Key::ScrollBack) => bytes.extend_from_slice(b"<back>"),
            Some(Key::ScrollForward) => bytes.extend_from_slice(b"<forward>"),
            None => {}
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn typed_1(keymap: Keymap, codes: &[u8]) -> String {
    typed(ScancodeSet::One, keymap, codes)
}

const LEFT_SHIFT: u8 = 0x2a;
const CONTROL: u8 = 0x1d;
const ALT: u8 = 0x38;
const CAPS_LOCK: u8 = 0x3a;
const NUM_LOCK: u8 = 0x45;
const UP: u8 = 0x80;

/// The keys that print, in set 1: four rows from the left.
const ROWS: [&[u8]; 4] = [
    &[
        0x29, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
    ],
    &[
        0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b,
    ],
    &[
        0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2b,
    ],
    &[
        0x56, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35,
    ],
];

/// All rows, each key pressed and released, a blank after each row; a blank
/// after each key that is dead.
fn rows(keymap: Keymap, before: &[u8], after: &[u8], dead: &[u8]) -> String {
    let mut codes = before.to_vec();
    for row in ROWS {
        for &key in row {
            codes.extend([key, key | UP]);
            if dead.contains(&key) {
                codes.extend([0x39, 0x39 | UP]);
            }
        }
        codes.extend([0x1c, 0x1c | UP]);
    }
    codes.extend_from_slice(after);
    typed_1(keymap, &codes).replace('\r', " ")
}

#[test]
fn the_us_layout_types_what_is_printed_on_it() {
    assert_eq!(
        rows(Keymap::Us, &[], &[], &[]),
        "`1234567890-= qwertyuiop[] asdfghjkl;'\\ <zxcvbnm,./ "
    );
    assert_eq!(
        rows(Keymap::Us, &[LEFT_SHIFT], &[LEFT_SHIFT | UP], &[]),
        "~!@#$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:\"| >ZXCVBNM<>? "
    );
    assert_eq!(
        rows(Keymap::Us, &[CAPS_LOCK, CAPS_LOCK | UP], &[], &[]),
        "`1234567890-= QWERTYUIOP[] ASDFGHJKL;'\\ <ZXCVBNM,./ "
    );
}

#[test]
fn the_german_layout_types_what_is_printed_on_it() {
    assert_eq!(
        rows(Keymap::De, &[], &[], &[0x29, 0x0d]),
        "^1234567890ß´ qwertzuiopü+ asdfghjklöä# <yxcvbnm,.- "
    );
    assert_eq!(
        rows(Keymap::De, &[LEFT_SHIFT], &[], &[0x0d]),
        "°!\"§$%&/()=?` QWERTZUIOPÜ* ASDFGHJKLÖÄ' >YXCVBNM;:_ "
    );
    assert_eq!(
        typed_1(
            Keymap::De,
            &[
                0xe0, ALT, 0x10, 0x12, 0x1b, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x56, 0x32, 0x03, 0x04
            ]
        ),
        "@€~{[]}\\|µ²³"
    );
}

#[test]
fn the_french_layout_types_what_is_printed_on_it() {
    assert_eq!(
        rows(Keymap::Fr, &[], &[], &[0x1a]),
        "²&é\"'(-è_çà)= azertyuiop^$ qsdfghjklmù* <wxcvbn,;:! "
    );
    assert_eq!(
        rows(Keymap::Fr, &[LEFT_SHIFT], &[], &[0x1a]),
        "1234567890°+ AZERTYUIOP¨£ QSDFGHJKLM%µ >WXCVBN?./§ "
    );
    assert_eq!(
        typed_1(
            Keymap::Fr,
            &[
                0xe0, ALT, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x12,
                0x1b
            ]
        ),
        "~#{[|`\\^@]}€¤"
    );
}

#[test]
fn a_dead_key_waits_for_its_letter() {
    let circumflex = 0x29;
    let (e, x, backspace, enter) = (0x12, 0x2d, 0x0e, 0x1c);
    let de = |codes: &[u8]| typed_1(Keymap::De, codes);
    assert_eq!(de(&[circumflex]), "");
    assert_eq!(de(&[circumflex, e]), "ê");
    assert_eq!(de(&[circumflex, LEFT_SHIFT, e]), "Ê");
    assert_eq!(de(&[circumflex, x]), "^x");
    assert_eq!(de(&[circumflex, circumflex]), "^");
    assert_eq!(de(&[circumflex, backspace, e]), "e");
    assert_eq!(de(&[circumflex, enter, e]), "\re");
    // An arrow forgets the accent.
    assert_eq!(de(&[circumflex, 0xe0, 0x48, e]), "\x1b[Ae");
    assert_eq!(typed_1(Keymap::Fr, &[LEFT_SHIFT, 0x1a, 0xaa, 0x16]), "ü");
}

#[test]
fn control_and_alt_make_what_a_terminal_sends() {
    let us = |codes: &[u8]| typed_1(Keymap::Us, codes);
    assert_eq!(us(&[CONTROL, 0x2e]), "\x03");
    assert_eq!(us(&[CONTROL, 0x1e, CONTROL | UP, 0x1e]), "\x01a");
    assert_eq!(us(&[CONTROL, 0x1a, 0x39, 0x2b]), "\x1b\0\x1c");
    assert_eq!(us(&[ALT, 0x30]), "\x1bb");
    assert_eq!(us(&[0xe0, ALT, 0x30]), "\x1bb");
    // Control follows the letter that is printed on the key, not its place.
    assert_eq!(typed_1(Keymap::Fr, &[CONTROL, 0x10, 0x1e]), "\x01\x11");
    // Control with an accent key is not an accent.
    assert_eq!(typed_1(Keymap::De, &[CONTROL, 0x29]), "\x1e");
}

#[test]
fn keys_that_move_send_escape_sequences() {
    let us = |codes: &[u8]| typed_1(Keymap::Us, codes);
    assert_eq!(
        us(&[
            0xe0, 0x48, 0xe0, 0x50, 0xe0, 0x4d, 0xe0, 0x4b, 0xe0, 0x47, 0xe0, 0x4f
        ]),
        "\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F"
    );
    assert_eq!(
        us(&[0xe0, 0x52, 0xe0, 0x53, 0xe0, 0x49, 0xe0, 0x51]),
        "\x1b[2~\x1b[3~\x1b[5~\x1b[6~"
    );
    assert_eq!(us(&[0x3b, 0x3f, 0x58]), "\x1bOP\x1b[15~\x1b[24~");
    assert_eq!(us(&[CONTROL, 0xe0, 0x4d]), "\x1b[1;5C");
    assert_eq!(us(&[LEFT_SHIFT, 0x0f, 0xaa, 0x0f]), "\x1b[Z\t");
    assert_eq!(us(&[0x1c, 0xe0, 0x1c, 0x0e, 0x01]), "\r\r\x7f\x1b");
}

#[test]
fn shift_and_page_scroll_the_screen() {
    let codes = [LEFT_SHIFT, 0xe0, 0x49, 0xe0, 0xc9, 0xe0, 0x51];
    assert_eq!(typed_1(Keymap::Us, &codes), "<back><forward>");
    // With Num Lock on, the keyboard lifts Shift itself around the key.
    let codes = [LEFT_SHIFT, 0xe0, 0xaa, 0xe0, 0x49, 0xe0, 0xc9, 0xe0, 0x2a];
    assert_eq!(typed_1(Keymap::Us, &codes), "<back>");
}

#[test]
fn the_keypad_follows_num_lock() {
    let us = |codes: &[u8]| typed_1(Keymap::Us, codes);
    assert_eq!(
        us(&[0x47, 0x4c, 0x53, 0x37, 0x4a, 0x4e, 0xe0, 0x35]),
        "75.*-+/"
    );
    assert_eq!(typed_1(Keymap::De, &[0x53]), ",");
    assert_eq!(
        us(&[NUM_LOCK, NUM_LOCK | UP, 0x47, 0x4c, 0x53]),
        "\x1b[H\x1b[3~"
    );
    // Held down, the lock repeats and does not switch back.
    assert_eq!(us(&[NUM_LOCK, NUM_LOCK, 0x48]), "\x1b[A");
    assert_eq!(us(&[LEFT_SHIFT, 0x4b]), "\x1b[D");
}

#[test]
fn pause_is_not_num_lock() {
    let pause = [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5];
    let codes = [&pause[..], &[0x47, 0x1e]].concat();
    assert_eq!(typed_1(Keymap::Us, &codes), "7a");
}

#[test]
fn set_2_types_the_same() {
    let two = |codes: &[u8]| typed(ScancodeSet::Two, Keymap::Us, codes);
    assert_eq!(
        two(&[
            0x33, 0xf0, 0x33, 0x24, 0x4b, 0xf0, 0x4b, 0x4b, 0x44, 0x29, 0x5a
        ]),
        "hello \r"
    );
    assert_eq!(two(&[0x12, 0x1c, 0xf0, 0x12, 0x1c]), "Aa");
    assert_eq!(two(&[0x14, 0x21]), "\x03");
    assert_eq!(two(&[0xe0, 0x75, 0xe0, 0xf0, 0x75]), "\x1b[A");
    assert_eq!(two(&[0x12, 0xe0, 0x7d]), "<back>");
    let pause = [0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77];
    assert_eq!(two(&[&pause[..], &[0x6c]].concat()), "7");
}

#[test]
fn an_overrun_lets_go_of_every_modifier() {
    assert_eq!(typed_1(Keymap::Us, &[LEFT_SHIFT, CONTROL, 0xff, 0x1e]), "a");
    assert_eq!(
        typed(ScancodeSet::Two, Keymap::Us, &[0x12, 0x00, 0x1c]),
        "a"
    );
}

#[test]
fn the_lights_are_told_with_each_byte_acknowledged() {
    let mut keyboard = Keyboard::new(ScancodeSet::One, Keymap::Us);
    let mut commands = Vec::new();
    for code in [CAPS_LOCK, CAPS_LOCK | UP, 0xfa, 0xfa, 0x1e] {
        keyboard.feed(code);
        commands.extend(keyboard.take_command());
    }
    assert_eq!(commands, [0xed, 0b110]);
}

#[test]
fn no_stream_of_bytes_breaks_the_keyboard() {
    let mut prng = Prng::new(11);
    for set in [ScancodeSet::One, ScancodeSet::Two] {
        for keymap in [Keymap::Us, Keymap::De, Keymap::Fr] {
            let mut keyboard = Keyboard::new(set, keymap);
            let mut keys = 0;
            for _ in 0..300_000 {
                if let Some(Key::Bytes(bytes)) = keyboard.feed(prng.next_u64() as u8) {
                    assert!(core::str::from_utf8(&bytes).is_ok());
                    keys += 1;
                }
                keyboard.take_command();
            }
            assert!(keys > 10_000);
            // Let go of everything, forget the accent and unlock: it types again.
            keyboard.feed(0xff);
            let backspace = if set == ScancodeSet::One { 0x0e } else { 0x66 };
            keyboard.feed(backspace);
            let (space, expected) = match set {
                ScancodeSet::One => (0x39, b" "),
                ScancodeSet::Two => (0x29, b" "),
            };
            match keyboard.feed(space) {
                Some(Key::Bytes(bytes)) => assert_eq!(&bytes[..], expected),
                other => panic!("a blank gave {other:?}"),
            }
        }
    }
}
