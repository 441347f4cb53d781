//! The handlers of the commands: each reads views and fills a report.

pub mod api;
pub mod audit;
pub mod audit_compliance;
pub mod cap;
mod cap_words;
pub mod clear;
pub mod cpu;
pub mod debug;
pub mod device;
pub mod device_load;
pub mod device_quota;
pub mod dhcp;
pub mod disk;
pub mod display;
pub mod echo;
pub mod files;
pub mod firewall;
pub mod help;
pub mod history;
pub mod input;
pub mod io;
pub mod irq;
pub mod limits;
pub mod log;
pub mod mem;
pub mod net;
pub mod net_lookup;
pub mod optimize;
pub mod power;
pub mod security;
pub mod security_change;
pub mod security_check;
pub mod selftest;
pub mod serve;
pub mod status;
pub mod storage;
pub mod storage_logs;
pub mod storage_pool;
pub mod storage_volumes;
pub mod threads;
pub mod tpm;
pub mod trace_ring;
pub mod uptime;
mod usages;
pub mod version;
pub mod watch;

use crate::base::report::Report;
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::inspect::Inspect;
use crate::shell::invocation::Invocation;

/// What every handler gives back: what is to be done once the answer is shown.
type Outcome = Result<Option<Intent>, CommandError>;
