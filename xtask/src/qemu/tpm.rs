//! A TPM 2.0 for a machine: swtpm behind a socket, with a state that can outlive it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::kept_disk;
use super::shape::{Arguments, with_file};
use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process;
use crate::workspace::Scratch;

pub const PROGRAM: &str = "swtpm";

/// What it takes to open two sockets.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// At which swtpm writes down the bytes of commands and answers.
const DIARY_LEVEL: u32 = 20;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(1);

/// How the machine's processor reaches the TPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TpmInterface {
    /// Bytes through a FIFO (PC Client Platform TPM Profile, TIS).
    Tis,
    /// Whole commands through a buffer.
    Crb,
}

impl TpmInterface {
    pub fn name(self) -> &'static str {
        match self {
            TpmInterface::Tis => "tis",
            TpmInterface::Crb => "crb",
        }
    }
}

/// The TPM that a shape has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmDevice {
    pub interface: TpmInterface,
    /// The directory with seeds and NV storage: the same directory is the same TPM.
    pub state: PathBuf,
    /// Where every command and answer is written down, for tests.
    pub diary: Option<PathBuf>,
}

impl TpmDevice {
    /// The arguments for QEMU, which connects to this socket.
    pub fn arguments(&self, control: &Path) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.add(["-chardev"]);
        arguments
            .0
            .push(with_file("socket,id=tpm-control", "path", control));
        arguments.add(["-tpmdev", "emulator,id=tpm0,chardev=tpm-control"]);
        let device = format!("tpm-{},tpmdev=tpm0", self.interface.name());
        arguments.add(["-device", &device]);
        arguments.0
    }
}

/// A running swtpm. It ends when the handle does.
#[derive(Debug)]
pub struct Swtpm {
    child: Child,
    control: PathBuf,
    commands: Option<PathBuf>,
    /// With the sockets, which go when the process is gone.
    _scratch: Scratch,
}

impl Swtpm {
    /// One that waits for a QEMU.
    pub fn for_machine(device: &TpmDevice) -> anyhow::Result<Swtpm> {
        Swtpm::start(&device.state, device.diary.as_deref(), false)
    }

    /// One that takes commands of tools from a socket, as after a reset of its own.
    pub fn for_tools(state: &Path, diary: Option<&Path>) -> anyhow::Result<Swtpm> {
        Swtpm::start(state, diary, true)
    }

    fn start(state: &Path, diary: Option<&Path>, is_for_tools: bool) -> anyhow::Result<Swtpm> {
        let Some(program) = process::find_program(PROGRAM) else {
            bail!(Unusable(format!(
                "{PROGRAM} is not installed; `cargo xtask doctor --install --for tests` installs it"
            )));
        };
        fs::create_dir_all(state).with_context(|| format!("{} cannot be made", state.display()))?;
        let scratch = Scratch::new().context("no scratch directory can be made")?;
        let commands = scratch.path().join("tpm");
        // The tools' library expects the second socket at this place beside the first.
        let control = scratch.path().join("tpm.ctrl");
        let ready = scratch.path().join("ready");
        let complaints = File::create(scratch.path().join("stderr"))
            .context("swtpm's messages cannot be stored")?;
        let mut arguments = Arguments::default();
        arguments.add(["socket", "--tpm2", "--tpmstate"]);
        arguments.0.push(option("dir=", state)?);
        arguments.add(["--ctrl"]);
        arguments.0.push(option("type=unixio,path=", &control)?);
        arguments.add(["--pid"]);
        arguments.0.push(option("file=", &ready)?);
        if let Some(diary) = diary {
            arguments.add(["--log"]);
            let mut word = option("file=", diary)?;
            word.push(format!(",level={DIARY_LEVEL},truncate"));
            arguments.0.push(word);
        }
        if is_for_tools {
            arguments.add(["--server"]);
            arguments.0.push(option("type=unixio,path=", &commands)?);
            arguments.add(["--flags", "not-need-init,startup-clear"]);
        }
        let mut command = process::dying_with_parent(&program);
        command
            .args(&arguments.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(complaints);
        let child =
            process::spawn_from_lasting_thread(command).context("swtpm cannot be started")?;
        let mut swtpm = Swtpm {
            child,
            control,
            commands: is_for_tools.then_some(commands),
            _scratch: scratch,
        };
        swtpm.wait_until_ready(&ready, Deadline::after(READY_WITHIN))?;
        Ok(swtpm)
    }

    /// It writes its number when its sockets listen. A connection that only looks would be taken for QEMU's.
    fn wait_until_ready(&mut self, ready: &Path, deadline: Deadline) -> anyhow::Result<()> {
        loop {
            if fs::metadata(ready).is_ok_and(|data| data.len() > 0) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(ready.with_file_name("stderr")).unwrap_or_default();
                bail!(
                    "swtpm ended with {}: {}",
                    process::describe(status),
                    said.trim()
                );
            }
            if deadline.is_over() {
                bail!("swtpm does not start in time");
            }
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }

    /// The socket to which QEMU connects.
    pub fn control(&self) -> &Path {
        &self.control
    }

    /// What `TPM2TOOLS_TCTI` says so that tools reach it.
    pub fn tools_address(&self) -> Option<String> {
        let path = self.commands.as_ref()?;
        Some(format!("swtpm:path={}", path.display()))
    }

    /// Takes the TPM away from a running machine.
    pub fn kill(&mut self) {
        process::stop(&mut self.child);
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An option of swtpm, which has no way to write a comma in a path.
fn option(before: &str, path: &Path) -> anyhow::Result<OsString> {
    if path.to_string_lossy().contains(',') {
        bail!(Unusable(format!(
            "swtpm takes no path with a comma; choose another than {}",
            path.display()
        )));
    }
    let mut word = OsString::from(before);
    word.push(path);
    Ok(word)
}

/// A directory of TPM states; takes the first that no running machine holds.
pub fn take_state(directory: &Path) -> anyhow::Result<(PathBuf, std::sync::Arc<File>)> {
    match kept_disk::take_number(directory, "tpm")? {
        Some((number, lock)) => Ok((directory.join(number.to_string()), lock)),
        None => bail!(
            "all TPM states in {} are in use; name one with --tpm-state DIR",
            directory.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_connects_to_the_socket_and_the_processor_through_its_interface() {
        for (interface, device) in [
            (TpmInterface::Tis, "tpm-tis,tpmdev=tpm0"),
            (TpmInterface::Crb, "tpm-crb,tpmdev=tpm0"),
        ] {
            let tpm = TpmDevice {
                interface,
                state: PathBuf::from("/state"),
                diary: None,
            };
            let arguments = tpm.arguments(Path::new("/a,b/ctrl"));
            let words: Vec<_> = arguments
                .iter()
                .map(|word| word.to_string_lossy())
                .collect();
            assert_eq!(
                words,
                [
                    "-chardev",
                    "socket,id=tpm-control,path=/a,,b/ctrl",
                    "-tpmdev",
                    "emulator,id=tpm0,chardev=tpm-control",
                    "-device",
                    device,
                ]
            );
        }
    }

    #[test]
    fn a_path_that_swtpm_would_misread_is_refused() {
        let error = option("dir=", Path::new("/a,b")).unwrap_err();
        assert!(error.is::<Unusable>(), "{error}");
        assert_eq!(option("dir=", Path::new("/a")).unwrap(), "dir=/a");
    }

    #[test]
    fn a_state_belongs_to_one_machine_at_a_time() {
        let scratch = Scratch::new().unwrap();
        let first = take_state(scratch.path()).unwrap();
        let second = take_state(scratch.path()).unwrap();
        assert_ne!(first.0, second.0);
        let path = first.0.clone();
        drop(first);
        assert_eq!(take_state(scratch.path()).unwrap().0, path);
    }
}
