//! The PS/2 keyboard: its controller, its scan codes, and what they type.

mod accents;
pub mod controller;
mod keyboard;
mod layout;
mod lights;
pub mod linux_keys;
mod sequences;

pub use controller::{Controller, Ports, Ps2Error, Started};
pub use keyboard::{Key, KeyBytes, Keyboard, ScancodeSet};

#[cfg(test)]
mod tests;
