//! The kernel: one tick over everything, on a machine that is handed in.
//!
//! Sense, decide, act, observe, sleep. It orders and routes; it has no rules of
//! its own. Bare metal implements `Machine` with drivers, the simulator with a
//! seeded world.

mod desk;
mod guard;
mod keep;
mod panel;
mod perform;
mod ports;
mod waiting;
mod web;

use crate::arch::view::{CpuView, InterruptsView};
use crate::base::boot_inputs::BootInputs;
use crate::base::buffer::Buffer;
use crate::base::config::ShellMode;
use crate::base::console::Console;
use crate::base::disk::Disk;
use crate::base::display::Display;
use crate::base::entropy::EntropySources;
use crate::base::fixed::{Full, Text};
use crate::base::input::InputEvent;
use crate::base::log::{Level, Log};
use crate::base::machine::{
    BootView, DebugAction, PowerAction, SelfTest, SelfTestError, SelfTestView,
};
use crate::base::metric::Usage;
use crate::base::network_port::NetworkPort;
use crate::base::operation::{Operations, Performer};
use crate::base::subject::Subject;
use crate::base::tenant::Tenant;
use crate::base::time::{Duration, Instant};
use crate::base::tpm::TpmPort;
use crate::base::trace::{Kind, Trace};
use crate::drivers::devices::ResetError;
use crate::drivers::devices::view::DevicesView;
use crate::drivers::handlers::DeviceHandlers;
use crate::drivers::input_queue::InputQueue;
use crate::drivers::pci::address::Address;
use crate::limits::{API_WORKERS_MAX, CONSOLES_MAX, LOAD_BUFFERS_MAX};
use crate::memory::view::MemoryView;
use crate::net::network::Network;
use crate::net::outbound::Outbound;
use crate::resilience::chronicle::Chronicle;
use crate::sched::view::ThreadsView;
use crate::security::Security;
use crate::security::audit::Event;
use crate::shell::inspect::{PhaseView, TickView};
use crate::shell::session::Session;
use crate::storage::Storage;
use crate::workloads::load::{Loads, READ_BYTES};
use alloc::boxed::Box;
use alloc::vec::Vec;
use desk::{Desk, SessionFacts, Views};
use panel::PanelWriter;
use ports::{MachineDisks, MachineMemory, MachinePorts, seed, setup};
use waiting::WaitingRoom;
use web::Web;

/// What a machine gives to the kernel that runs on it.
pub trait Machine {
    fn now(&self) -> Instant;
    /// Bytes nobody can guess; false when the machine has no such source.
    fn entropy(&mut self, bytes: &mut [u8]) -> bool;
    /// Where these bytes come from.
    fn entropy_sources(&mut self) -> EntropySources;
    /// Console `index`: 0 is the serial line, 1 the screen with its keyboard, 2 the
    /// virtual display, 3 the virtio console. One that is unplugged is not there.
    fn console(&mut self, index: usize) -> Option<&mut dyn Console>;
    /// Disk `index`; its place stays empty when it is unplugged.
    fn disk(&mut self, _index: usize) -> Option<&mut dyn Disk> {
        None
    }
    /// The TPM, where there is one that is used.
    fn tpm(&mut self) -> Option<&mut dyn TpmPort> {
        None
    }
    /// Memory that disks reach, for ever; `None` when there is no more.
    fn take_buffer(&mut self, _bytes: usize) -> Option<Buffer> {
        None
    }
    /// The display with a panel.
    fn display(&mut self) -> Option<&mut dyn Display> {
        None
    }
    /// Gives keys to the console that they are typed at, and all other input to `other`.
    fn route_input(&mut self, _other: &mut dyn FnMut(&InputEvent)) {}
    fn log(&self) -> &Log;
    fn trace(&self) -> &Trace;
    fn boot(&self) -> &BootView;
    /// What was booted, for measuring.
    fn boot_inputs(&self) -> &BootInputs;
    fn cpu(&self, view: &mut CpuView);
    fn interrupts(&self, view: &mut InterruptsView);
    fn memory(&self, view: &mut MemoryView);
    fn threads(&self, view: &mut ThreadsView);
    /// How full the machine's own bounded things are, by their names in `limits.rs`.
    fn usages(&self, _visit: &mut dyn FnMut(&Usage)) {}
    /// Network port `index`, with a card or waiting for one to come back.
    fn port(&mut self, _index: usize) -> Option<&mut dyn NetworkPort> {
        None
    }
    /// Looks after the devices: what has interrupted, what is due.
    fn poll_devices(&mut self, _now: Instant) {}
    /// Were all devices tried that the machine came with? Before, no command is taken.
    fn are_devices_started(&self) -> bool {
        true
    }
    /// The loop is about to sleep; true when a device has something already.
    fn rest_devices(&mut self, _now: Instant) -> bool {
        false
    }
    /// When the devices want to be looked at though nothing happens.
    fn next_device_deadline(&self, _now: Instant) -> Option<Instant> {
        None
    }
    /// Every device that was found, and what became of it.
    fn devices(&self, view: &mut DevicesView) {
        *view = DevicesView::default();
    }
    /// Brings a device down and up again.
    fn reset_device(&mut self, _address: Address) -> Result<(), ResetError> {
        Err(ResetError::NoSuchDevice)
    }
    /// Random bytes from elsewhere, to be laid over the machine's own.
    fn add_entropy(&mut self, _bytes: &[u8; 32]) {}
    /// Restarts the machine or switches it off; on metal it does not return.
    fn power(&mut self, action: PowerAction);
    /// Breaks something on purpose.
    fn debug(&mut self, action: DebugAction);
    /// Starts a proof that the machine gives of itself.
    fn start_self_test(&mut self, test: SelfTest) -> Result<(), SelfTestError>;
    fn self_test(&self) -> SelfTestView;
}

/// The phases of a tick with what each may take.
const PHASES: [(&str, Duration); 4] = [
    ("sense", Duration::from_millis(1)),
    ("decide", Duration::from_millis(1)),
    ("shell", Duration::from_millis(10)),
    ("act", Duration::from_millis(2)),
];

/// Sessions: those of the consoles first, then those that run commands of requests.
const SESSIONS_MAX: usize = CONSOLES_MAX + API_WORKERS_MAX;
/// Consoles whose lines are all remembered: those that a virtual machine's owner reaches.
const AUDITED: [usize; 2] = [2, 3];

/// The subsystems with work that outlasts a tick, borrowed apart from everything else.
macro_rules! performers {
    ($kernel:ident) => {
        [
            &mut $kernel.storage.errands as &mut dyn Performer,
            &mut *$kernel.storage.files,
            &mut *$kernel.storage.layouts,
            &mut $kernel.storage.measure,
            &mut $kernel.storage.bench,
            &mut *$kernel.storage.volumes,
            &mut $kernel.waiting_room,
            &mut *$kernel.network,
            &mut $kernel.outbound,
            &mut *$kernel.security.measured,
            &mut $kernel.security.bench,
            &mut keep::Trails {
                trail: &mut *$kernel.security.audit,
                chronicle: &mut *$kernel.chronicle,
            },
        ]
    };
}

/// Everything that runs on one machine.
pub struct Kernel<M: Machine> {
    machine: M,
    views: Views,
    sessions: Vec<Session>,
    facts: Box<SessionFacts>,
    tick: TickView,
    operations: Operations,
    storage: Box<Storage>,
    chronicle: Box<Chronicle>,
    /// The power is to go once all is on the disk, or at that time.
    power_wanted: Option<(PowerAction, Instant)>,
    waiting_room: WaitingRoom,
    web: Web,
    outbound: Outbound,
    network: Box<Network>,
    handlers: DeviceHandlers,
    security: Box<Security>,
    loads: Box<Loads>,
    pointers: InputQueue,
    panel: PanelWriter,
    /// The machine was switched off or restarted and came back from that.
    is_stopped: bool,
}

impl<M: Machine> Kernel<M> {
    /// Takes all the memory that the loop needs.
    pub fn new(mut machine: M) -> Self {
        let config = &machine.boot().config;
        machine.log().set_levels(config.log_levels.clone());
        let mut sessions = Vec::with_capacity(SESSIONS_MAX);
        for index in 0..CONSOLES_MAX {
            // A program may be at the other end of the serial line, but not before the screen.
            let mode = match index {
                0 => config.shell,
                _ => ShellMode::Interactive,
            };
            sessions.push(Session::new(mode));
        }
        sessions.resize_with(SESSIONS_MAX, Session::for_requests);
        let own = seed(&mut machine);
        let storage = Box::new(Storage::new(own, &mut MachineMemory(&mut machine)));
        let web = Web::new(machine.boot().config.token.clone());
        let outbound = Outbound::new(seed(&mut machine));
        let mut loads: Box<Loads> = Box::default();
        for _ in 0..LOAD_BUFFERS_MAX {
            if let Some(buffer) = machine.take_buffer(READ_BYTES) {
                loads.add_buffer(buffer);
            }
        }
        let network = Box::new(Network::new(setup(&mut machine)));
        let security = Security::new(guard::setup(&mut machine));
        let tick = TickView {
            phases: PHASES.map(|(name, budget)| PhaseView {
                name,
                budget,
                ..PhaseView::default()
            }),
            ..TickView::default()
        };
        Self {
            machine,
            views: Views::default(),
            sessions,
            facts: Box::default(),
            tick,
            operations: Operations::default(),
            storage,
            chronicle: Box::default(),
            power_wanted: None,
            waiting_room: WaitingRoom::default(),
            web,
            outbound,
            network,
            handlers: DeviceHandlers::new(),
            security,
            loads,
            pointers: InputQueue::default(),
            panel: PanelWriter::default(),
            is_stopped: false,
        }
    }

    pub const fn machine(&self) -> &M {
        &self.machine
    }

    pub const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// How often the loop has run.
    pub const fn ticks(&self) -> u64 {
        self.tick.ticks
    }

    pub const fn handlers(&self) -> &DeviceHandlers {
        &self.handlers
    }

    pub const fn security(&self) -> &Security {
        &self.security
    }

    /// Gives a tenant an interface of its own on a port; it asks for an address at once.
    pub fn add_tenant_interface(&mut self, port: usize, tenant: Tenant) -> Result<usize, Full> {
        let now = self.machine.now();
        let ports = &mut MachinePorts(&mut self.machine);
        let handlers = &mut self.handlers;
        self.network
            .add_tenant_interface(now, port, tenant, ports, handlers)
    }

    /// Does what there is to do now; answers when it wants to be called again though
    /// nothing arrives. A console that has room again or has received something, too,
    /// is a reason to call it.
    pub fn tick(&mut self) -> Option<Instant> {
        if self.is_stopped {
            return None;
        }
        self.tick.ticks += 1;
        let phases = [Self::sense, Self::decide, Self::shell, Self::act];
        for (index, phase) in phases.into_iter().enumerate() {
            let start = self.machine.now();
            phase(self);
            self.account(index, start);
        }
        let now = self.machine.now();
        if self.machine.rest_devices(now) {
            return Some(now);
        }
        let sessions = self.sessions.iter();
        let deadlines = sessions.filter_map(|session| session.next_deadline(now));
        let others = [
            self.operations.next_deadline(now),
            self.network.next_deadline(),
            self.security.next_deadline(now),
            self.machine.next_device_deadline(now),
            self.web.next_deadline(now),
            self.panel.next_deadline(),
            self.outbound.next_deadline(now),
            self.loads.next_deadline(now),
            self.storage.next_deadline(now),
            self.next_keep_deadline(),
            self.handlers.grants().next_deadline(),
        ];
        deadlines.chain(others.into_iter().flatten()).min()
    }

    fn account(&mut self, index: usize, start: Instant) {
        let used = self.machine.now().since(start);
        let phase = &mut self.tick.phases[index];
        phase.longest = phase.longest.max(used);
        if used > phase.budget {
            phase.overruns += 1;
            let (used, budget) = (used.as_nanos(), phase.budget.as_nanos());
            let trace = self.machine.trace();
            trace.push(self.machine.now(), 0, Kind::SlowTick, used, budget);
        }
    }

    /// Rings to drivers, sectors to askers, frames to connections, keys to consoles.
    fn sense(&mut self) {
        let now = self.machine.now();
        self.expire_rights();
        self.machine.poll_devices(now);
        let pointers = &mut self.pointers;
        self.machine.route_input(&mut |event| pointers.push(*event));
        let disks = &mut MachineDisks(&mut self.machine);
        self.storage.receive(now, disks);
        let ports = &mut MachinePorts(&mut self.machine);
        self.network.receive(now, ports, &mut self.handlers);
        if !self.is_listening() {
            return;
        }
        for (index, session) in self.sessions.iter_mut().enumerate() {
            if let Some(console) = console(&mut self.machine, &mut self.web, index) {
                session.receive(console);
            }
        }
    }

    /// Nobody is listened to before a TPM has what was booted.
    fn is_listening(&self) -> bool {
        self.machine.are_devices_started() && self.security.measured.is_open()
    }

    /// What has come and what time it is, to the subsystems.
    fn decide(&mut self) {
        let now = self.machine.now();
        let ports = &mut MachinePorts(&mut self.machine);
        self.network.step(now, ports, &mut self.handlers);
        let mut outlet = self.network.outlet(now, ports, &mut self.handlers);
        self.loads.step(now, &mut outlet);
        let (loads, handlers) = (&mut self.loads, &mut self.handlers);
        let memory = &mut MachineMemory(&mut self.machine);
        let mut others = |done| loads.on_done(done, handlers);
        let chronicle = &mut self.chronicle;
        let mut recovered = |id, lsn, record: &[u8]| chronicle.on_recovered(id, lsn, record);
        self.storage.step(now, memory, &mut others, &mut recovered);
        self.storage.bench.step(&mut || self.machine.now());
        self.loads
            .step_disks(now, &mut self.handlers, &mut self.storage.queues);
        self.leave_ended_loads();
        self.serve();
        self.guard();
        self.keep();
    }

    /// Lines to commands to reports.
    fn shell(&mut self) {
        // A line that comes in this tick runs in the next one.
        if self.sessions.iter().any(Session::may_run) {
            self.facts.take(&self.sessions);
        }
        for index in 0..self.sessions.len() {
            if console(&mut self.machine, &mut self.web, index).is_none() {
                self.sessions[index].leave();
                self.web.on_session_left(index);
            } else {
                self.type_request(index);
                self.answer_session(index);
                self.step_session(index);
            }
            if let Some(id) = self.sessions[index].take_abandoned() {
                let performers = &mut performers!(self);
                self.operations.cancel(id, performers);
            }
        }
    }

    fn step_session(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        let now = self.machine.now();
        let mut desk = Desk {
            machine: &mut self.machine,
            views: &mut self.views,
            tick: &self.tick,
            sessions: &self.facts,
            operations: &self.operations,
            storage: &self.storage,
            chronicle: &self.chronicle,
            web: &self.web,
            outbound: &self.outbound,
            network: &self.network,
            handlers: &mut self.handlers,
            security: &mut self.security,
            loads: &self.loads,
            pointers: &self.pointers,
        };
        session.set_asker(self.web.asker(index));
        session.step(now, &mut desk);
        if session.has_been_ready() && self.tick.ready_at.is_none() {
            self.tick.ready_at = Some(now);
        }
        if let Some(line) = session.take_begun()
            && let Some(subject) = Subject::console(index)
        {
            let event = Event::line(subject, line);
            self.security.audit.append(now, event);
            if AUDITED.contains(&index) {
                self.handlers.on_console_line(now, Tenant::KERNEL, line);
            }
        }
        if let Some(permitted) = session.request() {
            let result = self.perform(permitted);
            self.sessions[index].on_tried(result);
            // It may have ended as it began.
            self.answer_session(index);
        }
    }

    /// Gives a session the answer of the operation that it waits for, once there is one.
    fn answer_session(&mut self, index: usize) {
        let now = self.machine.now();
        let performers = &mut performers!(self);
        let operations = &mut self.operations;
        self.sessions[index]
            .await_answer(|id, report| operations.maybe_answer(now, id, performers, report));
    }

    /// Answers to consoles, what is to happen once they are out, requests to disks, and
    /// segments to ports.
    fn act(&mut self) {
        let address = self.network.view().first_address();
        let address =
            address.map(|(address, length)| Text::format(format_args!("{address}/{length}")));
        self.panel
            .maybe_show(&mut self.machine, &mut self.views, address);
        for index in 0..self.sessions.len() {
            let now = self.machine.now();
            let Some(console) = console(&mut self.machine, &mut self.web, index) else {
                continue;
            };
            if let Some(permitted) = self.sessions[index].send(now, console)
                && let Err(reason) = self.perform(permitted)
            {
                let log = self.machine.log();
                log.write(now, Level::Error, "kernel", format_args!("{reason}"));
            }
        }
        self.serve();
        let now = self.machine.now();
        let disks = &mut MachineDisks(&mut self.machine);
        self.storage.send(now, disks);
        let ports = &mut MachinePorts(&mut self.machine);
        self.network.transmit(now, ports, &mut self.handlers);
    }
}

/// What the session of that index sits on.
fn console<'a, M: Machine>(
    machine: &'a mut M,
    web: &'a mut Web,
    index: usize,
) -> Option<&'a mut dyn Console> {
    match index.checked_sub(CONSOLES_MAX) {
        None => machine.console(index),
        Some(worker) => web.console(worker),
    }
}
