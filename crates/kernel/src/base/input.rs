//! What people do at keyboards, mice and touch screens, in the codes of Linux.

use core::fmt;

/// The codes of <linux/input-event-codes.h>, which virtio has taken over.
pub mod event {
    pub const SYNCHRONIZE: u16 = 0;
    pub const KEY: u16 = 1;
    pub const RELATIVE: u16 = 2;
    pub const ABSOLUTE: u16 = 3;
    pub const LIGHT: u16 = 0x11;
    /// Keys below this are on keyboards; the others are buttons of pointers.
    pub const FIRST_BUTTON: u16 = 0x100;
    pub const TOUCH_BUTTON: u16 = 0x14a;
    pub const FIRST_TOUCH_AXIS: u16 = 0x2f;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InputEvent {
    pub kind: u16,
    pub code: u16,
    pub value: i32,
}

/// Who should care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputClass {
    Keyboard,
    Pointer,
    Touch,
    /// Ends of groups, and what nobody here listens to.
    Other,
}

impl InputEvent {
    pub const fn class(&self) -> InputClass {
        match (self.kind, self.code) {
            (event::KEY, 0..event::FIRST_BUTTON) => InputClass::Keyboard,
            (event::KEY, event::TOUCH_BUTTON) => InputClass::Touch,
            (event::ABSOLUTE, event::FIRST_TOUCH_AXIS..) => InputClass::Touch,
            (event::KEY | event::RELATIVE | event::ABSOLUTE, _) => InputClass::Pointer,
            _ => InputClass::Other,
        }
    }
}

/// The lights of a keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyboardLights {
    pub is_num_lock: bool,
    pub is_caps_lock: bool,
}

/// A device that people touch.
pub trait InputDevice {
    fn next_event(&mut self) -> Option<InputEvent>;

    fn set_lights(&mut self, lights: KeyboardLights);
}

impl fmt::Display for InputClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyboard => "keyboard",
            Self::Pointer => "pointer",
            Self::Touch => "touch",
            Self::Other => "other",
        })
    }
}
