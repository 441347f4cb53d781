//! A machine that is only numbers: what a kernel sees on the host.

use crate::disk::{DiskSettings, SimDisk};
use crate::segment::{Segment, SegmentPort};
use crate::tpm::{SimTpm, TpmSettings};
use crate::wire::Wire;
use rayos_kernel::arch::view::{CoreView, CpuView, FeatureView, InterruptView, InterruptsView};
use rayos_kernel::base::boot_inputs::{BootInputs, Measured};
use rayos_kernel::base::buffer::Buffer;
use rayos_kernel::base::config::Config;
use rayos_kernel::base::console::Console;
use rayos_kernel::base::disk::Disk;
use rayos_kernel::base::entropy::EntropySources;
use rayos_kernel::base::fixed::{Text, Vec as FixedVec};
use rayos_kernel::base::log::Log;
use rayos_kernel::base::machine::{
    BootView, DebugAction, PowerAction, SelfTest, SelfTestError, SelfTestView,
};
use rayos_kernel::base::network_port::NetworkPort;
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::base::token::{self, Token};
use rayos_kernel::base::tpm::TpmPort;
use rayos_kernel::base::trace::Trace;
use rayos_kernel::drivers::tpm::shut_down;
use rayos_kernel::kernel::Machine;
use rayos_kernel::limits::STACK_BYTES;
use rayos_kernel::memory::view::{MappingView, MemoryView, RangeView};
use rayos_kernel::sched::view::{ThreadView, ThreadsView};

/// What is chosen when a simulated machine is made.
#[derive(Clone)]
pub struct Settings {
    pub seed: u64,
    pub cores: usize,
    pub memory_bytes: u64,
    pub command_line: String,
    /// Columns of the screen; `None` for a machine without one.
    pub screen_columns: Option<u16>,
    /// A network port on each.
    pub segments: Vec<Segment>,
    /// A simulated TPM; `None` for a machine without one.
    pub tpm: Option<TpmSettings>,
    /// At most `DISKS_MAX`.
    pub disks: Vec<DiskSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            cores: 2,
            memory_bytes: 128 << 20,
            command_line: "shell=framed".to_string(),
            screen_columns: None,
            segments: Vec::new(),
            tpm: None,
            disks: vec![DiskSettings::default()],
        }
    }
}

pub struct SimMachine {
    settings: Settings,
    now: Instant,
    prng: Prng,
    pub serial: Wire,
    pub screen: Option<Wire>,
    pub disks: Vec<SimDisk>,
    pub ports: Vec<SegmentPort>,
    pub tpm: Option<SimTpm>,
    log: Box<Log>,
    trace: Box<Trace>,
    boot: BootView,
    inputs: BootInputs,
    /// What the kernel did to the machine, in order.
    pub power_actions: Vec<PowerAction>,
    pub debug_actions: Vec<DebugAction>,
}

impl SimMachine {
    pub fn new(settings: Settings) -> Self {
        let mut prng = Prng::new(settings.seed);
        let screen_columns = settings.screen_columns;
        let boot = BootView {
            path: "simulated",
            command_line: token::redacted(&settings.command_line),
            config: Config::parse(&settings.command_line),
            framebuffer: None,
            missing: missing(&settings),
        };
        let inputs = inputs(&boot, &settings);
        Self {
            now: Instant::ZERO,
            serial: Wire::new("serial", None, prng.next_u64()),
            screen: screen_columns
                .map(|columns| Wire::new("screen", Some(columns), prng.next_u64())),
            disks: disks(&settings),
            ports: ports(&settings),
            tpm: tpm(&settings),
            log: Box::new(Log::new()),
            trace: Box::new(Trace::new()),
            boot,
            inputs,
            power_actions: Vec::new(),
            debug_actions: Vec::new(),
            prng,
            settings,
        }
    }

    /// The machine at its next start: its disks and its cables are those of before.
    pub fn next_boot(&mut self) -> Self {
        let mut settings = self.settings.clone();
        // What is random differs from boot to boot.
        settings.seed = self.prng.next_u64();
        let mut next = Self::new(settings);
        next.disks = std::mem::take(&mut self.disks);
        next.ports = std::mem::take(&mut self.ports);
        next.advance_to(self.now);
        next
    }

    /// Lets time pass and the devices work.
    pub fn advance_to(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.serial.advance(self.now);
        for disk in &mut self.disks {
            disk.advance(self.now);
        }
        for port in &mut self.ports {
            port.advance(self.now);
        }
        if let Some(screen) = &mut self.screen {
            screen.advance(self.now);
        }
    }

    /// When a device wants the kernel's attention.
    pub fn next_event(&self) -> Option<Instant> {
        let screen = self.screen.as_ref().and_then(Wire::next_event);
        let events = [self.serial.next_event(), screen];
        let frames = self.ports.iter().filter_map(SegmentPort::next_event);
        let disks = self.disks.iter().filter_map(SimDisk::next_event);
        events
            .into_iter()
            .flatten()
            .chain(frames)
            .chain(disks)
            .min()
    }
}

/// Its random numbers are its own, so that a machine's others are the same without it.
fn tpm(settings: &Settings) -> Option<SimTpm> {
    let own = settings.tpm.clone()?;
    Some(SimTpm::new(own, !settings.seed))
}

/// Their faults are their own, too.
fn disks(settings: &Settings) -> Vec<SimDisk> {
    let disks = settings.disks.iter().enumerate();
    let seed = |index| settings.seed.rotate_left(8) ^ (index as u64 + 1);
    disks
        .map(|(index, own)| SimDisk::new(index, own.clone(), seed(index)))
        .collect()
}

fn ports(settings: &Settings) -> Vec<SegmentPort> {
    let names = ["eth0", "eth1", "eth2", "eth3"];
    let places = names.into_iter().zip(&settings.segments);
    places.map(|(name, segment)| segment.join(name)).collect()
}

/// No file was loaded here: texts that say so stand for the kernel's code and data.
fn inputs(boot: &BootView, settings: &Settings) -> BootInputs {
    BootInputs {
        code: [b"the read-only data of a simulated kernel", b"its code"],
        data: Some(Measured::of(b"the data of a simulated kernel")),
        command_line: Measured::of_settings(settings.command_line.as_bytes()),
        token: boot.config.token.as_ref().map(Token::fingerprint),
        ramdisk: None,
        firmware_log: Box::default(),
    }
}

fn missing(settings: &Settings) -> FixedVec<(&'static str, &'static str), 16> {
    let mut missing = FixedVec::new();
    let mut lacks = vec![("hardware", "this machine is simulated")];
    if settings.screen_columns.is_none() {
        lacks.push(("screen", "the simulated machine was made without one"));
    }
    for lack in lacks {
        let kept = missing.push(lack).is_ok();
        rayos_kernel::invariant!(kept, "a simulated machine lacks too much");
    }
    missing
}

impl Machine for SimMachine {
    fn now(&self) -> Instant {
        self.now
    }

    fn entropy(&mut self, bytes: &mut [u8]) -> bool {
        self.prng.fill(bytes);
        true
    }

    fn entropy_sources(&mut self) -> EntropySources {
        EntropySources {
            has_processor: true,
            has_device: false,
            has_tpm: false,
        }
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

    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        let port = self.ports.get_mut(index)?;
        port.is_plugged().then_some(port as &mut dyn NetworkPort)
    }

    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        let disk = self.disks.get_mut(index)?;
        Some(disk)
    }

    fn tpm(&mut self) -> Option<&mut dyn TpmPort> {
        if !self.boot.config.is_tpm_used {
            return None;
        }
        self.tpm.as_mut().map(|tpm| tpm as &mut dyn TpmPort)
    }

    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        Some(Buffer::new(vec![0; bytes].leak(), 0))
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn trace(&self) -> &Trace {
        &self.trace
    }

    fn boot(&self) -> &BootView {
        &self.boot
    }

    fn boot_inputs(&self) -> &BootInputs {
        &self.inputs
    }

    fn cpu(&self, view: &mut CpuView) {
        *view = CpuView {
            vendor: Text::cut_from("simulated"),
            brand: Text::cut_from("simulated processor"),
            cores_present: self.settings.cores,
            clock_hz: 1_000_000_000,
            clock_source: "simulated",
            timer: "simulated",
            ..CpuView::default()
        };
        let feature = FeatureView {
            name: "simulated",
            is_offered: true,
            is_enabled: true,
        };
        let _ = view.features.push(feature);
        for index in 0..self.settings.cores {
            // What does not fit is what `cores_present` says beyond the list.
            let _ = view.cores.push(CoreView {
                index,
                apic_id: index as u32,
                is_online: true,
                busy: Duration::ZERO,
                idle: self.now.since(Instant::ZERO),
                interrupts: 0,
                switches: 0,
                ready: 0,
            });
        }
    }

    fn interrupts(&self, view: &mut InterruptsView) {
        view.sources.clear();
        let _ = view.sources.push(InterruptView {
            vector: 0x20,
            source: "simulated",
            line: None,
            core: None,
            count: 0,
        });
    }

    fn memory(&self, view: &mut MemoryView) {
        let total_bytes = self.settings.memory_bytes;
        *view = MemoryView {
            total_bytes,
            free_bytes: total_bytes,
            ..MemoryView::default()
        };
        let _ = view.ranges.push(RangeView {
            start: 0,
            bytes: total_bytes,
            kind: "simulated",
        });
        let _ = view.mappings.push(MappingView {
            name: "simulated",
            start: 0,
            bytes: total_bytes,
            is_writable: true,
            is_executable: false,
            page_bytes: 4096,
        });
    }

    fn threads(&self, view: &mut ThreadsView) {
        view.threads.clear();
        view.high_water = 1;
        let _ = view.threads.push(ThreadView {
            id: 1,
            name: Text::cut_from("simulated"),
            state: "running",
            priority: 1,
            core: 0,
            is_pinned: false,
            run_time: Duration::ZERO,
            switches: 0,
            stack_bytes: STACK_BYTES as u64,
            stack_high_water_bytes: 0,
        });
    }

    fn power(&mut self, action: PowerAction) {
        let mut now = self.now();
        if let Some(port) = self.tpm() {
            // As on metal, time goes on while the TPM is waited for.
            let mut later = || {
                now = now + Duration::from_micros(100);
                now
            };
            shut_down(port, &mut later);
        }
        self.power_actions.push(action);
    }

    fn debug(&mut self, action: DebugAction) {
        self.debug_actions.push(action);
    }

    fn start_self_test(&mut self, _: SelfTest) -> Result<(), SelfTestError> {
        Err(SelfTestError::NotHere)
    }

    fn self_test(&self) -> SelfTestView {
        SelfTestView::default()
    }
}
