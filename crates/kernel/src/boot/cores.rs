//! Starting the other cores, all at once, and waiting for them a bounded time.

use super::notes::{Missing, note};
use crate::arch::smp::Parameters;
use crate::arch::{apic, clock, core_local, cpu, gdt, traps};
use crate::base::fixed::{Text, Vec};
use crate::base::sync::IrqLock;
use crate::base::time::Duration;
use crate::drivers::acpi::Acpi;
use crate::limits::{CORES_MAX, STACK_BYTES};
use crate::memory::stacks::Stack;
use crate::memory::{self, MemoryError, StartPage};
use crate::sched;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How long a core may take from its start to its first line in Rust.
const PATIENCE: Duration = Duration::from_secs(2);

static STACKS: IrqLock<Vec<Stack, CORES_MAX>> = IrqLock::new(Vec::new());

/// Gives a core guarded stacks for the exceptions that need their own.
pub fn load_exception_stacks(core: usize) {
    const NAMES: [&str; gdt::EXCEPTION_STACKS] =
        ["double-fault", "nmi", "machine-check", "page-fault"];
    const BYTES: u64 = 16 * 1024;
    let tops = NAMES.map(|name| {
        let owner: Text<24> = Text::format(format_args!("{name}-{core}"));
        match memory::allocate_stack(&owner, BYTES) {
            Ok(stack) => stack.top(),
            Err(error) => panic!("no exception stacks for core {core}: {error}"),
        }
    });
    gdt::load(core, tops);
}

pub fn start_others(acpi: &Acpi, missing: &mut Missing) {
    if acpi.cores_more > 0 {
        note(
            missing,
            "cores",
            "there are more than CORES_MAX; the rest stays parked",
        );
    }
    let own = apic::id();
    // Core 0 is the one that runs this, wherever the tables name it.
    let mut ids: Vec<u32, CORES_MAX> = Vec::new();
    let others = acpi.cores.iter().copied().filter(|id| *id != own);
    for id in core::iter::once(own).chain(others) {
        if ids.push(id).is_err() {
            break;
        }
    }
    if ids.len() < 2 {
        return;
    }
    match start_listed(&ids) {
        Ok(()) => {
            let is_up = |core: usize| {
                core_local::of(core).is_some_and(|cells| cells.is_online.load(Acquire))
            };
            if !(1..ids.len()).all(is_up) {
                note(missing, "cores", "not all of them came up in time; see cpu");
            }
        }
        Err(_) => note(missing, "cores", "no memory to start them with"),
    }
}

fn start_listed(ids: &[u32]) -> Result<(), MemoryError> {
    let mut cores: Vec<(u32, u64), CORES_MAX> = Vec::new();
    for (core, id) in ids.iter().enumerate() {
        let owner: Text<24> = Text::format(format_args!("idle-{core}"));
        let stack = memory::allocate_stack(&owner, STACK_BYTES as u64)?;
        // As many as `ids`, whose capacity is the same.
        let _ = cores.push((*id, stack.top()));
        let _ = STACKS.with(|stacks| stacks.push(stack));
        if let Some(cells) = core_local::of(core) {
            cells.apic_id.store(*id, Relaxed);
        }
    }
    let parameters = Parameters::new(memory::root(), enter, &cores);
    let page = StartPage::place(&parameters.page())?;
    let others = &ids[1..];
    others.iter().for_each(|id| apic::send_init(*id));
    // Intel SDM 3A, 9.4.4: 10 ms; what a hypervisor offers needs none of it.
    if !cpu::is_virtual() {
        pause(Duration::from_millis(10));
    }
    others
        .iter()
        .for_each(|id| apic::send_start(*id, page.physical()));
    if !wait_for(others.len(), Duration::from_millis(20)) {
        for (core, id) in ids.iter().enumerate().skip(1) {
            let is_up = core_local::of(core).is_some_and(|cells| cells.is_online.load(Acquire));
            if !is_up {
                apic::send_start(*id, page.physical());
            }
        }
        if !wait_for(others.len(), PATIENCE) {
            // One that is late is not to find its ground taken away.
            core::mem::forget(page);
        }
    }
    Ok(())
}

/// Waits until the first core and `others` are online; false when time ran out.
fn wait_for(others: usize, patience: Duration) -> bool {
    let deadline = clock::now() + patience;
    while core_local::online().count() <= others {
        if clock::now() >= deadline {
            return false;
        }
        core::hint::spin_loop();
    }
    true
}

fn pause(span: Duration) {
    let end = clock::now() + span;
    while clock::now() < end {
        core::hint::spin_loop();
    }
}

/// A started core's first Rust, on its idle thread's stack.
extern "C" fn enter(core: usize) -> ! {
    core_local::install(core);
    traps::load();
    cpu::protect();
    memory::address_space::allow_write_combining();
    load_exception_stacks(core);
    apic::enable();
    let Some(stack) = STACKS.with(|stacks| stacks.get(core).copied()) else {
        cpu::halt_forever();
    };
    if sched::become_idle_thread(stack).is_err() {
        cpu::halt_forever();
    }
    core_local::current().is_online.store(true, Release);
    sched::idle()
}
