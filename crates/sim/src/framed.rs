//! The host's side of the framed shell protocol, byte by byte.

/// One line's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub text: String,
    pub has_succeeded: bool,
}

/// What the bytes from a kernel mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The kernel waits for a line.
    Ready,
    Answer(Answer),
    /// The whole report of a panic.
    Panic(String),
}

const ENQ: u8 = 0x05;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const CAN: u8 = 0x18;
const EOT: u8 = 0x04;

#[derive(Default)]
enum State {
    /// What comes here is the log of the boot.
    #[default]
    Outside,
    Answer(Vec<u8>),
    Status(Vec<u8>),
    Panic(Vec<u8>),
}

/// Cuts a stream of bytes into events.
#[derive(Default)]
pub struct Decoder {
    state: State,
    /// Everything outside of frames.
    pub boot_log: Vec<u8>,
}

impl Decoder {
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        if byte == CAN {
            self.state = State::Panic(Vec::new());
            return None;
        }
        let (state, event) = match core::mem::take(&mut self.state) {
            State::Outside => match byte {
                ENQ => (State::Outside, Some(Event::Ready)),
                STX => (State::Answer(Vec::new()), None),
                _ => {
                    self.boot_log.push(byte);
                    (State::Outside, None)
                }
            },
            State::Answer(text) if byte == ETX => (State::Status(text), None),
            State::Answer(mut text) => {
                text.push(byte);
                (State::Answer(text), None)
            }
            State::Status(text) => {
                let answer = Answer {
                    text: String::from_utf8_lossy(&text).into_owned(),
                    has_succeeded: byte == b'0',
                };
                (State::Outside, Some(Event::Answer(answer)))
            }
            State::Panic(text) if byte == EOT => {
                let text = String::from_utf8_lossy(&text).into_owned();
                (State::Outside, Some(Event::Panic(text)))
            }
            State::Panic(mut text) => {
                text.push(byte);
                (State::Panic(text), None)
            }
        };
        self.state = state;
        event
    }
}
