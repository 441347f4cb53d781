//! What the network gets from the machine: ports, disks, its setup.

use super::Machine;
use crate::base::buffer::Buffer;
use crate::base::disk::{Disk, Disks};
use crate::base::network_port::NetworkPort;
use crate::memory::view::MemoryView;
use crate::net::network::Setup;
use crate::net::ports::Ports;
use crate::storage::io::Memory;
use alloc::boxed::Box;

/// The machine's ports as the network asks for them.
pub struct MachinePorts<'a, M>(pub &'a mut M);

/// The disks of a machine, as the storage floor asks for them.
pub struct MachineDisks<'a, M>(pub &'a mut M);

/// Its memory that disks reach.
pub struct MachineMemory<'a, M>(pub &'a mut M);

impl<M: Machine> Memory for MachineMemory<'_, M> {
    fn take_buffer(&mut self, bytes: usize) -> Option<Buffer> {
        self.0.take_buffer(bytes)
    }
}

impl<M: Machine> Disks for MachineDisks<'_, M> {
    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        self.0.disk(index)
    }
}

impl<M: Machine> Ports for MachinePorts<'_, M> {
    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        self.0.port(index)
    }
}

/// The part of the memory that buffers of TCP connections get: an eighth of the heap.
const MEMORY_OVER_BUFFERS: u64 = 64;
const BUFFER_BYTES_LEAST: u64 = 512 << 10;
const BUFFER_BYTES_MOST: u64 = 8 << 20;

/// Something that nobody can guess, as far as the machine has entropy.
pub fn seed<M: Machine>(machine: &mut M) -> u64 {
    let mut seed = [0; 8];
    machine.entropy(&mut seed);
    u64::from_le_bytes(seed)
}

/// What the configuration, the memory and the entropy of a machine make of its network.
pub fn setup<M: Machine>(machine: &mut M) -> Setup {
    let mut secret = [0; 32];
    // A machine without entropy has sequence numbers and tables that can be guessed, and no others.
    machine.entropy(&mut secret);
    let mut memory: Box<MemoryView> = Box::default();
    machine.memory(&mut memory);
    let share = memory.total_bytes / MEMORY_OVER_BUFFERS;
    let config = &machine.boot().config;
    Setup {
        secret,
        tcp_buffer_bytes: share.clamp(BUFFER_BYTES_LEAST, BUFFER_BYTES_MOST) as usize,
        address: config.ip,
        gateway: config.gateway,
        services: config.services,
    }
}
