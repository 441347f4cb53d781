//! The virtio devices of a machine as data, and their translation into QEMU's arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::shape::{Arguments, Platform, with_file};

/// The hardware address of the usual network device: QEMU's prefix, "RO", and a number.
pub const HARDWARE_ADDRESS: &str = "52:54:00:52:4f:01";

/// What a network device is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// QEMU's own network: DHCP, DNS, and nothing that needs root.
    User,
    /// A tap that is there already. Frames carry virtio's header, so checksums and segments can be left to the host.
    Tap(String),
    /// A unix socket on which somebody listens, as a stream of frames.
    Stream(PathBuf),
    /// Two unix sockets, a frame a datagram: `local` is QEMU's, `remote` the other side's.
    Datagrams { local: PathBuf, remote: PathBuf },
}

/// What a device is for, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Display,
    Network {
        backend: Backend,
        hardware_address: String,
    },
    /// A raw image, written for good.
    Disk(PathBuf),
    Keyboard,
    /// A second serial line, behind a unix socket in the machine's scratch directory.
    Console,
    Entropy,
}

/// One virtio device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// QEMU's `id`, by which it is unplugged: `net0`.
    pub name: String,
    pub role: Role,
    /// Further properties, feature bits among them: `mrg_rxbuf=off`.
    pub properties: Vec<String>,
}

impl Device {
    pub fn new(name: &str, role: Role) -> Self {
        Device {
            name: name.to_string(),
            role,
            properties: Vec::new(),
        }
    }

    pub fn network(name: &str, backend: Backend, hardware_address: &str) -> Self {
        let hardware_address = hardware_address.to_string();
        Device::new(
            name,
            Role::Network {
                backend,
                hardware_address,
            },
        )
    }

    /// Sets a property: `.with("mrg_rxbuf=off")`.
    pub fn with(mut self, property: &str) -> Self {
        self.properties.push(property.to_string());
        self
    }

    /// Offers a feature bit or withholds it, by QEMU's name.
    pub fn feature(self, name: &str, is_offered: bool) -> Self {
        self.with(&format!("{name}={}", if is_offered { "on" } else { "off" }))
    }

    /// The name of what stands behind the device and stays when it is unplugged.
    pub fn backend_name(&self) -> String {
        format!("{}-backend", self.name)
    }

    /// Where it is plugged in.
    fn bus(&self, platform: Platform) -> String {
        match platform {
            Platform::Q35 => format!("{}-port", self.name),
            Platform::Pc => "pci.0".to_string(),
            Platform::Microvm => "pcie.0".to_string(),
        }
    }

    fn driver(&self) -> &'static str {
        match self.role {
            Role::Display => "virtio-gpu-pci",
            Role::Network { .. } => "virtio-net-pci",
            Role::Disk(_) => "virtio-blk-pci",
            Role::Keyboard => "virtio-keyboard-pci",
            Role::Console => "virtio-serial-pci",
            Role::Entropy => "virtio-rng-pci",
        }
    }

    /// Everything `-device` takes, as keys and values.
    fn all_properties(&self, platform: Platform) -> Vec<(String, String)> {
        let backend = self.backend_name();
        let own: Vec<(&str, String)> = match &self.role {
            Role::Network {
                hardware_address, ..
            } => vec![
                ("netdev", backend),
                ("mac", hardware_address.clone()),
                // Nobody boots from the network, and loading the code for it costs time at every start.
                ("romfile", String::new()),
            ],
            Role::Disk(_) => vec![("drive", backend)],
            Role::Entropy => vec![("rng", backend)],
            Role::Display | Role::Keyboard | Role::Console => Vec::new(),
        };
        let place = [("id", self.name.clone()), ("bus", self.bus(platform))];
        let further = self.properties.iter().map(|property| {
            let (key, value) = property.split_once('=').unwrap_or((property, "on"));
            (key.to_string(), value.to_string())
        });
        place
            .into_iter()
            .chain(own)
            .map(|(key, value)| (key.to_string(), value))
            .chain(further)
            .collect()
    }

    /// What `device_add` takes to plug the device in again.
    pub fn plug_arguments(&self, platform: Platform) -> Value {
        let mut arguments = Map::new();
        arguments.insert("driver".to_string(), self.driver().into());
        for (key, value) in self.all_properties(platform) {
            let value = match value.as_str() {
                "on" => Value::Bool(true),
                "off" => Value::Bool(false),
                number => number
                    .parse::<u64>()
                    .map_or_else(|_| Value::from(number), Value::from),
            };
            arguments.insert(key, value);
        }
        Value::Object(arguments)
    }

    /// What `device_add` takes behind it, when the device has a part of its own on its bus.
    pub fn plug_part_arguments(&self) -> Option<Value> {
        (self.role == Role::Console).then(|| {
            serde_json::json!({
                "driver": "virtconsole",
                "id": format!("{}-line", self.name),
                "bus": format!("{}.0", self.name),
                "chardev": self.backend_name(),
            })
        })
    }

    /// The arguments for the device, what is behind it, and where it is plugged in. `number` counts the devices.
    pub fn arguments(&self, platform: Platform, number: usize, scratch: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        self.add_backend(scratch, &mut arguments);
        if platform == Platform::Q35 {
            let port = self.bus(platform);
            let number = number + 1;
            let port = format!("pcie-root-port,id={port},chassis={number},slot={number}");
            arguments.add(["-device", &port]);
        }
        let mut device = self.driver().to_string();
        for (key, value) in self.all_properties(platform) {
            device.push_str(&format!(",{key}={value}"));
        }
        arguments.add(["-device", &device]);
        if self.role == Role::Console {
            let line = format!(
                "virtconsole,id={0}-line,bus={0}.0,chardev={1}",
                self.name,
                self.backend_name()
            );
            arguments.add(["-device", &line]);
        }
        arguments.0
    }

    fn add_backend(&self, scratch: &Path, arguments: &mut Arguments) {
        let name = self.backend_name();
        match &self.role {
            Role::Network { backend, .. } => {
                arguments.add(["-netdev"]);
                arguments.0.push(backend.argument(&name));
            }
            Role::Disk(path) => {
                let options = format!(
                    "driver=raw,node-name={name},discard=unmap,file.driver=file,file.discard=unmap"
                );
                arguments.add(["-blockdev"]);
                arguments.0.push(with_file(&options, "file.filename", path));
            }
            Role::Console => {
                let socket = format!("socket,id={name},server=on,wait=off");
                arguments.add(["-chardev"]);
                arguments
                    .0
                    .push(with_file(&socket, "path", &scratch.join(&self.name)));
            }
            Role::Entropy => arguments.add(["-object", &format!("rng-builtin,id={name}")]),
            Role::Display | Role::Keyboard => {}
        }
    }
}

impl Backend {
    fn argument(&self, name: &str) -> OsString {
        match self {
            Backend::User => format!("user,id={name}").into(),
            Backend::Tap(tap) => {
                format!("tap,id={name},ifname={tap},script=no,downscript=no").into()
            }
            Backend::Stream(path) => with_file(
                &format!("stream,id={name},server=off,addr.type=unix"),
                "addr.path",
                path,
            ),
            Backend::Datagrams { local, remote } => {
                let local = with_file(
                    &format!("dgram,id={name},local.type=unix"),
                    "local.path",
                    local,
                );
                let options = format!("{},remote.type=unix", local.to_string_lossy());
                with_file(&options, "remote.path", remote)
            }
        }
    }
}

/// The devices that a machine has when nobody says otherwise.
pub fn usual(backend: Option<Backend>, hardware_address: &str, disk: &Path) -> Vec<Device> {
    let network = backend.map(|backend| Device::network("net0", backend, hardware_address));
    let others = [
        Device::new("gpu0", Role::Display),
        Device::new("disk0", Role::Disk(disk.to_path_buf())),
        Device::new("keyboard0", Role::Keyboard),
        Device::new("console0", Role::Console),
        Device::new("entropy0", Role::Entropy),
    ];
    network.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(device: &Device, platform: Platform) -> String {
        let arguments = device.arguments(platform, 0, Path::new("/scratch"));
        let words = arguments.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }

    fn tap() -> Device {
        Device::network("net0", Backend::Tap("tap3".to_string()), HARDWARE_ADDRESS)
    }

    #[test]
    fn on_q35_each_device_has_a_port_from_which_it_can_be_unplugged() {
        let line = line(&tap(), Platform::Q35);
        assert!(line.contains("pcie-root-port,id=net0-port"), "{line}");
        assert!(
            line.contains("virtio-net-pci,id=net0,bus=net0-port"),
            "{line}"
        );
    }

    #[test]
    fn on_pc_devices_are_plainly_on_the_bus() {
        let line = line(&tap(), Platform::Pc);
        assert!(
            !line.contains("root-port") && line.contains("bus=pci.0"),
            "{line}"
        );
    }

    #[test]
    fn a_feature_bit_is_offered_or_withheld() {
        let device = tap()
            .feature("mrg_rxbuf", false)
            .feature("guest_uso4", true);
        let line = line(&device, Platform::Q35);
        assert!(line.contains("mrg_rxbuf=off,guest_uso4=on"), "{line}");
        let again = device.plug_arguments(Platform::Q35);
        assert_eq!(again["mrg_rxbuf"], false);
        assert_eq!(again["netdev"], "net0-backend");
        assert_eq!(again["bus"], "net0-port");
    }

    #[test]
    fn a_path_with_a_comma_stays_one_path() {
        let disk = Device::new("disk0", Role::Disk(PathBuf::from("/a,b.img")));
        assert!(line(&disk, Platform::Q35).contains("file.filename=/a,,b.img"));
    }

    #[test]
    fn a_console_comes_back_with_its_line() {
        let console = Device::new("console0", Role::Console);
        let text = line(&console, Platform::Q35);
        assert!(text.contains("path=/scratch/console0"), "{text}");
        let part = console.plug_part_arguments().unwrap();
        assert_eq!(part["chardev"], "console0-backend");
        assert_eq!(tap().plug_part_arguments(), None);
    }
}
