//! The way in by PVH: from 32-bit protected mode to Rust in the high half.
//!
//! QEMU (`-kernel`) and other PVH loaders find `pvh_start` through the ELF note
//! and enter it with paging off and the address of the start info in `ebx`.
//! Until the kernel builds its own tables, the first 4 GiB of physical memory are
//! seen at 0, at `DIRECT_BASE` and, the first of them, at `KERNEL_BASE`.

use core::arch::global_asm;

global_asm!(
    r#"
    .set EARLY_BASE, 0xffffffff80000000    /* KERNEL_BASE of the linker script */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18             /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .balign 4
    .long pvh_start - EARLY_BASE
    .balign 4

    /* Not even the counter's first reading may stand in what the file has of the
       writable segment: that is measured as it came. */
    .section .bss.early, "aw", @nobits
    .balign 8
    .global early_tsc
early_tsc:    .skip 8
    .balign 4096
early_pml4:   .skip 4096
early_low:    .skip 4096       /* level 3 for 0 and for DIRECT_BASE */
early_high:   .skip 4096       /* level 3 for KERNEL_BASE */
early_2mib:   .skip 4 * 4096   /* level 2: 4 GiB in pages of 2 MiB */
    .balign 16
early_stack:  .skip 131072
early_stack_top:

    .section .rodata.early, "a", @progbits
    .balign 8
early_gdt:                     /* marked as used, or the processor writes that here */
    .quad 0
    .quad 0x00af9b000000ffff   /* 64-bit code */
    .quad 0x00cf93000000ffff   /* data */
early_gdt_pointer:
    .word 23
    .long early_gdt - EARLY_BASE

    .section .text.early, "ax", @progbits
    .code32
    .global pvh_start
pvh_start:
    cli
    cld
    movl $(early_stack_top - EARLY_BASE), %esp
    movl %ebx, %edi

    /* The clock's zero: as early as can be. */
    rdtsc
    movl %eax, (early_tsc - EARLY_BASE)
    movl %edx, (early_tsc - EARLY_BASE + 4)

    movl $(early_2mib - EARLY_BASE), %ebp
    movl $0x83, %eax           /* present, writable, 2 MiB */
    xorl %ecx, %ecx
1:  movl %eax, (%ebp, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 1b

    leal 3(%ebp), %eax         /* present, writable */
    movl $(early_low - EARLY_BASE), %ecx
    movl %eax, (%ecx)
    addl $4096, %eax
    movl %eax, 8(%ecx)
    addl $4096, %eax
    movl %eax, 16(%ecx)
    addl $4096, %eax
    movl %eax, 24(%ecx)
    leal 3(%ebp), %eax
    movl %eax, (early_high - EARLY_BASE + 510 * 8)

    movl $(early_pml4 - EARLY_BASE), %edx
    addl $3, %ecx
    movl %ecx, (%edx)
    movl %ecx, 256 * 8(%edx)
    movl $(early_high - EARLY_BASE + 3), %eax
    movl %eax, 511 * 8(%edx)

    movl %cr4, %eax
    orl $0x20, %eax            /* PAE */
    movl %eax, %cr4
    movl %edx, %cr3
    movl $0xc0000080, %ecx     /* EFER: long mode, no-execute */
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010001, %eax      /* paging, write protection, protected mode */
    movl %eax, %cr0
    lgdtl (early_gdt_pointer - EARLY_BASE)
    ljmpl $8, $(2f - EARLY_BASE)

    .code64
2:  movabsq $3f, %rax
    jmpq *%rax
3:  movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $early_stack_top, %rsp
    xorl %ebp, %ebp
    movl %edi, %edi
    pushq %rbp
    jmp rayos_pvh_main

    .text
    "#,
    options(att_syntax)
);

/// Names the function that the PVH entry continues in.
///
/// It gets the physical address of the start info and never returns.
#[macro_export]
macro_rules! pvh_entry {
    ($start:path) => {
        // SAFETY: the name is the one that the assembly jumps to, and no other's.
        #[unsafe(no_mangle)]
        extern "C" fn rayos_pvh_main(start_info: u64) -> ! {
            let start: fn(u64) -> ! = $start;
            start(start_info)
        }
    };
}
