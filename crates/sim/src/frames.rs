//! Memory for simulated frames, which outlives the worlds that use it.
//!
//! A frame's memory is static, so it is never given back to the host. A pool that
//! all worlds share keeps thousands of them from eating it.

use rayos_kernel::base::buffer::Buffer;
use rayos_kernel::base::network_port::Frame;
use std::sync::{Mutex, PoisonError};

/// What a frame of the usual size takes, and one that is to be cut apart.
const SIZES: [usize; 2] = [10 * 1024, 68 * 1024];

static FREE: [Mutex<Vec<&'static mut [u8]>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

/// A frame of `bytes`; `None` for more than any device takes.
pub fn take(bytes: usize) -> Option<Frame> {
    let class = SIZES.iter().position(|size| bytes <= *size)?;
    let mut free = FREE[class].lock().unwrap_or_else(PoisonError::into_inner);
    let memory = free.pop();
    drop(free);
    let memory = memory.unwrap_or_else(|| Box::leak(vec![0; SIZES[class]].into()));
    let address = memory.as_ptr() as u64;
    Some(Frame::new(Buffer::new(memory, address), 0..bytes))
}

pub fn give_back(frame: Frame) {
    let memory = frame.into_buffer().into_bytes();
    if let Some(class) = SIZES.iter().position(|size| *size == memory.len()) {
        let mut free = FREE[class].lock().unwrap_or_else(PoisonError::into_inner);
        free.push(memory);
    }
}
