//! Transports on models of registers.
