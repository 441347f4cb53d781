//! L1: memory; the other of the two folders with unsafe code.

pub mod view;
