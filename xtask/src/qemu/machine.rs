//! One running QEMU: its process, its serial line, its control connection. It ends when the handle does.

use std::fs::{self, File};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::PROGRAM;
use super::media::Payload;
use super::qmp::Qmp;
use super::shape::Shape;
use super::tpm::Swtpm;
use crate::deadline::Deadline;
use crate::doctor::{self, Purpose};
use crate::outcome::Unusable;
use crate::process;
use crate::workspace::Scratch;

const QUIT_WITHIN: Duration = Duration::from_secs(5);
/// After QEMU ended, what it wrote before is already in the socket.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);

/// The values that a kernel writes to `isa-debug-exit`; QEMU then exits with `value << 1 | 1`.
const DEBUG_EXIT_SUCCESS: i32 = 0x10;
const DEBUG_EXIT_FAILURE: i32 = 0x11;

/// How a QEMU process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    Failed,
    /// Neither the machine's power-off nor an exit that a kernel asks for; with what QEMU said.
    Unknown(String),
}

/// How a machine ended, as far as QEMU told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub exit: Exit,
    /// QEMU's word for it: `guest-shutdown`, `guest-reset`, `host-qmp-quit` ...
    pub reason: Option<String>,
}

#[derive(Debug)]
pub struct Machine {
    child: Child,
    qmp: Qmp,
    serial: Option<UnixStream>,
    scratch: Scratch,
    command_line: String,
    started: Instant,
    ending: Option<Ending>,
    tpm: Option<Swtpm>,
    /// Given back when the machine is gone.
    _held: Vec<Arc<File>>,
}

impl Machine {
    /// Starts QEMU and waits until its serial line and its control connection are there.
    ///
    /// Both sockets listen before QEMU starts and QEMU connects to them, so not a byte of the serial line is lost.
    pub fn start(shape: &Shape, payload: &Payload, deadline: Deadline) -> anyhow::Result<Machine> {
        if let Some(problem) = shape.problem() {
            bail!(Unusable(problem));
        }
        let Some(program) = process::find_program(PROGRAM) else {
            doctor::require(&[Purpose::Run])?;
            bail!(Unusable(format!("{PROGRAM} is not on PATH")));
        };
        // It goes with this function when anything behind it fails.
        let tpm = match &shape.tpm {
            Some(device) => Some((device, Swtpm::for_machine(device)?)),
            None => None,
        };
        let scratch = Scratch::new().context("no scratch directory can be made")?;
        let serial_path = scratch.path().join("serial");
        let control_path = scratch.path().join("control");
        let serial_listener =
            UnixListener::bind(&serial_path).context("the serial socket cannot be made")?;
        let control_listener =
            UnixListener::bind(&control_path).context("the control socket cannot be made")?;

        let mut arguments = shape.board_arguments();
        for (name, path, front) in [
            ("serial", &serial_path, "-serial"),
            ("control", &control_path, "-qmp"),
        ] {
            let socket = format!("socket,id={name},path={}", path.display());
            let use_as = format!("chardev:{name}");
            arguments.extend([
                "-chardev".into(),
                socket.into(),
                front.into(),
                use_as.into(),
            ]);
        }
        arguments.extend([
            "-device".into(),
            "isa-debug-exit,iobase=0xf4,iosize=0x04".into(),
        ]);
        arguments.extend(shape.virtio_arguments(scratch.path()));
        if let Some((device, swtpm)) = &tpm {
            arguments.extend(device.arguments(swtpm.control()));
        }
        arguments.extend(payload.arguments(shape, scratch.path())?);
        arguments.extend(shape.extra_arguments());

        let command_line = process::shown(PROGRAM.as_ref(), &arguments);
        let complaints = File::create(scratch.path().join("stderr"))
            .context("QEMU's messages cannot be stored")?;
        let mut command = match &shape.namespace {
            Some(namespace) => process::dying_in_namespace(&program, namespace),
            None => process::dying_with_parent(&program),
        };
        command
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(complaints);
        let started = Instant::now();
        let mut child = Reaped(Some(
            process::spawn_from_lasting_thread(command).context("QEMU cannot be started")?,
        ));
        let mut accept = |listener| {
            accept(listener, child.get(), deadline)
                .with_context(|| format!("QEMU does not start: {}", complaints_in(&scratch)))
        };
        let serial = accept(&serial_listener)?;
        let control = accept(&control_listener)?;
        let qmp = Qmp::greet(control, deadline)
            .with_context(|| format!("QEMU does not start: {}", complaints_in(&scratch)))?;
        let child = child.0.take().context("QEMU is gone")?;
        Ok(Machine {
            child,
            qmp,
            serial: Some(serial),
            scratch,
            command_line,
            started,
            ending: None,
            tpm: tpm.map(|(_, swtpm)| swtpm),
            _held: shape.held.clone(),
        })
    }

    /// The serial line, for whoever asks first.
    pub fn take_serial(&mut self) -> Option<UnixStream> {
        self.serial.take()
    }

    pub fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// The directory with the machine's sockets; gone when the machine is.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The machine's TPM, to take it away.
    pub fn tpm(&mut self) -> Option<&mut Swtpm> {
        self.tpm.as_mut()
    }

    /// The command line as it can be pasted into a shell (its sockets are gone when the machine is).
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// The moment before QEMU was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Waits until QEMU has ended by itself; `None` when it still runs at the deadline.
    pub fn wait(&mut self, deadline: Deadline) -> io::Result<Option<Ending>> {
        if self.ending.is_none()
            && let Some(status) = process::wait(&mut self.child, deadline)?
        {
            let reason = self.qmp.shutdown_reason(Deadline::after(LAST_WORDS_WITHIN));
            self.ending = Some(Ending {
                exit: exit_of(status, &complaints_in(&self.scratch)),
                reason,
            });
        }
        Ok(self.ending.clone())
    }

    /// Ends QEMU: asks, waits a little, kills.
    pub fn quit(&mut self) {
        let deadline = Deadline::after(QUIT_WITHIN);
        if self.ending.is_none() {
            self.qmp.quit(deadline);
        }
        if !matches!(self.wait(deadline), Ok(Some(_))) {
            process::stop(&mut self.child);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        process::stop(&mut self.child);
    }
}

/// A child that is killed when the start of the machine fails half-way.
struct Reaped(Option<Child>);

impl Reaped {
    fn get(&mut self) -> Option<&mut Child> {
        self.0.as_mut()
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            process::stop(child);
        }
    }
}

/// Waits for QEMU to connect, but not longer than it lives.
fn accept(
    listener: &UnixListener,
    child: Option<&mut Child>,
    deadline: Deadline,
) -> anyhow::Result<UnixStream> {
    let slice = Timespec {
        tv_sec: 0,
        tv_nsec: 20_000_000,
    };
    let child = child.context("it was never started")?;
    loop {
        let mut sockets = [PollFd::new(listener, PollFlags::IN)];
        match poll(&mut sockets, Some(&slice)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(listener.accept()?.0),
            Err(error) => return Err(error.into()),
        }
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {}", process::describe(status));
        }
        if deadline.is_over() {
            bail!("it did not connect in time");
        }
    }
}

fn exit_of(status: ExitStatus, complaints: &str) -> Exit {
    const SUCCESS: i32 = DEBUG_EXIT_SUCCESS << 1 | 1;
    const FAILURE: i32 = DEBUG_EXIT_FAILURE << 1 | 1;
    match status.code() {
        Some(0 | SUCCESS) => Exit::Success,
        Some(FAILURE) => Exit::Failed,
        _ => Exit::Unknown(format!("{}: {complaints}", process::describe(status))),
    }
}

fn complaints_in(scratch: &Scratch) -> String {
    let text = fs::read_to_string(scratch.path().join("stderr")).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        "it said nothing".to_string()
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn exits_are_told_apart() {
        let exit = |code: i32| exit_of(ExitStatus::from_raw(code << 8), "why");
        assert_eq!(exit(0), Exit::Success);
        assert_eq!(exit(33), Exit::Success);
        assert_eq!(exit(35), Exit::Failed);
        assert_eq!(exit(1), Exit::Unknown("exit status 1: why".to_string()));
        assert_eq!(
            exit_of(ExitStatus::from_raw(9), "why"),
            Exit::Unknown("signal 9: why".to_string())
        );
    }
}
