//! This machine as the kernel sees it: `Machine` over `arch` and `drivers`.

use super::notes::{LOG, TRACE};
use super::power;
use super::screen::{self, ScreenHandle};
use crate::arch::view::{CoreView, CpuView, InterruptsView};
use crate::arch::{apic, clock, core_local, cpu, interrupts};
use crate::base::boot_inputs::BootInputs;
use crate::base::buffer::Buffer;
use crate::base::console::Console;
use crate::base::disk::Disk;
use crate::base::display::Display;
use crate::base::entropy::EntropySources;
use crate::base::entropy_pool::EntropyPool;
use crate::base::fixed::Vec;
use crate::base::input::{InputClass, InputEvent};
use crate::base::log::Log;
use crate::base::machine::{
    BootView, DebugAction, PowerAction, SelfTest, SelfTestError, SelfTestView,
};
use crate::base::metric::Usage;
use crate::base::network_port::NetworkPort;
use crate::base::time::Instant;
use crate::base::tpm::TpmPort;
use crate::base::trace::Trace;
use crate::drivers::devices::view::DevicesView;
use crate::drivers::devices::{Devices, ResetError};
use crate::drivers::pci::address::Address;
use crate::drivers::serial::{self, SerialConsole};
use crate::drivers::tpm;
use crate::kernel::Machine;
use crate::memory;
use crate::memory::view::MemoryView;
use crate::sched;
use crate::sched::view::ThreadsView;
use alloc::boxed::Box;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

/// Random bytes that are asked of a device in one go.
const ENTROPY_CHUNK: usize = 32;
/// Cells of the virtual display that are painted in one tick, as for the screen.
const CELLS_A_TICK: usize = 400;

pub struct Metal {
    boot: BootView,
    inputs: BootInputs,
    cores_present: usize,
    serial: SerialConsole,
    screen: Option<ScreenHandle>,
    devices: Option<Devices>,
    tpm: Option<Box<dyn TpmPort + Send>>,
    /// What the TPM has given of random bytes.
    pool: EntropyPool,
}

impl Metal {
    pub fn new(
        boot: BootView,
        inputs: BootInputs,
        cores_present: usize,
        devices: Option<Devices>,
        tpm: Option<Box<dyn TpmPort + Send>>,
    ) -> Self {
        let screen = boot.framebuffer.map(|_| ScreenHandle);
        Self {
            boot,
            inputs,
            cores_present: cores_present.max(1),
            serial: SerialConsole,
            screen,
            devices,
            tpm,
            pool: EntropyPool::new(),
        }
    }
}

impl Metal {
    /// Lays random bytes of a device over these; false when there is none that has so many.
    fn lay_device_over(&mut self, bytes: &mut [u8]) -> bool {
        let Some(devices) = &mut self.devices else {
            return false;
        };
        for chunk in bytes.chunks_mut(ENTROPY_CHUNK) {
            let mut other = [0; ENTROPY_CHUNK];
            let other = &mut other[..chunk.len()];
            if !devices.entropy(other) {
                return false;
            }
            for (byte, other) in chunk.iter_mut().zip(other) {
                *byte ^= *other;
            }
        }
        true
    }

    /// Brings to the virtual display what has changed; true when more waits.
    pub fn draw(&mut self) -> bool {
        let display = self.devices.as_mut().and_then(Devices::display);
        display.is_some_and(|display| display.draw(clock::now(), CELLS_A_TICK))
    }
}

impl Machine for Metal {
    fn now(&self) -> Instant {
        clock::now()
    }

    /// All sources are laid over one another, so that the best one decides.
    fn entropy(&mut self, bytes: &mut [u8]) -> bool {
        let has_own = cpu::random(bytes);
        let has_device = self.lay_device_over(bytes);
        let has_pool = self.pool.lay_over(bytes);
        has_own || has_device || has_pool
    }

    fn entropy_sources(&mut self) -> EntropySources {
        EntropySources {
            has_processor: cpu::random(&mut [0; 8]),
            has_device: self.devices.as_mut().is_some_and(Devices::has_entropy),
            has_tpm: self.pool.is_filled(),
        }
    }

    fn add_entropy(&mut self, bytes: &[u8; 32]) {
        self.pool.add(bytes);
    }

    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        self.devices.as_mut()?.disk(index)
    }

    fn tpm(&mut self) -> Option<&mut dyn TpmPort> {
        Some(self.tpm.as_deref_mut()?)
    }

    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        memory::allocate_buffer(bytes).ok()
    }

    fn display(&mut self) -> Option<&mut dyn Display> {
        self.devices.as_mut()?.display()
    }

    fn route_input(&mut self, other: &mut dyn FnMut(&InputEvent)) {
        let Some(devices) = &mut self.devices else {
            return;
        };
        let keymap = self.boot.config.keymap;
        let screen = &mut self.screen;
        devices.route_input(keymap, &mut |event| match screen {
            // Without a virtual display, keys are for the other one.
            Some(screen) if event.class() == InputClass::Keyboard => screen.on_key(event),
            _ => other(event),
        });
    }

    fn console(&mut self, index: usize) -> Option<&mut dyn Console> {
        match index {
            0 => Some(&mut self.serial),
            1 => self
                .screen
                .as_mut()
                .map(|screen| screen as &mut dyn Console),
            2 => Some(self.devices.as_mut()?.display()?.text()),
            3 => self.devices.as_mut()?.console(),
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

    fn boot_inputs(&self) -> &BootInputs {
        &self.inputs
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

    fn are_devices_started(&self) -> bool {
        self.devices.as_ref().is_none_or(Devices::are_started)
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
        if let Some(port) = &mut self.tpm {
            // Power goes whether it has heard or not.
            let _ = tpm::shut_down(&mut **port, &mut clock::now);
        }
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
