//! Exceptions raised on purpose, and registers held across pre-emption.

use super::traps::enter_stub;
use super::{apic, core_local};
use crate::base::time::Duration;
use core::arch::{asm, naked_asm};
use core::sync::atomic::Ordering::Relaxed;
use x86_64::instructions::interrupts::without_interrupts;
use x86_64::registers::control::{Cr0, Cr0Flags};

/// Vectors that the processor raises here itself; all others are entered by a
/// frame laid as the processor lays it.
pub const RAISED: [u8; 9] = [0, 1, 2, 3, 6, 7, 13, 14, 16];

const NONE_SEEN: u64 = u64::MAX;

/// Runs instructions that must raise the announced exception at once, and goes on
/// behind them; evaluates to the error code that came, or `NONE_SEEN`.
macro_rules! raise {
    ($vector:expr, $($line:literal),+) => {{
        let cells = core_local::current();
        cells.seen_error.store(NONE_SEEN, Relaxed);
        // SAFETY: the exception is announced, so the dispatcher goes on at the label
        // with all registers as they were; what the lines change is named.
        unsafe {
            asm!(
                "lea rax, [rip + 3f]",
                "mov [{resume}], rax",
                "mov [{expected}], {announced}",
                $($line,)+
                "3:",
                resume = in(reg) cells.resume_at.as_ptr(),
                expected = in(reg) cells.expected_exception.as_ptr(),
                announced = in(reg) u64::from($vector) + 1,
                out("rax") _,
                out("rcx") _,
                out("rdx") _,
            );
        }
        cells.expected_exception.store(0, Relaxed);
        cells.seen_error.load(Relaxed)
    }};
}

/// Raises one of `RAISED` on the running core; true when exactly that exception
/// came, with the error code it must have.
pub fn raise(vector: u8) -> bool {
    without_interrupts(|| match vector {
        0 => raise!(0u8, "xor edx, edx", "mov eax, 1", "xor ecx, ecx", "div ecx") == 0,
        // One instruction with the flag for single steps.
        1 => raise!(1u8, "pushfq", "or dword ptr [rsp], 0x100", "popfq", "nop") == 0,
        2 => non_maskable_arrives(),
        3 => raise!(3u8, "int3") == 0,
        6 => raise!(6u8, "ud2") == 0,
        7 => with_float_trap(|| raise!(7u8, "fld1") == 0),
        // A selector beyond the table; the error code names it.
        13 => raise!(13u8, "mov eax, 0x1000", "mov ds, ax") == 0x1000,
        // Supervisor read of a page that is not there.
        14 => raise!(14u8, "mov rax, 0xdead0000", "mov rax, [rax]") == 0,
        16 => float_error_arrives(),
        _ => false,
    })
}

/// Enters the stub of `vector` by hand.
pub fn enter(vector: u8) -> bool {
    without_interrupts(|| enter_stub(vector))
}

fn with_float_trap(body: impl FnOnce() -> bool) -> bool {
    let before = Cr0::read();
    // SAFETY: only makes floating point trap, which this kernel does not use.
    unsafe { Cr0::write(before | Cr0Flags::TASK_SWITCHED) };
    let result = body();
    // SAFETY: back to what it was.
    unsafe { Cr0::write(before) };
    result
}

/// Divides one by zero with that error unmasked; the next instruction reports it.
fn float_error_arrives() -> bool {
    let before = Cr0::read();
    // SAFETY: floating point may be used here: no thread's state lives in it.
    unsafe { Cr0::write(before - Cr0Flags::TASK_SWITCHED - Cr0Flags::EMULATE_COPROCESSOR) };
    let seen = raise!(
        16u8,
        "fninit",
        "push 0x37b",
        "fldcw word ptr [rsp]",
        "pop rax",
        "fld1",
        "fldz",
        "fdivp st(1), st",
        "fwait"
    );
    // SAFETY: leaves the unit as a reset does, with every error masked.
    unsafe {
        asm!("fnclex", "fninit");
        Cr0::write(before);
    }
    seen == 0
}

/// Sends this core a non-maskable interrupt and waits a bounded time for it.
fn non_maskable_arrives() -> bool {
    let cells = core_local::current();
    cells.seen_error.store(NONE_SEEN, Relaxed);
    // No place to go on at: it comes where it comes.
    cells.resume_at.store(0, Relaxed);
    cells.expected_exception.store(3, Relaxed);
    apic::send_non_maskable(apic::id());
    let deadline = super::clock::now() + Duration::from_millis(100);
    while super::clock::now() < deadline && cells.seen_error.load(Relaxed) == NONE_SEEN {
        core::hint::spin_loop();
    }
    cells.expected_exception.store(0, Relaxed);
    cells.seen_error.load(Relaxed) == 0
}

/// Holds fourteen registers at values made from `seed` for `rounds` of a loop and
/// answers 0 when each still has its own; whatever interrupts the loop must save all.
#[unsafe(naked)]
pub extern "C" fn hold_registers(seed: u64, rounds: u64) -> u64 {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        "push rsi",
        "lea rax, [rdi + 1]",
        "lea rbx, [rdi + 2]",
        "lea rcx, [rdi + 3]",
        "lea rdx, [rdi + 4]",
        "lea rsi, [rdi + 5]",
        "lea rbp, [rdi + 6]",
        "lea r8, [rdi + 7]",
        "lea r9, [rdi + 8]",
        "lea r10, [rdi + 9]",
        "lea r11, [rdi + 10]",
        "lea r12, [rdi + 11]",
        "lea r13, [rdi + 12]",
        "lea r14, [rdi + 13]",
        "lea r15, [rdi + 14]",
        "2: dec qword ptr [rsp]",
        "jnz 2b",
        "sub rax, rdi",
        "sub rax, 1",
        "sub rbx, rdi",
        "sub rbx, 2",
        "or rax, rbx",
        "sub rcx, rdi",
        "sub rcx, 3",
        "or rax, rcx",
        "sub rdx, rdi",
        "sub rdx, 4",
        "or rax, rdx",
        "sub rsi, rdi",
        "sub rsi, 5",
        "or rax, rsi",
        "sub rbp, rdi",
        "sub rbp, 6",
        "or rax, rbp",
        "sub r8, rdi",
        "sub r8, 7",
        "or rax, r8",
        "sub r9, rdi",
        "sub r9, 8",
        "or rax, r9",
        "sub r10, rdi",
        "sub r10, 9",
        "or rax, r10",
        "sub r11, rdi",
        "sub r11, 10",
        "or rax, r11",
        "sub r12, rdi",
        "sub r12, 11",
        "or rax, r12",
        "sub r13, rdi",
        "sub r13, 12",
        "or rax, r13",
        "sub r14, rdi",
        "sub r14, 13",
        "or rax, r14",
        "sub r15, rdi",
        "sub r15, 14",
        "or rax, r15",
        "sub rdi, [rsp + 8]",
        "or rax, rdi",
        "pop rsi",
        "pop rdi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    );
}
