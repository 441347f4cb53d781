//! What is known of the devices: plain data for tables.

use crate::base::fixed::{Text, Vec};
use crate::base::time::Instant;
use crate::drivers::pci::address::Address;
use crate::drivers::virtio::queue::QueueView;
use crate::limits::{DEVICE_QUEUES_SHOWN_MAX, DEVICE_REASON_BYTES, PCI_FUNCTIONS_MAX};

#[derive(Clone, Debug, Default)]
pub struct DevicesView {
    pub devices: Vec<DeviceView, PCI_FUNCTIONS_MAX>,
    /// Functions that were found when the table was full.
    pub unlisted: u64,
    /// How configuration space is reached, or why there is none.
    pub access: &'static str,
}

pub type Reason = Text<DEVICE_REASON_BYTES>;

#[derive(Clone, Debug)]
pub struct DeviceView {
    pub address: Address,
    pub vendor: u16,
    pub device: u16,
    /// What it is, in words.
    pub what: &'static str,
    /// Empty when nobody drives it.
    pub driver: &'static str,
    /// `eth0`, `disk0`; empty when it has no name.
    pub label: &'static str,
    /// `driven`, `idle`, `starting`, `refused`, `gone`.
    pub state: &'static str,
    /// Why it is in that state, where that is not plain.
    pub reason: Reason,
    /// When it came into that state.
    pub since: Instant,
    /// `msi-x`, `intx`, `polled`; empty when nobody drives it.
    pub interrupts: &'static str,
    /// Interrupts that have come; unknown for a line, which others may pull too.
    pub interrupts_count: Option<u64>,
    pub resets: u64,
    pub lies: u64,
    /// The field that it lied in last; empty when it never did.
    pub last_lie: &'static str,
    pub queues: Vec<QueueView, DEVICE_QUEUES_SHOWN_MAX>,
}
