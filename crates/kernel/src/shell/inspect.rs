//! What handlers of commands may read: views, nothing they could change.

use crate::arch::view::{CpuView, InterruptsView};
use crate::base::config::ShellMode;
use crate::base::console::ConsoleView;
use crate::base::disk::{DiskFacts, DiskView};
use crate::base::display::DisplayView;
use crate::base::entropy::EntropySources;
use crate::base::log::Log;
use crate::base::machine::{BootView, SelfTestView};
use crate::base::metric::Usage;
use crate::base::operation::OperationsView;
use crate::base::time::{Duration, Instant};
use crate::base::trace::Trace;
use crate::drivers::devices::view::DevicesView;
use crate::drivers::handlers::DeviceHandlers;
use crate::drivers::input_queue::InputQueue;
use crate::memory::view::MemoryView;
use crate::net::dhcp::ClientView;
use crate::net::dns::Resolver;
use crate::net::firewall::Firewall;
use crate::net::http::{ApiView, RequestRecord};
use crate::net::service_sockets::NameServers;
use crate::net::view::NetworkView;
use crate::resilience::chronicle::Chronicle;
use crate::sched::view::ThreadsView;
use crate::security::Security;
use crate::storage::Storage;
use crate::workloads::load::LoadView;

/// Views are taken when they are asked for, into memory that the kernel keeps.
pub trait Inspect {
    fn now(&self) -> Instant;
    fn boot(&self) -> &BootView;
    fn log(&self) -> &Log;
    fn trace(&self) -> &Trace;
    fn tick(&self) -> &TickView;
    fn self_test(&self) -> SelfTestView;
    /// The HTTP server and the commands that run for its requests.
    fn api(&self) -> ApiView;
    fn resolver(&self) -> &Resolver;
    fn name_servers(&self) -> NameServers;
    /// The last HTTP requests, oldest first.
    fn visit_requests(&self, visit: &mut dyn FnMut(&RequestRecord));
    fn cpu(&mut self) -> &CpuView;
    fn interrupts(&mut self) -> &InterruptsView;
    fn memory(&mut self) -> &MemoryView;
    fn threads(&mut self) -> &ThreadsView;
    /// Every device that was found, by its address.
    fn devices(&mut self) -> &DevicesView;
    /// Every console of the machine, in the order of its index.
    fn visit_consoles(&mut self, visit: &mut dyn FnMut(&ConsoleView, ShellMode));
    /// Every disk of the machine with its place.
    fn visit_disks(&mut self, visit: &mut dyn FnMut(usize, &DiskFacts, &DiskView));
    /// What pointers and touch screens have done.
    fn pointers(&self) -> &InputQueue;
    fn entropy_sources(&mut self) -> EntropySources;
    /// The virtual display, where there is one.
    fn display(&mut self) -> Option<DisplayView>;
    fn operations(&self) -> OperationsView;
    fn network(&self) -> NetworkView<'_>;
    fn firewall(&self) -> &Firewall;
    fn handlers(&self) -> &DeviceHandlers;
    fn security(&self) -> &Security;
    /// What is kept beyond a boot.
    fn chronicle(&self) -> &Chronicle;
    fn storage(&self) -> &Storage;
    /// Every DHCP client, in the order of their interfaces' coming.
    fn visit_dhcp(&mut self, visit: &mut dyn FnMut(&ClientView<'_>));
    /// The newest load of each tenant.
    fn visit_loads(&mut self, visit: &mut dyn FnMut(&LoadView));
    /// How full bounded things are; a name may come more than once.
    fn visit_usages(&mut self, visit: &mut dyn FnMut(&Usage));
}

/// What the control loop has done so far.
#[derive(Clone, Debug, Default)]
pub struct TickView {
    pub ticks: u64,
    /// When the first console was ready for a line.
    pub ready_at: Option<Instant>,
    pub phases: [PhaseView; 4],
}

impl TickView {
    pub fn overruns(&self) -> u64 {
        self.phases.iter().map(|phase| phase.overruns).sum()
    }
}

/// One phase of a tick and the time it takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PhaseView {
    pub name: &'static str,
    pub budget: Duration,
    pub longest: Duration,
    /// Ticks in which the phase took longer than its budget.
    pub overruns: u64,
}
