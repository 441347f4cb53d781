//! What the editor promises to a session: bounds, counts, a way back.

use super::rig::{PROMPT, Rig};
use crate::limits::{LINE_MAX, SESSION_OUTPUT_BYTES};
use crate::shell::editor::{Event, LineEditor, STEP_OUTPUT_MAX};

#[test]
fn a_typed_character_costs_one_byte_and_one_in_the_middle_its_tail() {
    let mut rig = Rig::new(None);
    rig.most_output = 0;
    rig.type_bytes(b"status");
    assert_eq!(rig.most_output, 1);
    rig.type_bytes(b"\x01X");
    assert_eq!(rig.most_output, "Xstatus\x1b[9G".len());
}

#[test]
fn a_megabyte_without_a_line_end_is_one_line_refused_with_one_bell() {
    let mut rig = Rig::new(None);
    for _ in 0..1_000_000 {
        assert_eq!(rig.type_byte(b'x'), None);
    }
    rig.check();
    assert_eq!(rig.editor.line().len(), LINE_MAX);
    assert_eq!(rig.terminal.bells, 1);
    assert_eq!(rig.type_byte(b'\r'), Some(Event::LineTooLong));
    let view = rig.editor.view();
    assert_eq!(view.refused_characters, 1_000_000 - LINE_MAX as u64);
    assert_eq!((view.refused_lines, view.lines), (1, 0));
    rig.type_bytes(b"help\r");
    assert_eq!((rig.lines_run, rig.last_line.as_str()), (1, "help"));
    assert!(rig.editor.history().oldest_first().eq(["help"]));
}

#[test]
fn what_found_no_room_is_counted_and_shown_with_the_next_key() {
    let mut rig = Rig::new(None);
    rig.type_bytes(b"ab");
    rig.type_without_room(b'\x01', 2);
    assert!(rig.editor.view().lost_output_bytes > 0);
    rig.type_bytes(b"c");
    rig.check();
    assert_eq!(rig.editor.line(), "cab");
}

#[test]
fn a_key_without_a_start_begins_a_line_of_its_own() {
    let mut editor = LineEditor::new();
    let mut out = std::boxed::Box::default();
    let complete = super::rig::Known;
    let now = crate::base::time::Instant::ZERO;
    editor.redraw(&mut out);
    editor.hide(&mut out);
    assert!(out.is_empty());
    assert_eq!(editor.step(now, b'a', &complete, &mut out), None);
    assert_eq!(editor.line(), "a");
    editor.start(PROMPT, &mut out);
    assert_eq!((editor.line(), editor.cursor()), ("", 0));
}

#[test]
fn a_session_can_afford_an_editor() {
    assert!(size_of::<LineEditor>() <= 16 * 1024);
    const { assert!(STEP_OUTPUT_MAX <= SESSION_OUTPUT_BYTES) };
}
