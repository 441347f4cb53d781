//! Runs `sessions.txt`: what a user types and what the terminal shows then.

use super::rig::Rig;
use crate::base::time::Duration;
use std::string::String;
use std::vec::Vec;

/// Keys by name, as the text file writes them between `<` and `>`.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "\r"),
    ("Tab", "\t"),
    ("Esc", "\x1b"),
    ("Backspace", "\x7f"),
    ("Delete", "\x1b[3~"),
    ("Up", "\x1b[A"),
    ("Down", "\x1b[B"),
    ("Right", "\x1b[C"),
    ("Left", "\x1b[D"),
    ("Word-Right", "\x1b[1;5C"),
    ("Word-Left", "\x1b[1;5D"),
    ("Home", "\x1b[H"),
    ("End", "\x1b[F"),
    ("F5", "\x1b[15~"),
    ("Paste", "\x1b[200~"),
    ("End-Paste", "\x1b[201~"),
    ("Joining-Acute", "\u{301}"),
];

fn type_keys(rig: &mut Rig, keys: &str) {
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let Some((name, behind)) = name else {
            rig.type_bytes(first.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[first.len_utf8()..];
            continue;
        };
        rest = behind;
        let (count, name) = name.split_once(" of ").unwrap_or(("1", name));
        for _ in 0..count.parse().unwrap() {
            type_key(rig, name);
        }
    }
}

fn type_key(rig: &mut Rig, name: &str) {
    if let Some((_, bytes)) = KEYS.iter().find(|(known, _)| *known == name) {
        rig.type_bytes(bytes.as_bytes());
    } else if let Some(letter) = name.strip_prefix("Ctrl-") {
        rig.type_byte(letter.as_bytes()[0] & 0x1f);
    } else if let Some(letter) = name.strip_prefix("Alt-") {
        rig.type_byte(0x1b);
        rig.type_bytes(letter.as_bytes());
    } else if let Some(text) = name.strip_prefix("Log ") {
        rig.interject(text);
    } else if name == "Wait" {
        rig.wait(Duration::from_secs(2));
    } else {
        assert_eq!(name.len(), 1, "<{name}> is no key");
        rig.type_bytes(name.as_bytes());
    }
}

#[test]
fn every_session_looks_as_written() {
    let sessions = include_str!("sessions.txt");
    let mut different = String::new();
    for session in sessions
        .split("\n\n")
        .filter(|session| !session.trim().is_empty())
    {
        let title = session.lines().find(|line| line.starts_with("# ")).unwrap();
        let columns = session
            .lines()
            .find_map(|line| line.strip_prefix("@ columns "));
        let mut rig = Rig::new(columns.map(|columns| columns.parse().unwrap()));
        let mut expected = Vec::new();
        for line in session.lines() {
            if let Some(keys) = line.strip_prefix("> ") {
                type_keys(&mut rig, keys);
                rig.check();
            } else if !line.starts_with("# ") && !line.starts_with("@ ") {
                expected.push(line);
            }
        }
        let shown = rig.terminal.picture();
        if shown != expected {
            different += &std::format!("{title}\n{}\n\n", shown.join("\n"));
        }
    }
    assert!(different.is_empty(), "these look different:\n\n{different}");
}
