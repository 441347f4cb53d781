//! Builds, boots, tests and measures RayOS; the tests that boot the kernel use the same library.

pub mod attest;
pub mod audit;
pub mod bench;
pub mod deadline;
pub mod doctor;
pub mod exec;
pub mod flash;
pub mod image;
pub mod kernel;
pub mod kernel_digests;
pub mod lint;
pub mod namespace;
pub mod outcome;
pub mod process;
pub mod qemu;
pub mod run;
pub mod session;
pub mod shape_options;
pub mod suite;
pub mod symbols;
pub mod table;
pub mod toolchain;
pub mod workspace;
