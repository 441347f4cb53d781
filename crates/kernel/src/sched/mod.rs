//! L2: threads and who runs next.
//!
//! `policy` decides, on plain data; `threads` carries it out on the cores.

pub mod policy;
pub mod view;

#[cfg(target_os = "none")]
pub mod selftest;
#[cfg(target_os = "none")]
mod spawn;
#[cfg(target_os = "none")]
mod table;
#[cfg(target_os = "none")]
mod threads;
#[cfg(target_os = "none")]
pub use spawn::{Spawn, SpawnError, become_idle_thread, spawn};
#[cfg(target_os = "none")]
pub use table::{ThreadId, Whereabouts, current, current_name, view, whereabouts};
#[cfg(target_os = "none")]
pub use threads::*;
