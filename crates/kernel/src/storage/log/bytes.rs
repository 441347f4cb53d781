//! Numbers in sectors: lowest byte first.

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*field))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*field))
}

/// Puts fields one behind the other; what does not fit is a mistake of the caller.
pub struct Emitter<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Emitter<'a> {
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn put(&mut self, field: &[u8]) -> &mut Self {
        let end = self.at + field.len();
        self.bytes[self.at..end].copy_from_slice(field);
        self.at = end;
        self
    }

    pub fn u64(&mut self, field: u64) -> &mut Self {
        self.put(&field.to_le_bytes())
    }

    pub fn u32(&mut self, field: u32) -> &mut Self {
        self.put(&field.to_le_bytes())
    }

    /// What was put so far.
    pub fn written(&self) -> &[u8] {
        &self.bytes[..self.at]
    }
}
