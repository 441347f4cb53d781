//! How a sleeping core gets from real mode into the kernel.
//!
//! The trampoline is copied to a page below 1 MiB; behind it, at `PARAMETERS`,
//! stands what it needs: page tables, entry, and a stack for each core.

use super::context::Entry;
use crate::limits::CORES_MAX;
use core::arch::global_asm;

global_asm!(
    r#"
    .section .rodata.trampoline, "a", @progbits
    .global trampoline_start
    .global trampoline_end
    .balign 16
    .code16
trampoline_start:
    cli
    cld
    xorl %eax, %eax
    movw %cs, %ax
    movw %ax, %ds
    shll $4, %eax
    movl %eax, %ebx                /* where this page is */
    leal (3f - trampoline_start)(%ebx), %eax
    movl %eax, 2f - trampoline_start + 2
    leal (6f - trampoline_start)(%ebx), %eax
    movl %eax, 4f - trampoline_start
    leal (7f - trampoline_start)(%ebx), %eax
    movl %eax, 5f - trampoline_start
    lgdtl 2f - trampoline_start
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl *(4f - trampoline_start)

    .balign 8
2:  .word 31
    .long 0
    .balign 8
3:  .quad 0
    .quad 0x00cf9a000000ffff       /* 8: 32-bit code */
    .quad 0x00cf92000000ffff       /* 16: data */
    .quad 0x00af9a000000ffff       /* 24: 64-bit code */
4:  .long 0
    .word 8
    .balign 4
5:  .long 0
    .word 24

    .code32
6:  movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl 0x800(%ebx), %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax
    movl %eax, %cr0
    ljmpl *(5b - trampoline_start)(%ebx)

    .code64
7:  movl %ebx, %r8d
    movl $1, %eax
    cpuid
    shrl $24, %ebx                 /* our number among the local APICs */
    xorl %edi, %edi
8:  cmpl %ebx, 0x820(%r8, %rdi, 4)
    je 9f
    incl %edi
    cmpl 0x810(%r8), %edi
    jb 8b
10: hlt                            /* nobody expects this core */
    jmp 10b
9:  movq 0x900(%r8, %rdi, 8), %rsp
    xorl %ebp, %ebp
    pushq %rbp
    jmpq *0x808(%r8)
trampoline_end:
    .text
    "#,
    options(att_syntax)
);

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_end: u8;
}

/// Where in the page the parameters stand.
pub const PARAMETERS: usize = 0x800;

/// Read by the trampoline at the offsets that stand in its text.
#[repr(C)]
pub struct Parameters {
    page_tables: u64,
    entry: u64,
    count: u64,
    _reserved: u64,
    apic_ids: [u32; CORES_MAX],
    _padding: [u8; 0x900 - 0x820 - 4 * CORES_MAX],
    stacks: [u64; CORES_MAX],
}

const _: () = assert!(core::mem::offset_of!(Parameters, count) == 0x810 - PARAMETERS);
const _: () = assert!(core::mem::offset_of!(Parameters, apic_ids) == 0x820 - PARAMETERS);
const _: () = assert!(core::mem::offset_of!(Parameters, stacks) == 0x900 - PARAMETERS);
const _: () = assert!(PARAMETERS + size_of::<Parameters>() <= 4096);

impl Parameters {
    /// `cores` are the local APIC numbers and stack tops by core number; entry 0,
    /// the core that runs already, is among them and not used.
    pub fn new(page_tables: u64, entry: Entry, cores: &[(u32, u64)]) -> Self {
        let mut parameters = Self {
            page_tables,
            entry: entry as *const () as u64,
            count: cores.len().min(CORES_MAX) as u64,
            _reserved: 0,
            apic_ids: [u32::MAX; CORES_MAX],
            _padding: [0; 0x900 - 0x820 - 4 * CORES_MAX],
            stacks: [0; CORES_MAX],
        };
        for (index, (apic_id, stack)) in cores.iter().take(CORES_MAX).enumerate() {
            parameters.apic_ids[index] = *apic_id;
            parameters.stacks[index] = *stack;
        }
        parameters
    }

    /// The whole page: the trampoline's code and these parameters behind it.
    pub fn page(&self) -> [u8; 4096] {
        let code = trampoline();
        crate::invariant!(
            code.len() <= PARAMETERS,
            "the trampoline has outgrown its page"
        );
        let mut page = [0; 4096];
        page[..code.len()].copy_from_slice(code);
        // SAFETY: the type is plain integers without padding between them.
        let bytes = unsafe {
            core::slice::from_raw_parts((&raw const *self).cast::<u8>(), size_of::<Self>())
        };
        page[PARAMETERS..PARAMETERS + bytes.len()].copy_from_slice(bytes);
        page
    }
}

fn trampoline() -> &'static [u8] {
    // SAFETY: both symbols frame the code above, in one section, in this order.
    unsafe {
        let (start, end) = (&raw const trampoline_start, &raw const trampoline_end);
        core::slice::from_raw_parts(start, end as usize - start as usize)
    }
}
