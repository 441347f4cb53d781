//! Buffers for frames and sectors: handed to a device and given back.

use super::MemoryError;
use super::backing::Backing;
use crate::base::buffer::Buffer;

/// At least `bytes`, in whole pages; what stood in the memory before still stands in it.
pub fn allocate_buffer(bytes: usize) -> Result<Buffer, MemoryError> {
    let backing = Backing::allocate(bytes, false)?;
    let (address, length) = (backing.address(), backing.bytes());
    let device_address = backing.device_address();
    core::mem::forget(backing);
    // SAFETY: the pages are mapped, belong to this buffer alone from here on, and stay
    // until `release_buffer` takes the one slice of them back.
    let bytes = unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) };
    Ok(Buffer::new(bytes, device_address))
}

/// Gives back what `allocate_buffer` gave, whole; pieces of it come back as an error.
///
/// No device may reach it any more.
#[cfg(not(target_os = "none"))]
pub fn release_buffer(buffer: Buffer) -> Result<(), Buffer> {
    let is_own = buffer.bytes().as_ptr() as u64 == buffer.device_address();
    match Backing::taken(buffer.device_address(), buffer.capacity() as u64) {
        Some(backing) if is_own => {
            drop(backing);
            Ok(())
        }
        other => {
            core::mem::forget(other);
            Err(buffer)
        }
    }
}

/// Gives back what `allocate_buffer` gave, or whole pages of it; others come back.
///
/// No device may reach it any more.
#[cfg(target_os = "none")]
pub fn release_buffer(buffer: Buffer) -> Result<(), Buffer> {
    use super::layout::{PAGE_BYTES, to_direct};
    let (physical, bytes) = (buffer.device_address(), buffer.capacity() as u64);
    // The direct map hands out bytes for good through `allocate_buffer` only, so whoever
    // holds whole pages of it for good holds frames that were taken there.
    let is_own = buffer.bytes().as_ptr() as u64 == to_direct(physical)
        && physical.is_multiple_of(PAGE_BYTES)
        && bytes.is_multiple_of(PAGE_BYTES)
        && bytes > 0;
    if !is_own {
        return Err(buffer);
    }
    drop(Backing::taken(physical, bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{read_as_device, write_as_device};

    #[test]
    fn a_device_reaches_a_buffer_until_it_is_given_back() {
        let mut buffer = allocate_buffer(5000).unwrap();
        assert_eq!(buffer.capacity(), 8192);
        let address = buffer.device_address();
        assert!(write_as_device(address + 8190, &[1, 2]));
        assert!(!write_as_device(address + 8190, &[1, 2, 3]));
        assert_eq!(buffer.bytes()[8190..], [1, 2]);
        buffer.bytes_mut()[0] = 9;
        let mut seen = [0];
        assert!(read_as_device(address, &mut seen) && seen == [9]);
        assert!(release_buffer(buffer).is_ok());
    }

    #[test]
    fn what_was_never_given_out_is_not_taken_back() {
        let foreign = Buffer::new(std::vec![0; 4096].leak(), 4096);
        assert!(release_buffer(foreign).is_err());
    }
}
