//! TPM 2.0 commands and answers as bytes (TPM 2.0 Library, parts 2 and 3).
//!
//! A packet is checked once (`new_checked`), its meaning is parsed into a plain
//! structure, and a plain structure is emitted as bytes. Both directions are here,
//! because simulated TPMs read commands and write answers.

pub mod attest;
pub mod bank;
pub mod bytes;
pub mod capability;
pub mod codes;
pub mod key;
pub mod nv;
pub mod packet;
pub mod pcr;
pub mod response_code;
pub mod session;
pub mod simple;

#[cfg(test)]
mod tests;
