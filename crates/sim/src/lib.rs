//! Whole kernels on simulated machines.
