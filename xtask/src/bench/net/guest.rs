//! A guest that stays for the whole benchmark and stands still while the other one is measured.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::linux_guest;
use super::load;
use crate::deadline::Deadline;
use crate::kernel;
use crate::namespace::Namespace;
use crate::qemu::devices::{Backend, Device, HARDWARE_ADDRESS};
use crate::qemu::{Boot, Machine, Payload, Shape};
use crate::session::{Line, Session, Terminal};

const START_WITHIN: Duration = Duration::from_secs(30);
const BOOT_WITHIN: Duration = Duration::from_secs(120);
const ORDER_WITHIN: Duration = Duration::from_secs(10);

const HOST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const PREFIX: u8 = 24;
const TAP: &str = "tap0";

/// Fair to Linux: it copies with `rep movsb` where the processor says that this is fast, which QEMU's does though its
/// emulation takes a byte at a time.
const NO_SLOW_COPIES: &str = "clearcpuid=erms,fsrm";

/// The connection to a guest's serial line, which holds its machine.
enum Voice {
    RayOs(Session),
    Linux(Terminal),
}

pub struct Guest {
    /// Dropped before the network that it is on.
    voice: Voice,
    pub namespace: Namespace,
    command_line: String,
}

impl Guest {
    pub fn boot_rayos() -> anyhow::Result<Guest> {
        let namespace = network()?;
        let shape = shape(&namespace)
            .setting("shell=framed-json")
            .setting(&format!(
                "ip={GUEST}/{PREFIX} services=discard,echo,chargen"
            ));
        let payload = Payload::prepare(&shape, &kernel::ensure()?)?;
        let machine = Machine::start(&shape, &payload, Deadline::after(START_WITHIN))?;
        let command_line = machine.command_line().to_string();
        let mut session = Session::over(Line::to_machine(machine)?);
        session
            .wait_until_ready(BOOT_WITHIN)
            .map_err(|failure| anyhow!("{failure}"))?;
        Ok(Guest {
            voice: Voice::RayOs(session),
            namespace,
            command_line,
        })
    }

    /// `page_bytes` is how long nginx's page is.
    pub fn boot_linux(guest: &linux_guest::Guest, page_bytes: usize) -> anyhow::Result<Guest> {
        let namespace = network()?;
        let shape = shape(&namespace)
            .setting("console=ttyS0 quiet panic=-1 random.trust_cpu=on tsc=reliable")
            .setting(NO_SLOW_COPIES)
            .setting(&format!(
                "net.ifnames=0 address={GUEST}/{PREFIX} page_bytes={page_bytes}"
            ))
            .device(&["-initrd", &guest.initramfs.to_string_lossy()]);
        let payload = Payload::Kernel(guest.kernel.clone());
        let machine = Machine::start(&shape, &payload, Deadline::after(START_WITHIN))?;
        let command_line = machine.command_line().to_string();
        let mut terminal = Terminal::over(Line::to_machine(machine)?);
        let serial_log = terminal.serial_log().to_path_buf();
        terminal
            .expect(linux_guest::MARKER, BOOT_WITHIN)
            .map_err(|failure| anyhow!("{failure}; serial log: {}", serial_log.display()))?;
        Ok(Guest {
            voice: Voice::Linux(terminal),
            namespace,
            command_line,
        })
    }

    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// Lets the guest run for as long as this takes.
    pub fn while_running<T>(
        &mut self,
        work: impl FnOnce(&mut Guest) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.machine()?
            .qmp()
            .resume(Deadline::after(ORDER_WITHIN))?;
        let result = work(self);
        self.pause()?;
        result
    }

    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.machine()?.qmp().pause(Deadline::after(ORDER_WITHIN))
    }

    /// Does this work on the guest's network.
    pub fn within<T: Send>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        self.namespace.within(work)?
    }

    /// How many datagrams its discard service has taken.
    pub fn discarded_datagrams(&mut self) -> anyhow::Result<u64> {
        match &mut self.voice {
            Voice::Linux(_) => self.namespace.within(|| load::told_count(GUEST))?,
            Voice::RayOs(session) => {
                let answer = session
                    .run("net services")
                    .map_err(|failure| anyhow!("{failure}"))?;
                let document: Value = serde_json::from_str(&answer.output)?;
                let count = document["report"].as_array().and_then(|blocks| {
                    let table = blocks.iter().find(|block| block["title"] == "services")?;
                    cell(table, ("service", "discard"), "datagrams")?.as_u64()
                });
                count.with_context(|| {
                    format!("`net services` counts no datagrams: {}", answer.output)
                })
            }
        }
    }

    fn machine(&mut self) -> anyhow::Result<&mut Machine> {
        let machine = match &mut self.voice {
            Voice::RayOs(session) => session.machine(),
            Voice::Linux(terminal) => terminal.machine(),
        };
        machine.context("the guest has no machine")
    }
}

/// The cell of a table under `column`, in the row that has `key` under its own column.
fn cell<'a>(table: &'a Value, key: (&str, &str), column: &str) -> Option<&'a Value> {
    let place = |name: &str| {
        let columns = table["columns"].as_array()?;
        columns.iter().position(|it| it == name)
    };
    let (key_place, place) = (place(key.0)?, place(column)?);
    let rows = table["rows"].as_array()?;
    rows.iter().find(|row| row[key_place] == key.1)?.get(place)
}

/// A network with a tap that belongs to the host's side.
fn network() -> anyhow::Result<Namespace> {
    let namespace = Namespace::new()?;
    namespace.add_tap(TAP)?;
    namespace.ip(&format!("addr add {HOST}/{PREFIX} dev {TAP}"))?;
    Ok(namespace)
}

fn shape(namespace: &Namespace) -> Shape {
    Shape::new(Boot::Pvh)
        .cores(1)
        .memory_mib(256)
        .in_namespace(Path::new(namespace.file()))
        .virtio(Device::network(
            "net0",
            Backend::Tap(TAP.to_string()),
            HARDWARE_ADDRESS,
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_found_by_its_row_and_its_column() {
        let table =
            json!({ "columns": ["service", "datagrams"], "rows": [["echo", 1], ["discard", 2]] });
        let found = |row: &str, column: &str| cell(&table, ("service", row), column).cloned();
        assert_eq!(found("discard", "datagrams"), Some(json!(2)));
        assert_eq!(found("daytime", "datagrams"), None);
        assert_eq!(found("echo", "bytes"), None);
    }
}
