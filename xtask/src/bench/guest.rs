//! A guest that stays for the whole benchmark and stands still while the other one is measured.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use crate::deadline::Deadline;
use crate::kernel;
use crate::qemu::{Machine, Payload, Shape};
use crate::session::{Line, Session, Terminal};

const START_WITHIN: Duration = Duration::from_secs(30);
const BOOT_WITHIN: Duration = Duration::from_secs(120);
const ORDER_WITHIN: Duration = Duration::from_secs(10);

/// What a quiet Linux with one console is told, which trusts the processor's random numbers and its clock. Fair to it:
/// it copies with `rep movsb` where the processor says that this is fast, which QEMU's does though its emulation takes a
/// byte at a time.
const LINUX_SETTINGS: &str =
    "console=ttyS0 quiet panic=-1 random.trust_cpu=on tsc=reliable clearcpuid=erms,fsrm";

/// The connection to a guest's serial line, which holds its machine.
enum Voice {
    RayOs(Session),
    Linux(Terminal),
}

pub struct Guest {
    voice: Voice,
    command_line: String,
}

impl Guest {
    pub fn boot_rayos(shape: Shape) -> anyhow::Result<Guest> {
        let shape = shape.setting("shell=framed-json");
        let payload = Payload::prepare(&shape, &kernel::ensure()?)?;
        let machine = Machine::start(&shape, &payload, Deadline::after(START_WITHIN))?;
        let command_line = machine.command_line().to_string();
        let mut session = Session::over(Line::to_machine(machine)?);
        session
            .wait_until_ready(BOOT_WITHIN)
            .map_err(|failure| anyhow!("{failure}"))?;
        Ok(Guest {
            voice: Voice::RayOs(session),
            command_line,
        })
    }

    /// Until its first process says `marker`.
    pub fn boot_linux(
        shape: Shape,
        kernel: &Path,
        initramfs: &Path,
        marker: &str,
    ) -> anyhow::Result<Guest> {
        let shape = shape
            .setting(LINUX_SETTINGS)
            .device(&["-initrd", &initramfs.to_string_lossy()]);
        let payload = Payload::Kernel(kernel.to_path_buf());
        let machine = Machine::start(&shape, &payload, Deadline::after(START_WITHIN))?;
        let command_line = machine.command_line().to_string();
        let mut terminal = Terminal::over(Line::to_machine(machine)?);
        let serial_log = terminal.serial_log().to_path_buf();
        terminal
            .expect(marker, BOOT_WITHIN)
            .map_err(|failure| anyhow!("{failure}; serial log: {}", serial_log.display()))?;
        Ok(Guest {
            voice: Voice::Linux(terminal),
            command_line,
        })
    }

    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.machine()?.qmp().resume(Deadline::after(ORDER_WITHIN))
    }

    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.machine()?.qmp().pause(Deadline::after(ORDER_WITHIN))
    }

    pub fn is_rayos(&self) -> bool {
        matches!(self.voice, Voice::RayOs(_))
    }

    /// The document that RayOS answers a command with.
    pub fn ask_rayos(&mut self, line: &str, within: Duration) -> anyhow::Result<Value> {
        let Voice::RayOs(session) = &mut self.voice else {
            bail!("the guest is no RayOS");
        };
        let answer = session
            .run_within(line, within)
            .map_err(|failure| anyhow!("{failure}"))?;
        let document: Value = serde_json::from_str(&answer.output)?;
        match document["error"].as_str() {
            Some(error) => bail!("{line}: {error}"),
            None => Ok(document),
        }
    }

    /// What Linux's first process says before `end` once it was told this line.
    pub fn tell_linux(
        &mut self,
        line: &str,
        end: &str,
        within: Duration,
    ) -> anyhow::Result<String> {
        let Voice::Linux(terminal) = &mut self.voice else {
            bail!("the guest is no Linux");
        };
        terminal
            .send(format!("{line}\n").as_bytes(), ORDER_WITHIN)
            .and_then(|()| terminal.expect(end, within))
            .map_err(|failure| anyhow!("{failure}"))
    }

    fn machine(&mut self) -> anyhow::Result<&mut Machine> {
        let machine = match &mut self.voice {
            Voice::RayOs(session) => session.machine(),
            Voice::Linux(terminal) => terminal.machine(),
        };
        machine.context("the guest has no machine")
    }
}

/// The table of this title in a document.
pub fn table<'a>(document: &'a Value, title: &str) -> Option<&'a Value> {
    let blocks = document["report"].as_array()?;
    blocks.iter().find(|block| block["title"] == title)
}

/// The cell of a table under `column`, in the row that has `key` under its own column.
pub fn cell<'a>(table: &'a Value, key: (&str, &str), column: &str) -> Option<&'a Value> {
    let place = |name: &str| {
        let columns = table["columns"].as_array()?;
        columns.iter().position(|it| it == name)
    };
    let (key_place, place) = (place(key.0)?, place(column)?);
    let rows = table["rows"].as_array()?;
    rows.iter().find(|row| row[key_place] == key.1)?.get(place)
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
