//! The escape key of `run`: Ctrl-A, then one letter.

const CTRL_A: u8 = 0x01;

/// What a typed byte asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A byte for the kernel.
    Send(u8),
    Quit,
    /// A byte that belongs to the escape and not to the kernel.
    Swallowed,
}

#[derive(Debug, Default)]
pub struct Keys {
    is_escaped: bool,
}

impl Keys {
    pub fn push(&mut self, byte: u8) -> Key {
        if !std::mem::take(&mut self.is_escaped) {
            self.is_escaped = byte == CTRL_A;
            return if self.is_escaped {
                Key::Swallowed
            } else {
                Key::Send(byte)
            };
        }
        match byte {
            b'x' => Key::Quit,
            b'a' => Key::Send(CTRL_A),
            _ => Key::Swallowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes
            .iter()
            .map(|byte| keys.push(*byte))
            .filter(|key| *key != Key::Swallowed)
            .collect()
    }

    #[test]
    fn control_a_x_quits_and_x_alone_does_not() {
        assert_eq!(keys(b"x\x01x"), [Key::Send(b'x'), Key::Quit]);
    }

    #[test]
    fn control_a_a_sends_control_a_once() {
        assert_eq!(keys(b"\x01aa"), [Key::Send(1), Key::Send(b'a')]);
    }

    #[test]
    fn control_c_goes_to_the_kernel() {
        assert_eq!(keys(b"\x03"), [Key::Send(3)]);
    }

    #[test]
    fn an_unknown_escape_sends_nothing_and_is_over() {
        assert_eq!(keys(b"\x01qx"), [Key::Send(b'x')]);
    }
}
