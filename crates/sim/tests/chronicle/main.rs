//! What outlives a boot, on simulated disks.

mod desk;
mod failing;
mod kept;
