//! A device's registers: on metal mapped memory, in tests a model.

/// Registers in one range, little-endian, addressed by offset.
///
/// An offset outside of the range reads as all ones and writes to nothing, as a
/// bus without a device does.
pub trait Registers {
    /// Bytes of the range.
    fn bytes(&self) -> usize;
    fn read_u8(&self, offset: usize) -> u8;
    fn read_u16(&self, offset: usize) -> u16;
    fn read_u32(&self, offset: usize) -> u32;
    fn write_u8(&self, offset: usize, value: u8);
    fn write_u16(&self, offset: usize, value: u16);
    fn write_u32(&self, offset: usize, value: u32);

    /// Two halves, low first: what every device takes, also one without 64-bit accesses.
    fn write_u64(&self, offset: usize, value: u64) {
        self.write_u32(offset, value as u32);
        self.write_u32(offset + 4, (value >> 32) as u32);
    }
}
