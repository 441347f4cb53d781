//! What each key does.

use super::completion::{self, Completion};
use super::{Complete, Event, LineEditor, Paste, Pen, Reach, Towards};
use crate::base::time::Instant;
use crate::limits::LINE_MAX;
use crate::shell::keys::Key;

impl LineEditor {
    pub(super) fn on_key(
        &mut self,
        key: Key,
        complete: &dyn Complete,
        pen: &mut Pen<'_>,
    ) -> Option<Event> {
        if self.is_over {
            self.begin_line();
        }
        let had_rung = core::mem::take(&mut self.has_rung);
        let had_bytes = self.buffer.text().len();
        let had_refused = self.view.refused_characters;
        let event = match key {
            Key::Control('c') => Some(self.interrupt(pen)),
            _ if self.paste.is_some() => self.on_pasted_key(key),
            _ => self.on_typed_key(key, complete, pen),
        };
        if self.has_rung && !had_rung {
            pen.bell();
        }
        if self.buffer.text().len() < had_bytes {
            self.is_overlong = false;
        }
        // A megabyte that finds no room changes nothing and must not cost a redraw a byte.
        let is_unchanged =
            self.view.refused_characters > had_refused && self.buffer.text().len() == had_bytes;
        if event.is_none() && !is_unchanged {
            self.show(pen);
        }
        event
    }

    fn on_typed_key(
        &mut self,
        key: Key,
        complete: &dyn Complete,
        pen: &mut Pen<'_>,
    ) -> Option<Event> {
        let is_list_next = core::mem::take(&mut self.is_list_next);
        if self.search.is_some() && !self.on_search_key(key) {
            return None;
        }
        match key {
            Key::Char(character) => self.insert(character),
            Key::Enter => return Some(self.end_line(pen)),
            Key::Control('d') if self.buffer.is_empty() => {
                self.leave_row(pen);
                return Some(Event::EndOfInput);
            }
            Key::Control('l') => return Some(Event::ClearScreen),
            Key::Tab if is_list_next => self.list(complete, pen),
            Key::Tab => self.complete(complete),
            Key::Up | Key::Control('p') => self.recall_older(),
            Key::Down | Key::Control('n') => self.recall_newer(),
            Key::Control('r') => self.begin_search(),
            Key::PasteStart => {
                self.paste = Some(Paste {
                    has_line_end: false,
                    over_at: Instant::FAR_FUTURE,
                });
            }
            _ => self.edit(key),
        }
        None
    }

    /// Keys that only move the cursor or take something out of the line.
    fn edit(&mut self, key: Key) {
        use Reach::{All, Chunk, Cluster, Word};
        use Towards::{End, Start};
        let buffer = &mut self.buffer;
        let has_changed = match key {
            Key::Left | Key::Control('b') => return self.go(Start, Cluster),
            Key::Right | Key::Control('f') => return self.go(End, Cluster),
            Key::WordLeft | Key::Alt('b') => return self.go(Start, Word),
            Key::WordRight | Key::Alt('f') => return self.go(End, Word),
            Key::Home | Key::Control('a') => return self.go(Start, All),
            Key::End | Key::Control('e') => return self.go(End, All),
            Key::Backspace => buffer.remove(Start, Cluster),
            Key::Delete | Key::Control('d') => buffer.remove(End, Cluster),
            Key::Control('k') => buffer.cut(End, All),
            Key::Control('u') => buffer.cut(Start, All),
            Key::Control('w') => buffer.cut(Start, Chunk),
            Key::Alt('\x7f') => buffer.cut(Start, Word),
            Key::Alt('d') => buffer.cut(End, Word),
            Key::Control('y') => buffer.paste().is_ok(),
            Key::Control('t') => buffer.swap(),
            _ => {
                self.view.ignored_keys += 1;
                return;
            }
        };
        if has_changed {
            self.recall = None;
        } else {
            self.has_rung = true;
        }
    }

    fn go(&mut self, towards: Towards, reach: Reach) {
        let has_moved = self.buffer.go(towards, reach);
        // Who is at the end already wanted to be there.
        self.has_rung |= !has_moved && reach != Reach::All;
    }

    fn insert(&mut self, character: char) {
        let fits = self.buffer.text().len() + character.len_utf8() <= LINE_MAX;
        self.is_overlong |= !fits;
        if !self.is_overlong && self.buffer.insert_char(character).is_ok() {
            self.recall = None;
        } else {
            self.view.refused_characters += 1;
            self.has_rung = true;
        }
    }

    /// Text that is pasted runs nothing: its line ends become semicolons, its tabs blanks.
    fn on_pasted_key(&mut self, key: Key) -> Option<Event> {
        let character = match key {
            Key::Char(character) => character,
            Key::Tab => ' ',
            Key::Enter => {
                let is_empty = self.buffer.is_empty();
                if let Some(paste) = &mut self.paste {
                    paste.has_line_end = !is_empty;
                }
                return None;
            }
            Key::PasteEnd => {
                self.paste = None;
                return None;
            }
            _ => {
                self.view.ignored_keys += 1;
                return None;
            }
        };
        let paste = self.paste.as_mut();
        if paste.is_some_and(|paste| core::mem::take(&mut paste.has_line_end)) {
            self.insert(';');
            self.insert(' ');
        }
        self.insert(character);
        None
    }

    fn complete(&mut self, complete: &dyn Complete) {
        match completion::extend(&mut self.buffer, complete) {
            Completion::Extended => self.recall = None,
            Completion::Ambiguous => {
                self.is_list_next = true;
                self.has_rung = true;
            }
            Completion::Nothing => self.has_rung = true,
        }
    }

    fn list(&mut self, complete: &dyn Complete, pen: &mut Pen<'_>) {
        self.is_list_next = true;
        let display = &mut self.display;
        completion::look(self.buffer.before_cursor(), complete, |candidates| {
            pen.new_row();
            candidates.list(display.columns(), pen);
            display.on_new_row();
        });
    }

    fn interrupt(&mut self, pen: &mut Pen<'_>) -> Event {
        self.paste = None;
        self.display.go_to_end(pen);
        pen.text("^C");
        self.leave_row(pen);
        self.buffer.set("");
        Event::Interrupt
    }

    fn end_line(&mut self, pen: &mut Pen<'_>) -> Event {
        self.show(pen);
        self.leave_row(pen);
        if core::mem::take(&mut self.is_overlong) {
            self.view.refused_lines += 1;
            self.buffer.set("");
            return Event::LineTooLong;
        }
        self.view.lines += 1;
        self.history.add(self.buffer.text());
        Event::Line
    }

    fn leave_row(&mut self, pen: &mut Pen<'_>) {
        pen.new_row();
        self.display.on_new_row();
        self.is_over = true;
    }
}
