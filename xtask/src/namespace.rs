//! A network namespace of one's own: interfaces that nobody else sees, gone when the handle is.
//!
//! A process holds it and nothing else does: no name below `/run/netns`, nothing to clean up. When this process ends,
//! however it ends, the holder's input closes and the kernel takes the namespace away with everything in it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process;

const MADE_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// What is to be done where none can be made.
const REMEDY: &str = "run as root on a Linux host with `ip` and /dev/net/tun (`cargo xtask doctor --install --for tests` installs the tools; a container needs --cap-add NET_ADMIN --cap-add SYS_ADMIN --device /dev/net/tun)";

#[derive(Debug)]
pub struct Namespace {
    holder: Child,
    file: PathBuf,
}

impl Namespace {
    /// A new one with nothing but a loopback interface that is up.
    pub fn new() -> anyhow::Result<Namespace> {
        make().map_err(|error| {
            anyhow::Error::from(Unusable(format!(
                "no network namespace can be made: {error:#}; {REMEDY}"
            )))
        })
    }

    /// The file that names it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A command that runs inside and dies with this process.
    pub fn command(&self, program: &str) -> anyhow::Result<Command> {
        let path = process::find_program(program).with_context(|| {
            format!("{program} is not installed; `cargo xtask doctor --install` installs it")
        })?;
        Ok(process::dying_in_namespace(&path, &self.file))
    }

    /// Runs `ip` inside with these words.
    pub fn ip(&self, words: &str) -> anyhow::Result<String> {
        self.ask("ip", words.split_whitespace())
    }

    /// Runs a program that ends quickly, and returns what it says.
    pub fn ask<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<String> {
        let mut command = self.command(program)?;
        let mut shown = program.to_string();
        for argument in arguments {
            shown.push(' ');
            shown.push_str(&argument.as_ref().to_string_lossy());
            command.arg(argument);
        }
        let said = process::ask(&mut command, Deadline::after(ANSWER_WITHIN))?;
        if !said.success {
            bail!("{shown} fails: {}", said.stderr.trim());
        }
        Ok(said.stdout)
    }

    /// Makes a tap whose frames carry virtio's header.
    pub fn add_tap(&self, name: &str) -> anyhow::Result<()> {
        self.ip(&format!("tuntap add dev {name} mode tap vnet_hdr"))
            .map_err(|error| anyhow::Error::from(Unusable(format!("{error:#}; {REMEDY}"))))?;
        self.ip(&format!("link set {name} up")).map(|_| ())
    }

    /// Does this work inside. Sockets that it makes stay inside wherever they are used later.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let file = File::open(&self.file).context("the network namespace is gone")?;
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok::<T, rustix::io::Errno>(work())
            });
            match thread.join() {
                Ok(done) => done.context("the network namespace cannot be entered"),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        process::stop(&mut self.holder);
    }
}

fn make() -> anyhow::Result<Namespace> {
    let unshare = process::find_program("unshare").context("unshare is not installed")?;
    let mut command = process::dying_with_parent(&unshare);
    command
        .args(["--net", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let holder = process::spawn_from_lasting_thread(command).context("unshare cannot be run")?;
    let file = PathBuf::from(format!("/proc/{}/ns/net", holder.id()));
    let mut namespace = Namespace { holder, file };
    namespace.wait_until_made()?;
    namespace.ip("link set lo up")?;
    Ok(namespace)
}

impl Namespace {
    fn wait_until_made(&mut self) -> anyhow::Result<()> {
        let outside = fs::read_link("/proc/self/ns/net")?;
        let deadline = Deadline::after(MADE_WITHIN);
        loop {
            if fs::read_link(&self.file).is_ok_and(|inside| inside != outside) {
                return Ok(());
            }
            if let Some(status) = self.holder.try_wait()? {
                let mut complaint = String::new();
                if let Some(mut stderr) = self.holder.stderr.take() {
                    let _ = std::io::Read::read_to_string(&mut stderr, &mut complaint);
                }
                bail!(
                    "unshare ended with {}: {}",
                    process::describe(status),
                    complaint.trim()
                );
            }
            if deadline.is_over() {
                bail!("unshare makes none in time");
            }
            // Nothing announces it.
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }
}
