//! Ctrl-R: the newest line of the history that has what is typed in it.

use super::LineEditor;
use crate::base::fixed::Text;
use crate::limits::{PROMPT_MAX, SEARCH_MAX};
use crate::shell::keys::Key;

#[derive(Debug)]
pub struct Search {
    query: Text<SEARCH_MAX>,
    /// The age of the line that was found.
    age: usize,
    is_failing: bool,
}

impl Search {
    pub fn prompt(&self) -> Text<PROMPT_MAX> {
        let said = if self.is_failing {
            "no match"
        } else {
            "search"
        };
        Text::format(format_args!("({said} '{}') ", self.query))
    }
}

impl LineEditor {
    pub(super) fn begin_search(&mut self) {
        self.unsaved.set_cut(self.buffer.text());
        self.recall = None;
        self.search = Some(Search {
            query: Text::new(),
            age: 0,
            is_failing: false,
        });
    }

    /// Says whether the key ended the search and is to do what it does without one.
    pub(super) fn on_search_key(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.search else {
            return true;
        };
        let from = match key {
            Key::Char(character) => {
                let mut bytes = [0; 4];
                let text = character.encode_utf8(&mut bytes);
                if search.query.push_str(text).is_err() {
                    self.view.refused_characters += 1;
                    self.has_rung = true;
                    return false;
                }
                search.age
            }
            Key::Control('r') => search.age + 1,
            Key::Backspace => {
                search.query.pop();
                0
            }
            Key::Control('g') => {
                self.search = None;
                self.buffer.set(&self.unsaved);
                return false;
            }
            Key::Escape => {
                self.search = None;
                return false;
            }
            _ => {
                self.search = None;
                return true;
            }
        };
        self.find(from);
        false
    }

    /// Puts the first line that matches and is at least that old in place of the line.
    fn find(&mut self, from: usize) {
        let Some(search) = &mut self.search else {
            return;
        };
        if search.query.is_empty() {
            self.buffer.set(&self.unsaved);
            search.age = 0;
            search.is_failing = false;
            return;
        }
        let mut lines = self.history.newest_first().enumerate().skip(from);
        let found =
            lines.find_map(|(age, line)| Some((age, line, line.find(search.query.as_str())?)));
        search.is_failing = found.is_none();
        if let Some((age, line, at)) = found {
            search.age = age;
            self.buffer.set(line);
            self.buffer.set_cursor(at);
            self.is_overlong = false;
        } else {
            self.has_rung = true;
        }
    }
}
