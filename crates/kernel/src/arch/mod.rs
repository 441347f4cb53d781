//! L1: the processor; one of the two folders with unsafe code.

pub mod view;
