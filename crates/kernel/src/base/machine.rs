//! What is said about the machine and asked of it: plain data for all floors.

use crate::base::config::Config;
use crate::base::fixed::{Text, Vec};
use crate::limits::COMMAND_LINE_MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PowerAction {
    Reboot,
    PowerOff,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DebugAction {
    Panic,
    Fault,
    Overflow,
    Hang,
}

/// What boot found and left: plain data.
#[derive(Clone, Debug)]
pub struct BootView {
    /// `pvh`, `bios`, `uefi`, `simulated`.
    pub path: &'static str,
    pub command_line: Text<COMMAND_LINE_MAX>,
    pub config: Config,
    /// Width, height, bytes a pixel.
    pub framebuffer: Option<(usize, usize, usize)>,
    /// Devices and services that are missing, each with the reason.
    pub missing: Vec<(&'static str, &'static str), 16>,
}
