//! A machine as data, and its translation into QEMU's arguments.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::devices::{Device, Role};
use super::tpm::{TpmDevice, TpmInterface};

/// The board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Platform {
    Q35,
    Pc,
    Microvm,
}

/// How the kernel gets into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Boot {
    /// QEMU loads the executable itself (`-kernel`, through its PVH note).
    Pvh,
    /// SeaBIOS starts the BIOS image.
    Bios,
    /// OVMF starts the UEFI image.
    Uefi,
}

/// How a boot image is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Virtio,
    Ide,
    /// A stick on an xHCI controller, as on real hardware.
    UsbStorage,
}

/// What there is to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// No graphics card at all.
    Absent,
    /// A graphics card without a window: screendumps show its screen.
    Card,
    /// A graphics card and a window on the user's desktop.
    Window,
}

/// Everything that makes one machine different from another.
#[derive(Clone, Debug)]
pub struct Shape {
    pub platform: Platform,
    pub boot: Boot,
    pub medium: Medium,
    pub display: Display,
    pub cores: u32,
    pub memory_mib: u32,
    /// QEMU's name of the processor, with features: `max`, `Nehalem`, `EPYC,-x2apic`.
    pub processor: String,
    /// `key=value` settings for the kernel, separated by blanks.
    pub command_line: String,
    /// A file that QEMU hands to a kernel which it loads itself.
    pub initrd: Option<PathBuf>,
    pub tpm: Option<TpmDevice>,
    /// Whether a reset starts the machine anew; otherwise it ends QEMU.
    pub restarts: bool,
    /// The loopback port on which a debugger is waited for before the first instruction.
    pub debugger_port: Option<u16>,
    /// The virtio devices.
    pub virtio: Vec<Device>,
    /// The network namespace in which QEMU runs, as a file: `/proc/123/ns/net`.
    pub namespace: Option<PathBuf>,
    /// Open files whose locks the machine holds as long as it runs.
    pub held: Vec<Arc<File>>,
    /// Further arguments, as QEMU takes them.
    pub devices: Vec<String>,
}

impl Shape {
    /// The usual machine: two cores, 256 MiB, a screen when the boot path wants one.
    pub fn new(boot: Boot) -> Self {
        Shape {
            platform: Platform::Q35,
            boot,
            medium: Medium::Ide,
            // The BIOS stage of the boot loader asks the card for a mode and does not go on without an answer.
            display: if boot == Boot::Pvh {
                Display::Absent
            } else {
                Display::Card
            },
            cores: 2,
            memory_mib: 256,
            processor: "max".to_string(),
            command_line: String::new(),
            initrd: None,
            tpm: None,
            restarts: false,
            debugger_port: None,
            virtio: Vec::new(),
            namespace: None,
            held: Vec::new(),
            devices: Vec::new(),
        }
    }

    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = platform;
        self
    }

    pub fn medium(mut self, medium: Medium) -> Self {
        self.medium = medium;
        self
    }

    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    pub fn cores(mut self, cores: u32) -> Self {
        self.cores = cores;
        self
    }

    pub fn memory_mib(mut self, memory_mib: u32) -> Self {
        self.memory_mib = memory_mib;
        self
    }

    pub fn processor(mut self, processor: &str) -> Self {
        self.processor = processor.to_string();
        self
    }

    /// Adds settings to the kernel's command line.
    pub fn setting(mut self, setting: &str) -> Self {
        if !self.command_line.is_empty() {
            self.command_line.push(' ');
        }
        self.command_line.push_str(setting);
        self
    }

    pub fn restarts(mut self) -> Self {
        self.restarts = true;
        self
    }

    /// Adds a virtio device.
    pub fn virtio(mut self, device: Device) -> Self {
        self.virtio.push(device);
        self
    }

    /// Hands a file to the kernel, as `-initrd` does.
    pub fn initrd(mut self, file: &Path) -> Self {
        self.initrd = Some(file.to_path_buf());
        self
    }

    /// Adds a TPM. The same state is the same TPM, with its seeds and its NV storage.
    pub fn tpm(mut self, interface: TpmInterface, state: &Path) -> Self {
        self.tpm = Some(TpmDevice {
            interface,
            state: state.to_path_buf(),
            diary: None,
        });
        self
    }

    /// Lets QEMU run in a network namespace.
    pub fn in_namespace(mut self, namespace: &Path) -> Self {
        self.namespace = Some(namespace.to_path_buf());
        self
    }

    /// Adds arguments for QEMU: `["-device", "virtio-rng-pci"]`.
    pub fn device(mut self, arguments: &[&str]) -> Self {
        self.devices
            .extend(arguments.iter().map(|argument| argument.to_string()));
        self
    }

    /// Whether the command line sets this key.
    pub fn has_setting(&self, key: &str) -> bool {
        self.command_line
            .split_whitespace()
            .any(|word| word.split_once('=').is_some_and(|(name, _)| name == key))
    }

    /// Why QEMU could not start this machine, when that is known beforehand.
    pub fn problem(&self) -> Option<String> {
        if self.platform == Platform::Microvm && self.boot != Boot::Pvh {
            return Some("microvm has no disk controller to boot an image from; use --boot pvh or --machine q35".into());
        }
        if self.platform == Platform::Microvm && self.display != Display::Absent {
            return Some("microvm has no bus for a graphics card; use --machine q35 or pc".into());
        }
        if self.platform == Platform::Microvm && self.tpm.is_some() {
            return Some("microvm has no place for a TPM; use --machine q35 or pc".into());
        }
        if self.boot != Boot::Pvh && self.initrd.is_some() {
            return Some("an image carries its own files, and no other can be handed to its kernel; use --boot pvh".into());
        }
        if self.cores == 0 {
            return Some("a machine needs at least one core".into());
        }
        None
    }

    /// The arguments for processor, memory and board: what a peer in a benchmark shares with the kernel.
    pub fn board_arguments(&self) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add(["-nodefaults", "-no-user-config"]);
        let platform = match self.platform {
            Platform::Q35 => "q35",
            Platform::Pc => "pc",
            Platform::Microvm if self.virtio.is_empty() => "microvm",
            Platform::Microvm => "microvm,pcie=on",
        };
        arguments.add([
            "-machine",
            platform,
            "-accel",
            if can_use_kvm() { "kvm" } else { "tcg" },
        ]);
        arguments.add(["-cpu", &self.processor, "-smp", &self.cores.to_string()]);
        arguments.add(["-m", &format!("{}M", self.memory_mib)]);
        match self.display {
            Display::Absent => arguments.add(["-display", "none"]),
            Display::Card => arguments.add(["-vga", "std", "-display", "none"]),
            Display::Window => {
                // Only the firmware's part of the start needs the old card where there is a virtual one.
                if self.boot != Boot::Pvh || !self.has_virtual_display() {
                    arguments.add(["-vga", "std"]);
                }
                arguments.add(["-display", "gtk"]);
            }
        }
        if !self.restarts {
            arguments.add(["-no-reboot"]);
        }
        arguments.0
    }

    fn has_virtual_display(&self) -> bool {
        self.virtio
            .iter()
            .any(|device| device.role == Role::Display)
    }

    /// The arguments for the virtio devices; sockets of theirs lie in `scratch`.
    pub fn virtio_arguments(&self, scratch: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        if self.platform == Platform::Q35 && !self.virtio.is_empty() {
            // Plugging goes through the ports themselves and not through firmware code that the kernel would have to run.
            let setting = "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off";
            arguments.add(["-global", setting]);
        }
        for (number, device) in self.virtio.iter().enumerate() {
            arguments
                .0
                .extend(device.arguments(self.platform, number, scratch));
        }
        arguments.0
    }

    /// The arguments that let QEMU load a kernel itself.
    pub fn direct_boot_arguments(&self, kernel: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add(["-kernel"]);
        arguments.0.push(kernel.into());
        arguments.add(["-append", &self.command_line]);
        if let Some(initrd) = &self.initrd {
            arguments.add(["-initrd"]);
            arguments.0.push(initrd.into());
        }
        arguments.0
    }

    /// The arguments that attach a boot image. Writes of the guest are thrown away when QEMU ends.
    pub fn image_arguments(&self, image: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add(["-drive"]);
        arguments.0.push(with_file(
            "if=none,id=boot,format=raw,snapshot=on",
            "file",
            image,
        ));
        match self.medium {
            Medium::Virtio => arguments.add(["-device", "virtio-blk-pci,drive=boot,bootindex=0"]),
            Medium::Ide => arguments.add(["-device", "ide-hd,drive=boot,bootindex=0"]),
            Medium::UsbStorage => arguments.add([
                "-device",
                "qemu-xhci,id=usb",
                "-device",
                "usb-storage,bus=usb.0,drive=boot,bootindex=0,removable=on",
            ]),
        }
        arguments.0
    }

    /// The arguments that put OVMF into the two flash chips.
    pub fn firmware_arguments(code: &Path, variables: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add(["-drive"]);
        arguments.0.push(with_file(
            "if=pflash,unit=0,format=raw,readonly=on",
            "file",
            code,
        ));
        arguments.add(["-drive"]);
        arguments
            .0
            .push(with_file("if=pflash,unit=1,format=raw", "file", variables));
        arguments.0
    }

    /// Debugger and further devices.
    pub fn extra_arguments(&self) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        if let Some(port) = self.debugger_port {
            arguments.add(["-S", "-gdb", &format!("tcp:127.0.0.1:{port}")]);
        }
        arguments.0.extend(self.devices.iter().map(OsString::from));
        arguments.0
    }
}

#[derive(Default)]
pub(super) struct Arguments(pub(super) Vec<OsString>);

impl Arguments {
    pub(super) fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }
}

/// `options,KEY=PATH`, with the commas of the path doubled as QEMU wants them.
pub(super) fn with_file(options: &str, key: &str, path: &Path) -> OsString {
    format!(
        "{options},{key}={}",
        path.to_string_lossy().replace(',', ",,")
    )
    .into()
}

/// Whether KVM really runs guests here.
///
/// `/dev/kvm` can be there and even make a machine on a host whose processor has no help for guests; a guest then
/// crashes or crawls. So the processor is asked first.
pub fn can_use_kvm() -> bool {
    let has_help = fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| {
        text.lines()
            .filter(|line| line.starts_with("flags"))
            .any(|line| {
                line.split_whitespace()
                    .any(|flag| flag == "vmx" || flag == "svm")
            })
    });
    has_help
        && fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[OsString]) -> String {
        arguments
            .iter()
            .map(|it| it.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn cores_memory_and_processor_reach_qemu() {
        let shape = Shape::new(Boot::Pvh)
            .cores(4)
            .memory_mib(64)
            .processor("Nehalem")
            .platform(Platform::Pc);
        let line = line(&shape.board_arguments());
        for part in [
            "-machine pc",
            "-smp 4",
            "-m 64M",
            "-cpu Nehalem",
            "-no-reboot",
            "-display none",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("-vga"), "{line}");
    }

    #[test]
    fn a_machine_that_restarts_may_reset() {
        assert!(!line(&Shape::new(Boot::Pvh).restarts().board_arguments()).contains("-no-reboot"));
    }

    #[test]
    fn an_image_can_be_a_stick_and_is_never_written() {
        let shape = Shape::new(Boot::Uefi).medium(Medium::UsbStorage);
        let line = line(&shape.image_arguments(Path::new("/a,b.img")));
        assert!(line.contains("snapshot=on,file=/a,,b.img"), "{line}");
        assert!(
            line.contains("qemu-xhci") && line.contains("usb-storage"),
            "{line}"
        );
    }

    #[test]
    fn a_machine_that_cannot_exist_is_refused_with_a_way_out() {
        let problem = Shape::new(Boot::Bios)
            .platform(Platform::Microvm)
            .problem()
            .unwrap();
        assert!(problem.contains("--boot pvh"), "{problem}");
        assert_eq!(
            Shape::new(Boot::Pvh).platform(Platform::Microvm).problem(),
            None
        );
    }

    #[test]
    fn a_tpm_or_a_file_that_the_machine_cannot_take_is_refused() {
        let microvm = Shape::new(Boot::Pvh)
            .platform(Platform::Microvm)
            .tpm(TpmInterface::Tis, Path::new("/state"));
        assert!(microvm.problem().unwrap().contains("q35 or pc"));
        let shape = |boot| Shape::new(boot).initrd(Path::new("/file"));
        assert!(shape(Boot::Uefi).problem().unwrap().contains("--boot pvh"));
        assert_eq!(shape(Boot::Pvh).problem(), None);
        let line = line(&shape(Boot::Pvh).direct_boot_arguments(Path::new("/kernel")));
        assert!(line.ends_with("-initrd /file"), "{line}");
    }

    #[test]
    fn settings_are_found_by_their_whole_key() {
        let shape = Shape::new(Boot::Pvh)
            .setting("debug=1")
            .setting("shell=framed");
        assert_eq!(shape.command_line, "debug=1 shell=framed");
        assert!(shape.has_setting("shell"));
        assert!(!shape.has_setting("hell"));
    }
}
