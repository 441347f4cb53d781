//! Each core's segments and task state: the stacks that exceptions switch to.

use crate::limits::CORES_MAX;
use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// Exceptions with a stack of their own, because the interrupted one may be bad.
pub const EXCEPTION_STACKS: usize = 4;

/// Position in the task state, as the interrupt table names it (1 = first).
#[derive(Clone, Copy)]
pub enum ExceptionStack {
    DoubleFault = 1,
    NonMaskable = 2,
    MachineCheck = 3,
    PageFault = 4,
}

struct Tables {
    task: TaskStateSegment,
    segments: Once<(GlobalDescriptorTable, [SegmentSelector; 3])>,
}

/// The last entry serves the boot core until its guarded stacks exist.
static TABLES: [Once<Tables>; CORES_MAX + 1] = [const { Once::new() }; CORES_MAX + 1];

#[repr(align(16))]
struct EarlyStack {
    _bytes: [u8; 16 * 1024],
}

static EARLY_STACK: EarlyStack = EarlyStack {
    _bytes: [0; 16 * 1024],
};

/// Loads tables for the boot core whose exceptions share one early stack.
pub fn load_early() {
    let bottom = VirtAddr::from_ptr(&raw const EARLY_STACK);
    let top = (bottom + size_of::<EarlyStack>() as u64).as_u64();
    load_slot(CORES_MAX, [top; EXCEPTION_STACKS]);
}

/// Loads the running core's own tables; `tops` are the ends of its exception stacks.
pub fn load(core: usize, tops: [u64; EXCEPTION_STACKS]) {
    load_slot(core, tops);
}

fn load_slot(slot: usize, tops: [u64; EXCEPTION_STACKS]) {
    let tables = TABLES[slot].call_once(|| {
        let mut task = TaskStateSegment::new();
        let mut stacks = task.interrupt_stack_table;
        for (entry, top) in stacks.iter_mut().zip(tops) {
            *entry = VirtAddr::new(top);
        }
        task.interrupt_stack_table = stacks;
        Tables {
            task,
            segments: Once::new(),
        }
    });
    let (table, [code, data, task]) = tables.segments.call_once(|| {
        let mut table = GlobalDescriptorTable::new();
        let code = table.append(Descriptor::kernel_code_segment());
        let data = table.append(Descriptor::kernel_data_segment());
        let task = table.append(Descriptor::tss_segment(&tables.task));
        (table, [code, data, task])
    });
    table.load();
    // SAFETY: the selectors are those of the table just loaded, which is static.
    // GS keeps its base, since only CS, SS, DS and ES are written.
    unsafe {
        CS::set_reg(*code);
        SS::set_reg(*data);
        DS::set_reg(*data);
        ES::set_reg(*data);
        load_tss(*task);
    }
}
