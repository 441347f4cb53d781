//! A serial line with deadlines and a log file of all that came, with or without a machine at its other end.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::failure::Failure;
use crate::deadline::Deadline;
use crate::kernel;
use crate::qemu::{Ending, Exit, Machine, Payload, Shape};
use crate::workspace;

/// Between the end of the serial line and the end of QEMU's process.
const END_WITHIN: Duration = Duration::from_secs(10);
/// A write waits only for a peer that does not read; it is tried in slices so that a deadline is kept.
const WRITE_SLICE_MAX: Duration = Duration::from_millis(200);

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Bytes(Vec<u8>),
    /// Nothing until the deadline.
    Nothing,
    /// The other end is gone.
    End,
}

#[derive(Debug)]
pub struct Line {
    stream: UnixStream,
    machine: Option<Machine>,
    log: File,
    log_path: PathBuf,
}

impl Line {
    /// Builds what has to be built, starts the machine and holds its serial line. The time begins after the build.
    pub fn boot(shape: &Shape, within: Duration) -> Result<Line, Failure> {
        let start = || {
            let kernel = kernel::ensure()?;
            let payload = Payload::prepare(shape, &kernel)?;
            Line::to_machine(Machine::start(shape, &payload, Deadline::after(within))?)
        };
        start().map_err(|error: anyhow::Error| Failure::of_start(&error))
    }

    pub fn to_machine(mut machine: Machine) -> anyhow::Result<Line> {
        let stream = machine
            .take_serial()
            .context("the machine's serial line is in use")?;
        let mut line = Line::over(stream)?;
        line.machine = Some(machine);
        Ok(line)
    }

    /// A line to something else that speaks like a kernel.
    pub fn over(stream: UnixStream) -> anyhow::Result<Line> {
        let log_path =
            workspace::new_serial_log().context("the serial log's directory cannot be made")?;
        let log = File::create(&log_path)
            .with_context(|| format!("{} cannot be made", log_path.display()))?;
        Ok(Line {
            stream,
            machine: None,
            log,
            log_path,
        })
    }

    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    pub fn machine(&mut self) -> Option<&mut Machine> {
        self.machine.as_mut()
    }

    /// The next bytes, as soon as there are any.
    pub fn receive(&mut self, deadline: Deadline) -> Result<Received, Failure> {
        let mut buffer = [0; 4096];
        loop {
            let Some(left) = deadline.remaining() else {
                return Ok(Received::Nothing);
            };
            self.stream.set_read_timeout(Some(left)).map_err(broken)?;
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(Received::End),
                Ok(count) => {
                    self.log.write_all(&buffer[..count]).map_err(broken)?;
                    return Ok(Received::Bytes(buffer[..count].to_vec()));
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(Received::End);
                }
                Err(error) if is_worth_a_retry(&error) => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// Sends all of it. A peer that is gone is no failure here: the next `receive` says so, after what it last said.
    pub fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let Some(left) = deadline.remaining() else {
                return Err(Failure::TimedOut {
                    waiting_for: "room on the serial line".into(),
                    after: Duration::ZERO,
                });
            };
            self.stream
                .set_write_timeout(Some(left.min(WRITE_SLICE_MAX)))
                .map_err(broken)?;
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if is_worth_a_retry(&error) => {}
                Err(error) if is_peer_gone(&error) => return Ok(()),
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(())
    }

    /// How the other end ended, once its line has.
    pub fn ending(&mut self) -> Ending {
        let unknown = |what: &str| Ending {
            exit: Exit::Unknown(what.to_string()),
            reason: None,
        };
        let Some(machine) = &mut self.machine else {
            return unknown("its serial line closed");
        };
        match machine.wait(Deadline::after(END_WITHIN)) {
            Ok(Some(ending)) => ending,
            Ok(None) => unknown("its serial line closed while it still ran"),
            Err(error) => unknown(&error.to_string()),
        }
    }
}

fn broken(error: io::Error) -> Failure {
    Failure::Broken(error.to_string())
}

fn is_worth_a_retry(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn is_peer_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}
