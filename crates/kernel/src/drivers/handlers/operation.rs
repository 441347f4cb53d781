//! What a tenant asks of a device.

use super::resource::Device;
use crate::base::capability::Capability;
use crate::base::disk::SECTOR_BYTES;

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

    /// What its tenant must hold.
    pub const fn capability(self) -> Capability {
        match self {
            Self::GpuAllocate { .. } | Self::GpuRender => Capability::Gpu,
            Self::NetworkReceive { .. } | Self::NetworkSend { .. } => Capability::Net,
            Self::BlockRead { .. } => Capability::DiskRead,
            Self::BlockWrite { .. } | Self::BlockFlush => Capability::DiskWrite,
            Self::Input(_) => Capability::Input,
            Self::ConsoleWrite { .. } => Capability::ConsoleWrite,
        }
    }

    /// What it moves.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::GpuAllocate { bytes } => bytes,
            Self::NetworkReceive { bytes }
            | Self::NetworkSend { bytes }
            | Self::ConsoleWrite { bytes } => bytes as u64,
            Self::BlockRead { sectors, .. } | Self::BlockWrite { sectors, .. } => {
                sectors.saturating_mul(SECTOR_BYTES as u64)
            }
            Self::GpuRender | Self::BlockFlush | Self::Input(_) => 0,
        }
    }

    /// Does it last until it is released?
    pub const fn is_held(self) -> bool {
        !matches!(
            self,
            Self::NetworkReceive { .. } | Self::NetworkSend { .. } | Self::ConsoleWrite { .. }
        )
    }
}
