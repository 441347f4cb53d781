//! The keyboard's lights, and the bytes that set them.

use crate::base::input::KeyboardLights;

const SET_LIGHTS: u8 = 0xed;
const NUM_LOCK: u8 = 1 << 1;
const CAPS_LOCK: u8 = 1 << 2;

/// A keyboard that refuses so often keeps the lights it has.
const ATTEMPTS_MAX: u8 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    CommandSent,
    CommandTaken,
    ValueSent(u8),
}

pub struct Lights {
    state: State,
    wanted: u8,
    /// What the keyboard has taken; `None` before the first time.
    lit: Option<u8>,
    attempts: u8,
}

impl Lights {
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            wanted: 0,
            lit: None,
            attempts: 0,
        }
    }

    pub fn want(&mut self, is_caps_lock: bool, is_num_lock: bool) {
        let caps = if is_caps_lock { CAPS_LOCK } else { 0 };
        let num = if is_num_lock { NUM_LOCK } else { 0 };
        if self.wanted != caps | num {
            self.wanted = caps | num;
            self.attempts = 0;
            // An answer that was lost must not keep the lights dark for ever: a
            // keyboard that waits for a value takes a new command in its place.
            self.state = State::Idle;
        }
    }

    /// The keyboard was plugged in again and has forgotten its lights.
    pub fn on_keyboard_reset(&mut self) {
        self.lit = None;
        self.attempts = 0;
        self.state = State::Idle;
    }

    pub fn on_acknowledge(&mut self) {
        match self.state {
            State::CommandSent => self.state = State::CommandTaken,
            State::ValueSent(value) => {
                self.lit = Some(value);
                self.state = State::Idle;
            }
            State::Idle | State::CommandTaken => {}
        }
    }

    /// The keyboard did not understand, and wants all of it again.
    pub fn on_resend(&mut self) {
        self.state = State::Idle;
    }

    /// As `take_command` for a keyboard that takes all of it at once.
    pub fn take_all(&mut self) -> Option<KeyboardLights> {
        if self.lit == Some(self.wanted) {
            return None;
        }
        self.lit = Some(self.wanted);
        Some(KeyboardLights {
            is_num_lock: self.wanted & NUM_LOCK != 0,
            is_caps_lock: self.wanted & CAPS_LOCK != 0,
        })
    }

    pub fn take_command(&mut self) -> Option<u8> {
        match self.state {
            State::Idle if self.lit != Some(self.wanted) && self.attempts < ATTEMPTS_MAX => {
                self.attempts += 1;
                self.state = State::CommandSent;
                Some(SET_LIGHTS)
            }
            State::CommandTaken => {
                self.state = State::ValueSent(self.wanted);
                Some(self.wanted)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lights_follow_the_locks() {
        let mut lights = Lights::new();
        lights.want(true, false);
        assert_eq!(lights.take_command(), Some(SET_LIGHTS));
        assert_eq!(lights.take_command(), None);
        lights.on_acknowledge();
        assert_eq!(lights.take_command(), Some(CAPS_LOCK));
        lights.on_acknowledge();
        assert_eq!(lights.take_command(), None);
        lights.want(false, true);
        assert_eq!(lights.take_command(), Some(SET_LIGHTS));
    }

    #[test]
    fn a_keyboard_that_always_refuses_is_left_alone() {
        let mut lights = Lights::new();
        let mut commands = 0;
        for _ in 0..100 {
            commands += usize::from(lights.take_command().is_some());
            lights.on_resend();
        }
        assert_eq!(commands, usize::from(ATTEMPTS_MAX));
    }

    #[test]
    fn a_lost_answer_delays_the_lights_only_until_the_next_change() {
        let mut lights = Lights::new();
        assert_eq!(lights.take_command(), Some(SET_LIGHTS));
        assert_eq!(lights.take_command(), None);
        lights.want(true, true);
        assert_eq!(lights.take_command(), Some(SET_LIGHTS));
    }
}
