//! Builds, boots, tests and measures RayOS; the tests use the same library.

pub mod symbols;
