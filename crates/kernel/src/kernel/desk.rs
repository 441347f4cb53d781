//! The desk: views of the machine and the kernel, laid out to be read.

use super::web::Web;
use super::{Machine, SESSIONS_MAX};
use crate::arch::view::{CpuView, InterruptsView};
use crate::base::config::ShellMode;
use crate::base::console::ConsoleView;
use crate::base::disk::{DiskFacts, DiskView};
use crate::base::display::DisplayView;
use crate::base::entropy::EntropySources;
use crate::base::fixed::{Text, Vec};
use crate::base::log::Log;
use crate::base::machine::{BootView, SelfTestView};
use crate::base::metric::Usage;
use crate::base::operation::{Operations, OperationsView};
use crate::base::time::Instant;
use crate::base::trace::Trace;
use crate::drivers::devices::view::DevicesView;
use crate::drivers::handlers::DeviceHandlers;
use crate::drivers::input_queue::InputQueue;
use crate::limits::*;
use crate::memory::view::MemoryView;
use crate::net::dhcp::ClientView;
use crate::net::dns::Resolver;
use crate::net::firewall::Firewall;
use crate::net::http::{ApiView, RequestRecord};
use crate::net::network::Network;
use crate::net::outbound::Outbound;
use crate::net::service_sockets::NameServers;
use crate::net::view::NetworkView;
use crate::resilience::chronicle::Chronicle;
use crate::sched::view::ThreadsView;
use crate::security::Security;
use crate::security::gate::{Permit, Refusal, Wanted};
use crate::security::policy::command_name;
use crate::shell::gate::{Asked, Gate};
use crate::shell::inspect::{Inspect, TickView};
use crate::shell::session::Session;
use crate::storage::Storage;
use crate::workloads::load::{LoadView, Loads};
use alloc::boxed::Box;

/// Room for the views of a machine, filled when somebody asks.
///
/// Each in a box of its own: together they would fill half of a stack on their way.
#[derive(Default)]
pub struct Views {
    pub cpu: Box<CpuView>,
    interrupts: Box<InterruptsView>,
    pub memory: Box<MemoryView>,
    threads: Box<ThreadsView>,
    devices: Box<DevicesView>,
}

/// What sessions say about themselves, taken before one of them runs a command.
#[derive(Default)]
pub struct SessionFacts {
    pub modes: Vec<ShellMode, SESSIONS_MAX>,
    pub usages: Vec<Usage, { SESSIONS_MAX * 8 }>,
}

pub struct Desk<'a, M: Machine> {
    pub machine: &'a mut M,
    pub views: &'a mut Views,
    pub tick: &'a TickView,
    pub sessions: &'a SessionFacts,
    pub operations: &'a Operations,
    pub storage: &'a Storage,
    pub chronicle: &'a Chronicle,
    pub web: &'a Web,
    pub outbound: &'a Outbound,
    pub network: &'a Network,
    pub handlers: &'a mut DeviceHandlers,
    pub security: &'a mut Security,
    pub loads: &'a Loads,
    pub pointers: &'a InputQueue,
}

impl<M: Machine> Inspect for Desk<'_, M> {
    fn now(&self) -> Instant {
        self.machine.now()
    }

    fn boot(&self) -> &BootView {
        self.machine.boot()
    }

    fn log(&self) -> &Log {
        self.machine.log()
    }

    fn trace(&self) -> &Trace {
        self.machine.trace()
    }

    fn tick(&self) -> &TickView {
        self.tick
    }

    fn self_test(&self) -> SelfTestView {
        self.machine.self_test()
    }

    fn resolver(&self) -> &Resolver {
        self.outbound.resolver()
    }

    fn name_servers(&self) -> NameServers {
        self.network.name_servers(&self.machine.boot().config.dns)
    }

    fn api(&self) -> ApiView {
        self.web.view()
    }

    fn visit_requests(&self, visit: &mut dyn FnMut(&RequestRecord)) {
        self.web.visit_requests(visit);
    }

    fn cpu(&mut self) -> &CpuView {
        self.machine.cpu(&mut self.views.cpu);
        &self.views.cpu
    }

    fn interrupts(&mut self) -> &InterruptsView {
        self.machine.interrupts(&mut self.views.interrupts);
        &self.views.interrupts
    }

    fn memory(&mut self) -> &MemoryView {
        self.machine.memory(&mut self.views.memory);
        &self.views.memory
    }

    fn threads(&mut self) -> &ThreadsView {
        self.machine.threads(&mut self.views.threads);
        &self.views.threads
    }

    fn devices(&mut self) -> &DevicesView {
        self.machine.devices(&mut self.views.devices);
        &self.views.devices
    }

    fn visit_consoles(&mut self, visit: &mut dyn FnMut(&ConsoleView, ShellMode)) {
        for (index, mode) in self.sessions.modes.iter().enumerate() {
            if let Some(console) = self.machine.console(index) {
                visit(&console.view(), *mode);
            }
        }
    }

    fn visit_disks(&mut self, visit: &mut dyn FnMut(usize, &DiskFacts, &DiskView)) {
        for index in 0..DISKS_MAX {
            if let Some(disk) = self.machine.disk(index) {
                visit(index, &disk.facts(), &disk.view());
            }
        }
    }

    fn pointers(&self) -> &InputQueue {
        self.pointers
    }

    fn entropy_sources(&mut self) -> EntropySources {
        self.machine.entropy_sources()
    }

    fn display(&mut self) -> Option<DisplayView> {
        Some(self.machine.display()?.view())
    }

    fn operations(&self) -> OperationsView {
        self.operations.view()
    }

    fn network(&self) -> NetworkView<'_> {
        self.network.view()
    }

    fn firewall(&self) -> &Firewall {
        self.network.firewall()
    }

    fn handlers(&self) -> &DeviceHandlers {
        self.handlers
    }

    fn security(&self) -> &Security {
        self.security
    }

    fn chronicle(&self) -> &Chronicle {
        self.chronicle
    }

    fn storage(&self) -> &Storage {
        self.storage
    }

    fn visit_dhcp(&mut self, visit: &mut dyn FnMut(&ClientView<'_>)) {
        self.network.dhcp().views().for_each(|view| visit(&view));
    }

    fn visit_loads(&mut self, visit: &mut dyn FnMut(&LoadView)) {
        self.loads
            .view(self.machine.now())
            .for_each(|view| visit(&view));
    }

    fn visit_usages(&mut self, visit: &mut dyn FnMut(&Usage)) {
        self.sessions.usages.iter().for_each(&mut *visit);
        self.web.visit_usages(visit);
        self.outbound.visit_usages(visit);
        self.visit_machine(visit);
        visit_threads(self.threads(), visit);
        visit_records(self.log(), self.trace(), visit);
        visit_boot(self.boot(), visit);
        self.network.visit_usages(visit);
        self.handlers.visit_usages(visit);
        self.security.policy.visit_usages(visit);
        self.security.audit.visit_usages(visit);
        visit(&self.security.compliance.usage());
        self.security.measured.visit_usages(visit);
        visit(&self.loads.usage());
        self.machine.usages(visit);
    }
}

impl<M: Machine> Gate for Desk<'_, M> {
    fn authorize(&mut self, asked: &Asked<'_>) -> Result<Permit, Refusal> {
        let now = self.machine.now();
        let access = asked.action.access;
        let words: Text<POLICY_NAME_MAX> = match asked.command.has_actions() {
            true => Text::format(format_args!("{} {}", asked.command.name, asked.action.name)),
            false => Text::cut_from(asked.command.name),
        };
        let name = command_name(&words);
        let wanted = Wanted {
            subject: asked.subject,
            name: &name,
            needs: access.needs(),
            is_change: access.is_change(),
            line: asked.line,
        };
        let grants = self.handlers.grants_mut();
        self.security.authorize(now, grants, &wanted)
    }
}

impl<M: Machine> Desk<'_, M> {
    fn visit_machine(&mut self, visit: &mut dyn FnMut(&Usage)) {
        let cpu = self.cpu();
        let (online, present) = (cpu.cores.len() as u64, cpu.cores_present as u64);
        visit(
            &Usage::of("CORES_MAX", CORES_MAX)
                .used(online)
                .refused(present.saturating_sub(CORES_MAX as u64)),
        );
        let ranges = self.memory().ranges.len() as u64;
        visit(&Usage::of("MEMORY_RANGES_MAX", MEMORY_RANGES_MAX).used(ranges));
        let sources = self.interrupts().sources.len() as u64;
        visit(&Usage::of("INTERRUPT_SOURCES_MAX", INTERRUPT_SOURCES_MAX).used(sources));
        let mut consoles = 0;
        for index in 0..CONSOLES_MAX {
            consoles += u64::from(self.machine.console(index).is_some());
        }
        visit(&Usage::of("CONSOLES_MAX", CONSOLES_MAX).used(consoles));
        let mut disks = 0;
        self.visit_disks(&mut |_, _, _| disks += 1);
        visit(&Usage::of("DISKS_MAX", DISKS_MAX).used(disks));
        visit(&self.operations.usage());
        self.storage.visit_usages(visit);
        visit(&self.pointers.usage());
    }
}

fn visit_threads(view: &ThreadsView, visit: &mut dyn FnMut(&Usage)) {
    visit(
        &Usage::of("THREADS_MAX", THREADS_MAX)
            .used(view.threads.len() as u64)
            .high_water(view.high_water as u64)
            .refused(view.refused),
    );
    for thread in &view.threads {
        let stack_bytes = thread.stack_bytes as usize;
        let high_water = thread.stack_high_water_bytes;
        let name = match stack_bytes {
            CONTROL_STACK_BYTES => "CONTROL_STACK_BYTES",
            _ => "STACK_BYTES",
        };
        visit(&Usage::of(name, stack_bytes).high_water(high_water));
    }
}

fn visit_records(log: &Log, trace: &Trace, visit: &mut dyn FnMut(&Usage)) {
    let kept = log.view().kept;
    visit(
        &Usage::of("LOG_RECORDS_MAX", LOG_RECORDS_MAX)
            .used(kept)
            .ring(),
    );
    let events = trace.written().min(TRACE_EVENTS_MAX as u64);
    visit(
        &Usage::of("TRACE_EVENTS_MAX", TRACE_EVENTS_MAX)
            .used(events)
            .ring(),
    );
}

fn visit_boot(boot: &BootView, visit: &mut dyn FnMut(&Usage)) {
    visit(
        &Usage::of("COMMAND_LINE_MAX", COMMAND_LINE_MAX)
            .used(boot.command_line.len() as u64)
            .refused(u64::from(boot.command_line.is_cut())),
    );
    visit(
        &Usage::of("CONFIG_PROBLEMS_MAX", CONFIG_PROBLEMS_MAX)
            .used(boot.config.problems.len() as u64)
            .refused(boot.config.problems_more),
    );
}

impl SessionFacts {
    /// Asks the sessions anew.
    pub fn take(&mut self, sessions: &[Session]) {
        self.modes.clear();
        self.usages.clear();
        for session in sessions {
            let kept = self.modes.push(session.mode());
            crate::invariant!(kept.is_ok(), "more sessions than planned");
            session.visit_usages(&mut |usage| {
                let kept = self.usages.push(*usage);
                crate::invariant!(kept.is_ok(), "a session reports more usages than planned");
            });
        }
    }
}
