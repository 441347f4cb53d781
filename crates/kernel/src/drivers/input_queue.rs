//! What pointers and touch screens did, for whoever owns the display.
//!
//! Nobody has to take it: the oldest events make room for new ones, and are counted.

use crate::base::fixed::Queue;
use crate::base::input::{InputClass, InputEvent};
use crate::base::metric::Usage;
use crate::limits::INPUT_TENANT_EVENTS_MAX;

#[derive(Default)]
pub struct InputQueue {
    events: Queue<InputEvent, INPUT_TENANT_EVENTS_MAX>,
    pub keys: u64,
    pub pointer: u64,
    pub touch: u64,
    /// Events that made room for newer ones.
    pub dropped: u64,
}

impl InputQueue {
    /// Counts an event; one that says something is kept.
    pub fn push(&mut self, event: InputEvent) {
        match event.class() {
            // There is no console that it could be typed at.
            InputClass::Keyboard => self.keys += 1,
            InputClass::Pointer => self.pointer += 1,
            InputClass::Touch => self.touch += 1,
            InputClass::Other => return,
        }
        if self.events.space() == 0 {
            self.events.pop();
            self.dropped += 1;
        }
        let kept = self.events.push(event);
        crate::invariant!(
            kept.is_ok(),
            "no room for an input event after one was dropped"
        );
    }

    pub fn pop(&mut self) -> Option<InputEvent> {
        self.events.pop()
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &InputEvent> {
        self.events.iter()
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("INPUT_TENANT_EVENTS_MAX", INPUT_TENANT_EVENTS_MAX)
            .used(self.len() as u64)
            .ring()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::input::event;

    #[test]
    fn the_newest_events_are_kept_and_all_are_counted() {
        let mut queue = InputQueue::default();
        let most = INPUT_TENANT_EVENTS_MAX as i32;
        for value in 0..most + 3 {
            queue.push(InputEvent {
                kind: event::RELATIVE,
                code: 0,
                value,
            });
            queue.push(InputEvent::default());
        }
        assert_eq!((queue.pointer, queue.dropped), (most as u64 + 3, 3));
        assert_eq!(queue.len(), INPUT_TENANT_EVENTS_MAX);
        assert_eq!(queue.pop().unwrap().value, 3);
    }
}
