//! `run`: boots a machine and joins the user's terminal to its serial line.

mod keys;
mod proxy;
mod terminal_mode;

use std::io::IsTerminal;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::deadline::Deadline;
use crate::doctor::{self, Purpose};
use crate::kernel;
use crate::outcome::Unusable;
use crate::process;
use crate::qemu::devices::Role;
use crate::qemu::forward;
use crate::qemu::{self, Display, Machine, Payload, Platform, Shape};
use crate::shape_options::ShapeOptions;
use crate::workspace;

const START_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const DEBUGGER_PORT: u16 = 1234;

/// Boot into a shell on this terminal (Ctrl-A x quits)
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    shape: ShapeOptions,

    /// Wait for a debugger before the first instruction
    #[arg(long)]
    gdb: bool,

    /// Show the machine's screen in a window
    #[arg(long)]
    display: bool,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    doctor::provide(&[Purpose::Run])?;
    if kernel::is_stale() {
        doctor::provide(&[Purpose::Build])?;
    }
    let kernel = kernel::ensure()?;
    let mut shape = options.shape.equipped_shape()?.restarts();
    if options.display {
        check_window(&shape)?;
        shape = shape.display(Display::Window);
    }
    if options.gdb {
        shape.debugger_port = Some(DEBUGGER_PORT);
        eprintln!("QEMU waits for a debugger; in another terminal:");
        eprintln!(
            "  gdb {} -ex 'target remote 127.0.0.1:{DEBUGGER_PORT}'",
            kernel.display()
        );
    }
    let payload = Payload::prepare(&shape, &kernel)?;
    let mut machine = Machine::start(&shape, &payload, Deadline::after(START_WITHIN))?;
    let forwards = forward::open(&mut machine, &shape, Deadline::after(START_WITHIN))?;
    if !forwards.is_empty() {
        let forwards: Vec<String> = forwards.iter().map(ToString::to_string).collect();
        eprintln!("ports: {}", forwards.join(", "));
    }
    if options.shape.verbose {
        explain(&machine, &shape);
    }
    if std::io::stdin().is_terminal() {
        eprintln!("Ctrl-A x quits, Ctrl-A a types Ctrl-A");
    }
    let waits_for_prompt = !shape.has_setting("shell") && !options.gdb;
    Ok(proxy::join_terminal(machine, waits_for_prompt)?.into())
}

/// Says what is behind the machine.
pub fn explain(machine: &Machine, shape: &Shape) {
    eprintln!("+ {}", machine.command_line());
    for device in &shape.virtio {
        match &device.role {
            Role::Console => {
                let socket = machine.scratch().join(&device.name);
                eprintln!("{}: unix socket {}", device.name, socket.display());
            }
            Role::Disk(path) => eprintln!("{}: {}", device.name, path.display()),
            _ => {}
        }
    }
}

/// An error when this QEMU or this desktop cannot show a window.
fn check_window(shape: &Shape) -> anyhow::Result<()> {
    if shape.platform == Platform::Microvm {
        bail!(Unusable(
            "microvm has no bus for a graphics card; use --machine q35 or pc".to_string()
        ));
    }
    let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if !has_desktop {
        bail!(Unusable(
            "there is no desktop to show a window on (neither DISPLAY nor WAYLAND_DISPLAY is set)"
                .into()
        ));
    }
    let mut command =
        Command::new(process::find_program(qemu::PROGRAM).context("QEMU is not on PATH")?);
    command
        .current_dir(workspace::root())
        .args(["-display", "help"]);
    let said = process::ask(&mut command, Deadline::after(ANSWER_WITHIN))?;
    if !said.stdout.lines().any(|line| line.trim() == "gtk") {
        bail!(Unusable(
            "QEMU has no windows here; install them with `apt-get install -y qemu-system-gui`"
                .into()
        ));
    }
    Ok(())
}
