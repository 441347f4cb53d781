//! What a load is to do: which operations, how many a second, for how long.

use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::net::packet::Endpoint;

/// An hour; who wants more starts it again.
pub const SECONDS_MAX: u64 = 3_600;
/// More a second than any machine of today can do.
pub const AMOUNT_MAX: u64 = 100_000_000_000;

/// Payload bytes of a datagram: fits every Ethernet, with an IPv6 header.
pub const DATAGRAM_BYTES: usize = 1_400;
/// Bytes of a read.
pub const READ_BYTES: usize = 4_096;
/// Bytes of display memory that are asked for at once.
pub const GPU_BYTES: u64 = 1 << 20;
/// Bytes of a line on the console.
pub const LINE_BYTES: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    pub tenant: Tenant,
    pub work: Work,
    /// Bytes a second of the network and the disk, operations a second of others.
    pub per_s: u64,
    pub duration: Duration,
}

/// Which operations, on behalf of the tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Sends datagrams there from the tenant's interface.
    Network { to: Endpoint },
    /// Reads the disk from its first sector on, over and over.
    Block { disk: usize },
    /// Asks for display memory and keeps it until the load ends.
    Gpu,
    /// Is sent key strokes that nobody takes until the load ends.
    Input,
    /// Writes lines.
    Console,
}

impl Work {
    /// In the order of the command's argument.
    pub const NAMES: [&'static str; 5] = ["network", "block", "gpu", "input", "console"];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Network { .. } => "network",
            Self::Block { .. } => "block",
            Self::Gpu => "gpu",
            Self::Input => "input",
            Self::Console => "console",
        }
    }

    /// What one operation takes of the amount a second.
    pub const fn cost(self) -> u64 {
        match self {
            Self::Network { .. } => DATAGRAM_BYTES as u64,
            Self::Block { .. } => READ_BYTES as u64,
            Self::Gpu | Self::Input | Self::Console => 1,
        }
    }
}
