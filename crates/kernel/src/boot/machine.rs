//! This machine as the kernel sees it: `Machine` over `arch` and `drivers`.

use super::notes::{LOG, TRACE};
use super::power;
use super::screen::{self, ScreenHandle};
use crate::arch::view::{CoreView, CpuView, InterruptsView};
use crate::arch::{apic, clock, core_local, cpu, interrupts};
use crate::base::console::Console;
use crate::base::fixed::Vec;
use crate::base::log::Log;
use crate::base::machine::{
    BootView, DebugAction, PowerAction, SelfTest, SelfTestError, SelfTestView,
};
use crate::base::metric::Usage;
use crate::base::network_port::NetworkPort;
use crate::base::time::Instant;
use crate::base::trace::Trace;
use crate::drivers::devices::view::DevicesView;
use crate::drivers::devices::{Devices, ResetError};
use crate::drivers::pci::address::Address;
use crate::drivers::serial::{self, SerialConsole};
use crate::kernel::Machine;
use crate::memory;
use crate::memory::view::MemoryView;
use crate::sched;
use crate::sched::view::ThreadsView;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

pub struct Metal {
    boot: BootView,
    cores_present: usize,
    serial: SerialConsole,
    screen: Option<ScreenHandle>,
    devices: Option<Devices>,
}

impl Metal {
    pub fn new(boot: BootView, cores_present: usize, devices: Option<Devices>) -> Self {
        let screen = boot.framebuffer.map(|_| ScreenHandle);
        Self {
            boot,
            cores_present: cores_present.max(1),
            serial: SerialConsole,
            screen,
            devices,
        }
    }
}

impl Machine for Metal {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn entropy(&mut self, bytes: &mut [u8]) -> bool {
        cpu::random(bytes)
    }

    fn console(&mut self, index: usize) -> Option<&mut dyn Console> {
        match index {
            0 => Some(&mut self.serial),
            1 => self
                .screen
                .as_mut()
                .map(|screen| screen as &mut dyn Console),
            _ => None,
        }
    }

    fn log(&self) -> &Log {
        &LOG
    }

    fn trace(&self) -> &Trace {
        &TRACE
    }

    fn boot(&self) -> &BootView {
        &self.boot
    }

    fn cpu(&self, view: &mut CpuView) {
        let now = clock::now();
        *view = CpuView {
            vendor: cpu::vendor(),
            brand: cpu::brand(),
            cores_present: self.cores_present,
            clock_hz: clock::hz(),
            clock_source: clock::source(),
            timer: apic::timer_name(),
            features: cpu::features(),
            cores: Vec::new(),
        };
        for index in 0..self.cores_present {
            let Some(cells) = core_local::of(index) else {
                return;
            };
            let used = sched::core_use(index, now);
            let row = CoreView {
                index,
                apic_id: cells.apic_id.load(Relaxed),
                is_online: cells.is_online.load(Acquire),
                busy: used.busy,
                idle: used.idle,
                interrupts: cells.interrupts.load(Relaxed),
                switches: used.switches,
                ready: used.ready,
            };
            // `of` has as many as the list holds.
            let _ = view.cores.push(row);
        }
    }

    fn interrupts(&self, view: &mut InterruptsView) {
        interrupts::view(view);
    }

    fn memory(&self, view: &mut MemoryView) {
        memory::view(view);
    }

    fn threads(&self, view: &mut ThreadsView) {
        sched::view(view, clock::now());
    }

    fn usages(&self, visit: &mut dyn FnMut(&Usage)) {
        memory::visit_usages(visit);
        serial::visit_usages(visit);
        visit(&screen::usage());
        if let Some(devices) = &self.devices {
            devices.visit_usages(visit);
        }
    }

    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        self.devices.as_mut()?.port(index)
    }

    fn poll_devices(&mut self, now: Instant) {
        if let Some(devices) = &mut self.devices {
            devices.poll(now);
        }
    }

    fn rest_devices(&mut self, now: Instant) -> bool {
        let devices = self.devices.as_mut();
        devices.is_some_and(|devices| devices.rest(now))
    }

    fn next_device_deadline(&self, now: Instant) -> Option<Instant> {
        self.devices.as_ref()?.next_deadline(now)
    }

    fn devices(&self, view: &mut DevicesView) {
        match &self.devices {
            Some(devices) => devices.view(view),
            None => *view = DevicesView::default(),
        }
    }

    fn reset_device(&mut self, address: Address) -> Result<(), ResetError> {
        let now = clock::now();
        let devices = self.devices.as_mut();
        devices.map_or(Err(ResetError::NoSuchDevice), |devices| {
            devices.reset(address, now)
        })
    }

    fn power(&mut self, action: PowerAction) {
        serial::flush();
        match action {
            PowerAction::Reboot => power::reboot(),
            PowerAction::PowerOff => power::power_off(),
        }
    }

    fn debug(&mut self, action: DebugAction) {
        crate::failure::provoke(action);
    }

    fn start_self_test(&mut self, test: SelfTest) -> Result<(), SelfTestError> {
        sched::selftest::start(test)
    }

    fn self_test(&self) -> SelfTestView {
        sched::selftest::view()
    }
}
