//! A body in chunks, taken apart as its bytes arrive (RFC 9112, 7.1).

/// Extensions of one chunk and all trailers may have so many bytes; they mean nothing here.
const IGNORED_BYTES_MAX: usize = 1024;
/// More digits are no size of anything that fits a machine.
const SIZE_DIGITS_MAX: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Size {
        digits: usize,
    },
    /// Behind the size, until the end of its line.
    Extension,
    Data,
    /// The end of the line behind the data.
    DataEnd,
    /// At the start of a line behind the last chunk.
    TrailerStart,
    Trailer,
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadChunk;

/// Where in a body in chunks the next byte stands.
#[derive(Clone, Debug)]
pub struct Chunked {
    place: Place,
    /// Of the chunk: its size, and then what is missing of it.
    left: u64,
    ignored: usize,
    has_return: bool,
}

impl Chunked {
    pub const fn new() -> Self {
        Self {
            place: Place::Size { digits: 0 },
            left: 0,
            ignored: 0,
            has_return: false,
        }
    }

    pub fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Reads marks up to the next data. Says how many bytes those marks had, and how many
    /// of the bytes behind them are data of the body; both 0 when more is needed or it ended.
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, usize), BadChunk> {
        let mut marks = 0;
        while self.place != Place::Data && self.place != Place::Done {
            let Some(byte) = input.get(marks) else {
                return Ok((marks, 0));
            };
            self.take_mark(*byte)?;
            marks += 1;
        }
        if self.place == Place::Done {
            return Ok((marks, 0));
        }
        let there = (input.len() - marks) as u64;
        let data = there.min(self.left);
        self.left -= data;
        if self.left == 0 {
            self.place = Place::DataEnd;
        }
        // Not more than the input has.
        Ok((marks, data as usize))
    }

    fn take_mark(&mut self, byte: u8) -> Result<(), BadChunk> {
        // A carriage return is part of an end of line, and of nothing else.
        if self.has_return && byte != b'\n' {
            return Err(BadChunk);
        }
        if byte == b'\r' {
            self.has_return = true;
            return Ok(());
        }
        self.has_return = false;
        self.place = match (self.place, byte) {
            (Place::Size { digits: 1.. } | Place::Extension, b'\n') => match self.left {
                0 => Place::TrailerStart,
                _ => Place::Data,
            },
            (Place::Size { digits: 1.. }, b';' | b' ' | b'\t') => Place::Extension,
            (Place::Size { digits }, _) if digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).ok_or(BadChunk)?;
                self.left = self.left * 16 + u64::from(digit);
                Place::Size { digits: digits + 1 }
            }
            (Place::Trailer, b'\n') => Place::TrailerStart,
            (Place::DataEnd, b'\n') => {
                self.ignored = 0;
                Place::Size { digits: 0 }
            }
            (Place::TrailerStart, b'\n') => Place::Done,
            (Place::Extension, _) => self.ignore(Place::Extension)?,
            (Place::TrailerStart | Place::Trailer, _) => self.ignore(Place::Trailer)?,
            _ => return Err(BadChunk),
        };
        Ok(())
    }

    fn ignore(&mut self, place: Place) -> Result<Place, BadChunk> {
        self.ignored += 1;
        match self.ignored <= IGNORED_BYTES_MAX {
            true => Ok(place),
            false => Err(BadChunk),
        }
    }
}
