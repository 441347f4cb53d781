//! RayOS: the kernel as a library, for bare metal and for the host.
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

#[macro_use]
pub mod limits;
pub mod api;
pub mod arch;
pub mod base;
pub mod boot;
pub mod drivers;
#[cfg(target_os = "none")]
pub mod failure;
pub mod kernel;
pub mod memory;
pub mod net;
pub mod resilience;
pub mod sched;
pub mod security;
pub mod shell;
pub mod storage;
pub mod workloads;
