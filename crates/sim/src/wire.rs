//! A simulated serial line and whoever is at its other end.

use rayos_kernel::base::console::{Console, ConsoleView};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::limits::{SERIAL_RECEIVE_BYTES, SERIAL_TRANSMIT_BYTES};
use std::collections::VecDeque;

/// One console of a machine with both its ends.
pub struct Wire {
    name: &'static str,
    columns: Option<u16>,
    /// Time that one byte takes to the other end; zero for no time at all.
    byte_time: Duration,
    /// One byte in so many is lost on its way to the kernel; 0 for none.
    loss_one_in: u64,
    prng: Prng,
    /// When the byte that is under way arrives.
    next_out_at: Instant,
    is_stuck: bool,
    to_kernel: VecDeque<u8>,
    from_kernel: VecDeque<u8>,
    arrived: Vec<u8>,
    view: ConsoleView,
}

impl Wire {
    pub fn new(name: &'static str, columns: Option<u16>, seed: u64) -> Self {
        Self {
            name,
            columns,
            byte_time: Duration::ZERO,
            loss_one_in: 0,
            prng: Prng::new(seed),
            next_out_at: Instant::ZERO,
            is_stuck: false,
            to_kernel: VecDeque::new(),
            from_kernel: VecDeque::new(),
            arrived: Vec::new(),
            view: ConsoleView {
                name,
                ..ConsoleView::default()
            },
        }
    }

    /// A line that takes so many bytes a second; 0 for as many as come.
    pub fn set_speed(&mut self, bytes_per_s: u64) {
        self.byte_time = match bytes_per_s {
            0 => Duration::ZERO,
            speed => Duration::from_nanos(1_000_000_000 / speed),
        };
    }

    pub fn set_loss(&mut self, one_in: u64) {
        self.loss_one_in = one_in;
    }

    /// While it is stuck the device takes nothing more than its buffer holds.
    pub fn set_stuck(&mut self, is_stuck: bool) {
        self.is_stuck = is_stuck;
    }

    /// Types bytes at the other end; what the device cannot hold is dropped and counted.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.loss_one_in > 0 && self.prng.one_in(self.loss_one_in) {
                continue;
            }
            if self.to_kernel.len() == SERIAL_RECEIVE_BYTES {
                self.view.receive_dropped_bytes += 1;
            } else {
                self.to_kernel.push_back(byte);
                self.view.received_bytes += 1;
            }
        }
    }

    /// Lets the device work until `now`.
    pub fn advance(&mut self, now: Instant) {
        while !self.is_stuck
            && self.next_out_at <= now
            && let Some(byte) = self.from_kernel.pop_front()
        {
            self.arrived.push(byte);
            self.view.sent_bytes += 1;
            self.next_out_at = self.next_out_at + self.byte_time;
        }
        if self.from_kernel.is_empty() || self.is_stuck {
            self.next_out_at = self.next_out_at.max(now);
        }
    }

    /// When the device has room again.
    pub fn next_event(&self) -> Option<Instant> {
        (!self.is_stuck && !self.from_kernel.is_empty()).then_some(self.next_out_at)
    }

    /// Everything that arrived at the other end and was not taken yet.
    pub fn take_arrived(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.arrived)
    }

    pub fn arrived(&self) -> &[u8] {
        &self.arrived
    }
}

impl Console for Wire {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.to_kernel.len());
        for (place, byte) in buffer.iter_mut().zip(self.to_kernel.drain(..count)) {
            *place = byte;
        }
        count
    }

    fn write_space(&self) -> usize {
        SERIAL_TRANSMIT_BYTES - self.from_kernel.len()
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.write_space());
        self.from_kernel.extend(&bytes[..count]);
        count
    }

    fn is_drained(&self) -> bool {
        self.from_kernel.is_empty()
    }

    fn columns(&self) -> Option<u16> {
        self.columns
    }

    fn view(&self) -> ConsoleView {
        self.view
    }
}
