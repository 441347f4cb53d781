//! What a tenant asks of a device, and why it is refused.

use super::resource::{Device, Resource};
use crate::base::tenant::Tenant;
use crate::base::time::Instant;
use core::fmt;

/// One operation on a device, on behalf of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Holds the bytes until it is released.
    GpuAllocate {
        bytes: u64,
    },
    /// Holds a place in the queue until it is released.
    GpuRender,
    NetworkReceive {
        bytes: usize,
    },
    NetworkSend {
        bytes: usize,
    },
    /// Holds a place among the disk's requests until it is released, as do the other two.
    BlockRead {
        sector: u64,
        sectors: u64,
    },
    BlockWrite {
        sector: u64,
        sectors: u64,
    },
    BlockFlush,
    /// Holds a place in the queue until it is released.
    Input(InputKind),
    ConsoleWrite {
        bytes: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputKind {
    Key,
    Mouse,
    Touch,
}

impl InputKind {
    pub const ALL: [Self; 3] = [Self::Key, Self::Mouse, Self::Touch];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Mouse => "mouse",
            Self::Touch => "touch",
        }
    }
}

impl Operation {
    pub const fn device(self) -> Device {
        match self {
            Self::GpuAllocate { .. } | Self::GpuRender => Device::Gpu,
            Self::NetworkReceive { .. } | Self::NetworkSend { .. } => Device::Network,
            Self::BlockRead { .. } | Self::BlockWrite { .. } | Self::BlockFlush => Device::Block,
            Self::Input(_) => Device::Input,
            Self::ConsoleWrite { .. } => Device::Console,
        }
    }
}

/// A tenant wants more than it may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaError {
    pub tenant: Tenant,
    pub resource: Resource,
    pub limit: u64,
    /// How much was asked for.
    pub wanted: u64,
    /// When the same would be allowed; `None` where that is not a matter of time.
    pub ready_at: Option<Instant>,
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tenant {} is over its quota of {}, {} {}; device quota set {} {} LIMIT changes it",
            self.tenant,
            self.resource.name(),
            self.limit,
            self.resource.unit(),
            self.tenant,
            self.resource.name(),
        )
    }
}
