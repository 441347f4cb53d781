//! Who called whom: the return addresses behind a frame pointer.

/// One saved frame: the caller's frame and where it goes on.
const FRAME_BYTES: u64 = 16;
/// More than the smallest frames that fit the largest stack.
const FRAMES_MAX: usize = 8192;

/// Visits the return addresses from the frame at `frame_pointer` outwards.
///
/// A broken chain ends the walk: `is_readable` must say so of each frame's bytes. An
/// exception's frame may lie on another stack than the code it interrupted.
pub fn walk(
    frame_pointer: u64,
    is_readable: impl Fn(u64, u64) -> bool,
    mut visit: impl FnMut(u64),
) {
    let mut frame = frame_pointer;
    for _ in 0..FRAMES_MAX {
        let is_sound = frame != 0 && frame.is_multiple_of(8) && is_readable(frame, FRAME_BYTES);
        if !is_sound {
            return;
        }
        // SAFETY: the caller's check says that both words are mapped.
        let [next, return_address] = unsafe { (frame as *const [u64; 2]).read() };
        if return_address == 0 {
            return;
        }
        visit(return_address);
        if next == frame {
            return;
        }
        frame = next;
    }
}

/// The frame pointer of the function that calls this.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let pointer: u64;
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("mov {}, rbp", out(reg) pointer, options(nomem, nostack, preserves_flags))
    };
    pointer
}

/// The return address and the frame pointer that `context::switch` has left at the
/// saved stack pointer of a thread that does not run.
pub fn saved_frame(stack_pointer: u64) -> (u64, u64) {
    // SAFETY: the thread's stack stays mapped, and its saved words are whole: r15,
    // r14, r13, r12, rbx, rbp, return address.
    let words = unsafe { (stack_pointer as *const [u64; 7]).read() };
    (words[6], words[5])
}
