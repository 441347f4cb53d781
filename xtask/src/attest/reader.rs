//! Reads numbers and pieces out of bytes that somebody else wrote; what is not there is an error with its place.

use anyhow::Context;

#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub fn take(&mut self, count: usize) -> anyhow::Result<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        let piece = self
            .at
            .checked_add(count)
            .and_then(|end| self.bytes.get(self.at..end));
        let piece = piece.with_context(|| {
            format!(
                "{count} bytes are announced at byte {} where only {left} are",
                self.at
            )
        })?;
        self.at += count;
        Ok(piece)
    }

    fn array<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> anyhow::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16_le(&mut self) -> anyhow::Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32_le(&mut self) -> anyhow::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u16_be(&mut self) -> anyhow::Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32_be(&mut self) -> anyhow::Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64_be(&mut self) -> anyhow::Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A piece with its length in front, as TPMs send them (TPM2B).
    pub fn sized_be(&mut self) -> anyhow::Result<&'a [u8]> {
        let count = self.u16_be()?;
        self.take(usize::from(count))
    }

    /// A piece with its length in front, as firmware logs it.
    pub fn sized_le(&mut self) -> anyhow::Result<&'a [u8]> {
        let count = self.u32_le()?;
        self.take(usize::try_from(count)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_an_error_and_takes_nothing() {
        let mut reader = Reader::new(&[1, 0, 9]);
        assert!(reader.u32_le().is_err());
        assert_eq!((reader.position(), reader.u16_le().unwrap()), (0, 1));
        let error = reader.take(usize::MAX).unwrap_err().to_string();
        assert!(error.contains("at byte 2 where only 1 are"), "{error}");
        assert_eq!(reader.u8().unwrap(), 9);
        assert!(reader.is_at_end());
    }

    #[test]
    fn a_length_in_front_is_believed_as_far_as_there_are_bytes() {
        assert_eq!(Reader::new(&[0, 1, 7]).sized_be().unwrap(), [7]);
        assert!(Reader::new(&[0xff, 0xff, 7]).sized_be().is_err());
        assert!(Reader::new(&[0xff; 5]).sized_le().is_err());
    }
}
