//! `bench`: how long RayOS and a peer take for the same, in the same QEMU, in the same run.

pub mod linux;
