//! TPMs for tests: states that outlive machines, the tools of others, and a TPM's own diary.

pub mod diary;
pub mod stand_in;
pub mod tampering;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use xtask::deadline::Deadline;
use xtask::process::{self, Said};
use xtask::qemu::Swtpm;
use xtask::workspace::Scratch;

const TOOL_WITHIN: Duration = Duration::from_secs(60);

/// tpm2-tools on a TPM that no machine uses meanwhile.
pub struct Tools {
    swtpm: Swtpm,
    scratch: Scratch,
}

impl Tools {
    /// Starts the TPM with this state.
    pub fn on(state: &Path, diary: Option<&Path>) -> anyhow::Result<Tools> {
        Ok(Tools {
            swtpm: Swtpm::for_tools(state, diary)?,
            scratch: Scratch::new()?,
        })
    }

    /// The directory in which the tools run.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Runs a tool and returns what it says, whether it succeeds or not.
    pub fn ask(&self, line: &str) -> anyhow::Result<Said> {
        let mut words = line.split_whitespace();
        let program = words.next().context("no tool is named")?;
        let path = process::find_program(program).with_context(|| {
            format!("{program} is not installed; `cargo xtask doctor --install` installs it")
        })?;
        let address = self.swtpm.tools_address().context("it is for a machine")?;
        let mut command = Command::new(path);
        command
            .args(words)
            .current_dir(self.scratch())
            .env("TPM2TOOLS_TCTI", address);
        process::ask(&mut command, Deadline::after(TOOL_WITHIN))
    }

    /// Runs a tool that must succeed.
    pub fn run(&self, line: &str) -> anyhow::Result<String> {
        let said = self.ask(line)?;
        ensure!(said.success, "{line}: {}", said.stderr);
        // Nobody else does: there is no resource manager between the tools and the TPM.
        self.ask("tpm2_flushcontext -t")?;
        Ok(said.stdout)
    }

    /// A file that a tool wrote.
    pub fn file(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.scratch().join(name);
        std::fs::read(&path).with_context(|| format!("{} is not there", path.display()))
    }
}
