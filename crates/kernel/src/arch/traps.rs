//! Exceptions and interrupts: 256 stubs, one frame, one dispatcher.

use super::gdt::ExceptionStack;
use super::vectors::has_error_code;
use super::{core_local, interrupts};
use core::arch::{asm, naked_asm};
use core::sync::atomic::Ordering::*;
use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::tables::lidt;
use x86_64::structures::DescriptorTablePointer;

/// What was interrupted, as the stub has laid it on the stack.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TrapFrame {
    /// A copy of `rbp` and `rip`, laid out like a call's frame for backtraces.
    pub chain_rbp: u64,
    pub chain_rip: u64,
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rbp: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rbx: u64,
    pub rax: u64,
    pub vector: u64,
    pub error: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// What the floors above do about exceptions and after interrupts.
pub struct Hooks {
    /// An exception that nobody announced; does not return to a broken place.
    pub exception: fn(&TrapFrame) -> !,
    /// The non-maskable interrupt: someone panics, or asks where this core is.
    pub non_maskable: fn(&TrapFrame),
    /// Runs with interrupts off when the last handler is done: may switch threads.
    pub after_interrupt: fn(),
}

static HOOKS: Once<Hooks> = Once::new();

pub fn set_hooks(hooks: Hooks) {
    HOOKS.call_once(|| hooks);
}

const STUB_BYTES: usize = 16;

/// 256 stubs of 16 bytes: push a zero where there is no error code, the vector, go on.
///
/// # Safety
///
/// Entered by the processor through the gates, or by `enter_stub`.
#[unsafe(naked)]
unsafe extern "C" fn stubs() {
    naked_asm!(
        ".balign 16",
        ".set rayos_vector, 0",
        ".rept 256",
        ".if (rayos_vector == 8) || ((rayos_vector >= 10) && (rayos_vector <= 14)) || (rayos_vector == 17) || (rayos_vector == 21) || (rayos_vector == 29) || (rayos_vector == 30)",
        ".else",
        "push 0",
        ".endif",
        ".byte 0x68",
        ".long rayos_vector",
        "jmp {common}",
        ".balign 16",
        ".set rayos_vector, rayos_vector + 1",
        ".endr",
        common = sym common,
    );
}

/// Saves all registers, calls the dispatcher, restores them and returns.
///
/// # Safety
///
/// Entered by a stub, with vector and error code on the stack.
#[unsafe(naked)]
unsafe extern "C" fn common() {
    naked_asm!(
        "push rax", "push rbx", "push rcx", "push rdx", "push rsi", "push rdi", "push rbp",
        "push r8", "push r9", "push r10", "push r11", "push r12", "push r13", "push r14", "push r15",
        "push [rsp + 17 * 8]",
        "push rbp",
        "mov rbp, rsp",
        "cld",
        "mov rdi, rsp",
        "mov rbx, rsp",
        "and rsp, -16",
        "call {dispatch}",
        "mov rsp, rbx",
        "add rsp, 16",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop r11", "pop r10", "pop r9", "pop r8",
        "pop rbp", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rbx", "pop rax",
        "add rsp, 16",
        "iretq",
        dispatch = sym dispatch,
    );
}

extern "C" fn dispatch(frame: &mut TrapFrame) {
    let vector = frame.vector as u8;
    if vector >= 32 {
        interrupts::dispatch(vector);
        if core_local::current().interrupt_depth.load(Relaxed) == 0
            && let Some(hooks) = HOOKS.get()
        {
            (hooks.after_interrupt)();
        }
        return;
    }
    interrupts::count(vector);
    if resume_announced(frame) {
        return;
    }
    match (HOOKS.get(), vector) {
        (Some(hooks), 2) => (hooks.non_maskable)(frame),
        (Some(hooks), _) => (hooks.exception)(frame),
        (None, _) => super::cpu::halt_forever(),
    }
}

/// Lets a self test go on that has announced this very exception.
fn resume_announced(frame: &mut TrapFrame) -> bool {
    let cells = core_local::current();
    if cells.expected_exception.load(Relaxed) != frame.vector + 1 {
        return false;
    }
    cells.expected_exception.store(0, Relaxed);
    cells.seen_error.store(frame.error, Relaxed);
    let resume_at = cells.resume_at.load(Relaxed);
    if resume_at != 0 {
        frame.rip = resume_at;
    }
    // A test may have switched on single steps.
    frame.rflags &= !(1 << 8);
    true
}

#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Gate([u64; 2]);

static GATES: Once<[Gate; 256]> = Once::new();

/// Loads the interrupt table on the running core.
pub fn load() {
    let gates = GATES.call_once(|| core::array::from_fn(|vector| gate(vector as u8)));
    let pointer = DescriptorTablePointer {
        limit: (size_of::<[Gate; 256]>() - 1) as u16,
        base: VirtAddr::from_ptr(gates),
    };
    // SAFETY: the table is static and every gate in it leads to a stub.
    unsafe { lidt(&pointer) };
}

fn gate(vector: u8) -> Gate {
    const PRESENT_INTERRUPT_GATE: u64 = 0x8e;
    const KERNEL_CODE: u64 = 8;
    let address = stubs as *const () as u64 + u64::from(vector) * STUB_BYTES as u64;
    let stack = match vector {
        2 => ExceptionStack::NonMaskable as u64,
        8 => ExceptionStack::DoubleFault as u64,
        14 => ExceptionStack::PageFault as u64,
        18 => ExceptionStack::MachineCheck as u64,
        _ => 0,
    };
    let low = (address & 0xffff)
        | KERNEL_CODE << 16
        | stack << 32
        | PRESENT_INTERRUPT_GATE << 40
        | (address >> 16 & 0xffff) << 48;
    Gate([low, address >> 32])
}

/// Enters the stub of `vector` with a frame as the processor would lay it, and
/// comes back when the announced exception was dispatched. For self tests: it
/// proves the stub and the dispatcher of vectors that cannot be raised at will.
pub fn enter_stub(vector: u8) -> bool {
    let stub = stubs as *const () as u64 + u64::from(vector) * STUB_BYTES as u64;
    let cells = core_local::current();
    cells.seen_error.store(u64::MAX, Relaxed);
    // SAFETY: the frame pushed is the one `iretq` takes; the dispatcher resumes at
    // the label since the exception is announced; every register the block does
    // not name comes back unchanged through the stub.
    unsafe {
        asm!(
            "lea {scratch}, [rip + 3f]",
            "mov [{resume}], {scratch}",
            "mov [{expected}], {announced}",
            "mov {scratch}, rsp",
            "and rsp, -16",
            "mov {announced}, ss",
            "push {announced}",
            "push {scratch}",
            "pushfq",
            "mov {announced}, cs",
            "push {announced}",
            "lea {scratch}, [rip + 3f]",
            "push {scratch}",
            "test {has_error:e}, {has_error:e}",
            "jz 2f",
            "push 0x5a",
            "2: jmp {stub}",
            "3:",
            scratch = out(reg) _,
            announced = inout(reg) u64::from(vector) + 1 => _,
            resume = in(reg) cells.resume_at.as_ptr(),
            expected = in(reg) cells.expected_exception.as_ptr(),
            has_error = in(reg) u64::from(has_error_code(vector)),
            stub = in(reg) stub,
        );
    }
    let wanted = if has_error_code(vector) { 0x5a } else { 0 };
    cells.seen_error.load(Relaxed) == wanted
}
