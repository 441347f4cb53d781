//! All devices that were found: who drives which, and what became of the others.

pub mod driver;
