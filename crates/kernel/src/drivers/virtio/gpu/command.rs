//! The messages of a virtio GPU in two dimensions (virtio 1.2, 5.7.6).

use crate::drivers::screen::dirty::Rectangle;
use crate::drivers::virtio::lie::DeviceLie;

/// The longest command that is sent.
pub const COMMAND_BYTES_MAX: usize = 56;
const HEADER_BYTES: usize = 24;
const SCANOUTS: usize = 16;
const MODE_BYTES: usize = 24;
/// The longest answer: what the displays show.
pub const ANSWER_BYTES_MAX: usize = HEADER_BYTES + SCANOUTS * MODE_BYTES;

const OK: u32 = 0x1100;
const OK_DISPLAY_INFO: u32 = 0x1101;
const OUT_OF_MEMORY: u32 = 0x1201;
/// Blue in the lowest byte, then green, red, and a byte that means nothing.
const FORMAT: u32 = 2;
/// No display is wider or higher: more is a mistake of the device.
const SIDE_MAX: u32 = 16_384;

/// What the device is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    DisplayInfo,
    Create {
        resource: u32,
        size: Size,
    },
    Attach {
        resource: u32,
        address: u64,
        bytes: u32,
    },
    Scanout {
        resource: u32,
        size: Size,
    },
    Transfer {
        resource: u32,
        part: Rectangle,
        offset: u64,
    },
    Flush {
        resource: u32,
        part: Rectangle,
    },
    Forget {
        resource: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// What the device has answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Done,
    /// The first display's size; `None` while it is off.
    Display(Option<Size>),
    NoMemory,
}

impl Size {
    pub const fn bytes(self) -> u64 {
        self.width as u64 * self.height as u64 * 4
    }

    pub const fn rectangle(self) -> Rectangle {
        Rectangle {
            x: 0,
            y: 0,
            width: self.width as usize,
            height: self.height as usize,
        }
    }
}

impl Command {
    const fn number(&self) -> u32 {
        match self {
            Self::DisplayInfo => 0x0100,
            Self::Create { .. } => 0x0101,
            Self::Forget { .. } => 0x0102,
            Self::Scanout { .. } => 0x0103,
            Self::Flush { .. } => 0x0104,
            Self::Transfer { .. } => 0x0105,
            Self::Attach { .. } => 0x0106,
        }
    }

    /// Writes the message and says how long it is.
    pub fn emit(&self, bytes: &mut [u8; COMMAND_BYTES_MAX]) -> usize {
        let mut words = Words { bytes, length: 0 };
        words.push(self.number());
        // No flags, no fence, no context.
        (1..HEADER_BYTES / 4).for_each(|_| words.push(0));
        match *self {
            Self::DisplayInfo => {}
            Self::Create { resource, size } => {
                words.push_all(&[resource, FORMAT, size.width, size.height]);
            }
            Self::Attach {
                resource,
                address,
                bytes,
            } => {
                words.push_all(&[resource, 1]);
                words.push_long(address);
                words.push_all(&[bytes, 0]);
            }
            Self::Scanout { resource, size } => {
                words.push_rectangle(&size.rectangle());
                words.push_all(&[0, resource]);
            }
            Self::Transfer {
                resource,
                part,
                offset,
            } => {
                words.push_rectangle(&part);
                words.push_long(offset);
                words.push_all(&[resource, 0]);
            }
            Self::Flush { resource, part } => {
                words.push_rectangle(&part);
                words.push_all(&[resource, 0]);
            }
            Self::Forget { resource } => {
                words.push_all(&[resource, 0]);
            }
        }
        words.length
    }

    /// How long the answer may be.
    pub const fn answer_bytes(&self) -> usize {
        match self {
            Self::DisplayInfo => ANSWER_BYTES_MAX,
            _ => HEADER_BYTES,
        }
    }

    /// Reads the answer: `bytes` is what the device says that it has written.
    pub fn parse(&self, bytes: &[u8]) -> Result<Answer, DeviceLie> {
        let lie = |name, value: u32| DeviceLie::Field {
            name,
            value: u64::from(value),
        };
        let word = |at: usize| {
            let word = bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
            let word = word.ok_or_else(|| lie("GPU answer length", bytes.len() as u32))?;
            Ok(u32::from_le_bytes(*word))
        };
        // All of the header must have been written.
        word(HEADER_BYTES - 4)?;
        match (word(0)?, self) {
            (OK, Self::DisplayInfo) => Err(lie("GPU answer", OK)),
            (OK, _) => Ok(Answer::Done),
            (OUT_OF_MEMORY, Self::Create { .. }) => Ok(Answer::NoMemory),
            (OK_DISPLAY_INFO, Self::DisplayInfo) => {
                let size = Size {
                    width: word(HEADER_BYTES + 8)?,
                    height: word(HEADER_BYTES + 12)?,
                };
                if word(HEADER_BYTES + 16)? == 0 {
                    return Ok(Answer::Display(None));
                }
                if !(1..=SIDE_MAX).contains(&size.width) {
                    return Err(lie("display width", size.width));
                }
                if !(1..=SIDE_MAX).contains(&size.height) {
                    return Err(lie("display height", size.height));
                }
                Ok(Answer::Display(Some(size)))
            }
            (answer, _) => Err(lie("GPU answer", answer)),
        }
    }
}

struct Words<'a> {
    bytes: &'a mut [u8; COMMAND_BYTES_MAX],
    length: usize,
}

impl Words<'_> {
    fn push(&mut self, word: u32) {
        self.bytes[self.length..self.length + 4].copy_from_slice(&word.to_le_bytes());
        self.length += 4;
    }

    fn push_all(&mut self, words: &[u32]) {
        words.iter().for_each(|word| self.push(*word));
    }

    fn push_long(&mut self, word: u64) {
        self.push(word as u32);
        self.push((word >> 32) as u32);
    }

    fn push_rectangle(&mut self, part: &Rectangle) {
        let sides = [part.x, part.y, part.width, part.height];
        self.push_all(&sides.map(|side| side as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 0x500,
        height: 0x320,
    };

    fn emitted(command: Command) -> std::vec::Vec<u8> {
        let mut bytes = [0xa5; COMMAND_BYTES_MAX];
        let length = command.emit(&mut bytes);
        bytes[..length].to_vec()
    }

    #[test]
    fn commands_are_what_the_specification_says() {
        let mut expected = std::vec![0; 40];
        expected[..2].copy_from_slice(&[0x01, 0x01]);
        expected[24..].copy_from_slice(&[7, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0x20, 3, 0, 0]);
        let resource = 7;
        assert_eq!(
            emitted(Command::Create {
                resource,
                size: SIZE
            }),
            expected
        );
        let part = Rectangle {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        let transfer = emitted(Command::Transfer {
            resource,
            part,
            offset: 0x1_0000_0005,
        });
        assert_eq!(transfer.len(), 56);
        let tail = [
            1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0,
            0, 0, 0,
        ];
        assert_eq!(transfer[24..], tail);
        let lengths = [
            (Command::DisplayInfo, 24),
            (Command::Forget { resource }, 32),
            (Command::Flush { resource, part }, 48),
            (
                Command::Scanout {
                    resource,
                    size: SIZE,
                },
                48,
            ),
            (
                Command::Attach {
                    resource,
                    address: 1,
                    bytes: 2,
                },
                48,
            ),
        ];
        for (command, length) in lengths {
            assert_eq!(emitted(command).len(), length, "{command:?}");
        }
    }

    fn display(width: u32, height: u32, enabled: u32) -> std::vec::Vec<u8> {
        let mut bytes = std::vec![0; ANSWER_BYTES_MAX];
        bytes[..4].copy_from_slice(&OK_DISPLAY_INFO.to_le_bytes());
        bytes[32..36].copy_from_slice(&width.to_le_bytes());
        bytes[36..40].copy_from_slice(&height.to_le_bytes());
        bytes[40..44].copy_from_slice(&enabled.to_le_bytes());
        bytes
    }

    #[test]
    fn answers_that_cannot_be_are_named() {
        let parse = |bytes: &[u8]| Command::DisplayInfo.parse(bytes);
        let size = Answer::Display(Some(SIZE));
        assert_eq!(parse(&display(0x500, 0x320, 1)), Ok(size));
        assert_eq!(parse(&display(0, 0, 0)), Ok(Answer::Display(None)));
        let field = |bytes: &[u8]| parse(bytes).unwrap_err().field();
        assert_eq!(field(&display(0, 5, 1)), "display width");
        assert_eq!(field(&display(5, 0, 1)), "display height");
        assert_eq!(field(&display(u32::MAX, 5, 1)), "display width");
        assert_eq!(field(&display(5, 5, 1)[..40]), "GPU answer length");
        assert_eq!(field(&[]), "GPU answer length");
        assert_eq!(field(&[0; 24]), "GPU answer");
        let flush = Command::Forget { resource: 1 };
        assert!(flush.parse(&display(5, 5, 1)).is_err());
        let mut full = [0; 24];
        full[..4].copy_from_slice(&OUT_OF_MEMORY.to_le_bytes());
        let create = Command::Create {
            resource: 1,
            size: SIZE,
        };
        assert_eq!(create.parse(&full), Ok(Answer::NoMemory));
        assert!(flush.parse(&full).is_err());
    }
}
