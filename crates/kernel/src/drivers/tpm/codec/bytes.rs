//! Big-endian fields, read and written within bounds.

use core::fmt;

/// Bytes that are not what they should be, by the name of the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the TPM's answer makes no sense: {}", self.0)
    }
}

/// Fields from the front of some bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn bytes(&mut self, count: usize, name: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed(name))?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed(name))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self, name: &'static str) -> Result<u8, Malformed> {
        self.array(name).map(u8::from_be_bytes)
    }

    pub fn u16(&mut self, name: &'static str) -> Result<u16, Malformed> {
        self.array(name).map(u16::from_be_bytes)
    }

    pub fn u32(&mut self, name: &'static str) -> Result<u32, Malformed> {
        self.array(name).map(u32::from_be_bytes)
    }

    pub fn u64(&mut self, name: &'static str) -> Result<u64, Malformed> {
        self.array(name).map(u64::from_be_bytes)
    }

    /// Bytes behind their length in 16 bits, a `TPM2B` structure.
    pub fn sized(&mut self, name: &'static str) -> Result<&'a [u8], Malformed> {
        let count = self.u16(name)?;
        self.bytes(usize::from(count), name)
    }

    /// Nothing may be left.
    pub const fn finish(&self, name: &'static str) -> Result<(), Malformed> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(Malformed(name)),
        }
    }
}

/// Fields one behind the other; what does not fit is noticed at the end.
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    length: usize,
    is_over: bool,
}

/// A place that gets its value later.
#[derive(Clone, Copy)]
pub struct Place(usize);

impl<'a> Writer<'a> {
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self {
            buffer,
            length: 0,
            is_over: false,
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        match self.buffer.get_mut(self.length..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length = end;
            }
            None => self.is_over = true,
        }
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Bytes behind their length in 16 bits.
    pub fn sized(&mut self, bytes: &[u8]) {
        match u16::try_from(bytes.len()) {
            Ok(length) => {
                self.u16(length);
                self.bytes(bytes);
            }
            Err(_) => self.is_over = true,
        }
    }

    /// Leaves room for a length in 16 bits.
    pub fn begin_sized(&mut self) -> Place {
        let place = Place(self.length);
        self.u16(0);
        place
    }

    /// What was written since `begin_sized` is what the length counts.
    pub fn end_sized(&mut self, place: Place) {
        let length = self.length.saturating_sub(place.0 + 2);
        match u16::try_from(length) {
            Ok(length) => self.put(place.0, &length.to_be_bytes()),
            Err(_) => self.is_over = true,
        }
    }

    /// Leaves room for a length in 32 bits.
    pub fn begin_sized_u32(&mut self) -> Place {
        let place = Place(self.length);
        self.u32(0);
        place
    }

    pub fn end_sized_u32(&mut self, place: Place) {
        let length = self.length.saturating_sub(place.0 + 4) as u32;
        self.put(place.0, &length.to_be_bytes());
    }

    /// What was written from `start` on.
    pub fn written_from(&self, start: usize) -> &[u8] {
        self.buffer.get(start..self.length).unwrap_or_default()
    }

    pub const fn length(&self) -> usize {
        self.length
    }

    /// Writes over what was written.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        let written = &mut self.buffer[..self.length];
        match written.get_mut(at..at + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => self.is_over = true,
        }
    }

    /// All bytes, unless they did not fit.
    pub fn finish(self) -> Option<usize> {
        (!self.is_over).then_some(self.length)
    }
}
