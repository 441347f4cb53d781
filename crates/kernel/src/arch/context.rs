//! A thread's saved registers, and the switch from one to another.
//!
//! Invariants: a context is resumed by one core at a time, and only after the
//! core that left it stands on another stack. Both are checked at each switch.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::*};

/// Where a thread that starts goes; it never returns.
pub type Entry = extern "C" fn(argument: usize) -> !;

const EMPTY: u8 = 0;
const SAVED: u8 = 1;
const RUNNING: u8 = 2;

pub struct Context {
    stack_pointer: AtomicU64,
    state: AtomicU8,
}

impl Context {
    pub const fn new() -> Self {
        Self {
            stack_pointer: AtomicU64::new(0),
            state: AtomicU8::new(EMPTY),
        }
    }

    /// Makes this the context of the code that runs now on the calling core.
    pub fn adopt_current(&self) {
        self.state.store(RUNNING, Release);
    }

    /// Lays a first frame below `stack_top`, from which `entry` starts.
    pub fn prepare(&self, stack_top: u64, entry: Entry, argument: usize) {
        crate::invariant!(
            self.state.load(Acquire) != RUNNING,
            "a running context cannot be prepared"
        );
        // r15, r14, r13, r12, rbx, rbp, return address, and an end for backtraces.
        let frame: [u64; 8] = [
            0,
            0,
            argument as u64,
            entry as *const () as u64,
            0,
            0,
            start as *const () as u64,
            0,
        ];
        let bottom = (stack_top & !15) - size_of_val(&frame) as u64;
        // SAFETY: the caller owns the stack, which is mapped and larger than this.
        unsafe { (bottom as *mut [u64; 8]).write(frame) };
        self.stack_pointer.store(bottom, Relaxed);
        self.state.store(SAVED, Release);
    }

    /// Has the core that left this context left its stack, too?
    pub fn is_saved(&self) -> bool {
        self.state.load(Acquire) == SAVED
    }

    /// The stack pointer at the last switch away; for backtraces of a sleeper.
    pub fn saved_stack_pointer(&self) -> u64 {
        self.stack_pointer.load(Relaxed)
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

/// Leaves `from`, which runs on this core, for `to`; comes back when another
/// switch leads here. Interrupts must be off.
pub fn switch(from: &'static Context, to: &'static Context) {
    crate::invariant!(
        !x86_64::instructions::interrupts::are_enabled(),
        "a switch of threads with interrupts on"
    );
    let is_ours = to
        .state
        .compare_exchange(SAVED, RUNNING, AcqRel, Acquire)
        .is_ok();
    crate::invariant!(is_ours, "a thread was to be resumed that is not saved");
    // SAFETY: `to` was saved by `swap_stacks` or laid out by `prepare`, and the
    // exchange above made this core its only user; `from` runs here.
    unsafe {
        swap_stacks(
            from.stack_pointer.as_ptr(),
            to.stack_pointer.load(Relaxed),
            from.state.as_ptr(),
        )
    };
}

/// The state of `from` becomes SAVED only when its stack is no longer used.
///
/// # Safety
///
/// `to` was laid by this function or by `prepare`, no other core resumes it, and
/// interrupts are off.
#[unsafe(naked)]
unsafe extern "C" fn swap_stacks(from_pointer: *mut u64, to: u64, from_state: *mut u8) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "mov byte ptr [rdx], {saved}",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        saved = const SAVED,
    );
}

/// Begins a thread: `prepare` has left its entry in `r12`, its argument in `r13`.
///
/// # Safety
///
/// Reached by the return of `swap_stacks` or `abandon_for` only.
#[unsafe(naked)]
unsafe extern "C" fn start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, r13", "sti", "call r12", "ud2");
}

/// Goes on at `entry` on another stack and forgets the present one.
pub fn continue_on(stack_top: u64, entry: Entry, argument: usize) -> ! {
    let context = Context::new();
    context.prepare(stack_top, entry, argument);
    x86_64::instructions::interrupts::disable();
    // SAFETY: `prepare` has laid the frame that is taken up here; nothing of the
    // present stack is used again. Interrupts come on with `start`.
    unsafe { abandon_for(context.stack_pointer.load(Relaxed)) }
}

/// As `swap_stacks`, with nothing to come back to.
///
/// # Safety
///
/// `to` was laid by `prepare`; nothing on the present stack is used again.
#[unsafe(naked)]
unsafe extern "C" fn abandon_for(to: u64) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    );
}
