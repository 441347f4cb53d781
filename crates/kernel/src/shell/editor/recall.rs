//! Up and Down: older and newer lines that begin as the unsaved one did.

use super::LineEditor;

/// Which line of the history stands in place of the unsaved one.
#[derive(Debug)]
pub struct Recall {
    age: usize,
    /// Bytes of the unsaved line with which recalled ones begin.
    prefix: usize,
}

impl LineEditor {
    pub(super) fn recall_older(&mut self) {
        let (from, prefix) = match &self.recall {
            Some(recall) => (recall.age + 1, recall.prefix),
            None => {
                self.unsaved.set_cut(self.buffer.text());
                (0, self.buffer.cursor())
            }
        };
        let beginning = &self.unsaved[..prefix];
        let mut lines = self.history.newest_first().enumerate().skip(from);
        match lines.find(|(_, line)| line.starts_with(beginning) && *line != self.buffer.text()) {
            Some((age, line)) => {
                self.buffer.set(line);
                self.is_overlong = false;
                self.recall = Some(Recall { age, prefix });
            }
            None => self.has_rung = true,
        }
    }

    pub(super) fn recall_newer(&mut self) {
        let Some(recall) = &mut self.recall else {
            self.has_rung = true;
            return;
        };
        let beginning = &self.unsaved[..recall.prefix];
        let lines = self.history.newest_first().enumerate().take(recall.age);
        let newer = lines
            .filter(|(_, line)| line.starts_with(beginning) && *line != self.buffer.text())
            .last();
        if let Some((age, line)) = newer {
            recall.age = age;
            self.buffer.set(line);
        } else {
            self.buffer.set(&self.unsaved);
            self.recall = None;
        }
    }
}
