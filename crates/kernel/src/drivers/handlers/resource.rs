//! What of a device a tenant can be limited in, and the limits it starts with.

use crate::base::tenant::Tenant;
use crate::base::time::Duration;
use crate::base::token_bucket::TokenBucket;
use crate::limits::*;

/// A class of devices with counters of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    Gpu,
    Network,
    Block,
    Input,
    Console,
}

impl Device {
    pub const ALL: [Self; 5] = [
        Self::Gpu,
        Self::Network,
        Self::Block,
        Self::Input,
        Self::Console,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Network => "network",
            Self::Block => "block",
            Self::Input => "input",
            Self::Console => "console",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// One quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Bytes of the display's memory.
    GpuMemory,
    /// Commands that the GPU has not done yet.
    GpuQueue,
    /// Bytes a second of frames that arrive.
    NetworkIn,
    /// Bytes a second of frames that leave.
    NetworkOut,
    /// Bytes of the disk that can be addressed.
    BlockSpace,
    /// Reads a second.
    BlockReads,
    /// Writes a second.
    BlockWrites,
    /// Requests that the disk has not answered yet.
    BlockRequests,
    /// Events that nobody has taken yet.
    InputQueue,
}

/// How a quota is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Taken and given back.
    Held,
    /// So much a second.
    Rate,
    /// A bound that is compared with, never used up.
    Bound,
}

impl Resource {
    pub const ALL: [Self; 9] = [
        Self::GpuMemory,
        Self::GpuQueue,
        Self::NetworkIn,
        Self::NetworkOut,
        Self::BlockSpace,
        Self::BlockReads,
        Self::BlockWrites,
        Self::BlockRequests,
        Self::InputQueue,
    ];

    /// The names, for a table of commands.
    pub const NAMES: [&'static str; Self::ALL.len()] = crate::names!(Self::ALL);

    pub const fn name(self) -> &'static str {
        match self {
            Self::GpuMemory => "gpu-memory",
            Self::GpuQueue => "gpu-queue",
            Self::NetworkIn => "network-in",
            Self::NetworkOut => "network-out",
            Self::BlockSpace => "block-space",
            Self::BlockReads => "block-reads",
            Self::BlockWrites => "block-writes",
            Self::BlockRequests => "block-requests",
            Self::InputQueue => "input-queue",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|resource| resource.name() == name)
    }

    pub const fn device(self) -> Device {
        match self {
            Self::GpuMemory | Self::GpuQueue => Device::Gpu,
            Self::NetworkIn | Self::NetworkOut => Device::Network,
            Self::BlockSpace | Self::BlockReads | Self::BlockWrites | Self::BlockRequests => {
                Device::Block
            }
            Self::InputQueue => Device::Input,
        }
    }

    pub const fn measure(self) -> Measure {
        match self {
            Self::GpuMemory | Self::GpuQueue | Self::BlockRequests | Self::InputQueue => {
                Measure::Held
            }
            Self::NetworkIn | Self::NetworkOut | Self::BlockReads | Self::BlockWrites => {
                Measure::Rate
            }
            Self::BlockSpace => Measure::Bound,
        }
    }

    /// What a limit counts.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::GpuMemory | Self::BlockSpace => "bytes",
            Self::NetworkIn | Self::NetworkOut => "bytes a second",
            Self::BlockReads => "reads a second",
            Self::BlockWrites => "writes a second",
            Self::GpuQueue => "commands",
            Self::BlockRequests => "requests",
            Self::InputQueue => "events",
        }
    }

    /// The limit of a tenant whose quota nobody has set; the kernel has none.
    pub fn default_limit(self, tenant: Tenant) -> Option<u64> {
        let limit = match self {
            Self::GpuMemory => GPU_TENANT_BYTES,
            Self::GpuQueue => GPU_TENANT_COMMANDS_MAX,
            Self::NetworkIn | Self::NetworkOut => NETWORK_TENANT_BYTES_PER_S,
            Self::BlockSpace => BLOCK_TENANT_BYTES,
            Self::BlockReads => BLOCK_TENANT_READS_PER_S,
            Self::BlockWrites => BLOCK_TENANT_WRITES_PER_S,
            Self::BlockRequests => BLOCK_TENANT_REQUESTS_MAX,
            Self::InputQueue => INPUT_TENANT_EVENTS_MAX,
        };
        (tenant != Tenant::KERNEL).then_some(limit as u64)
    }

    /// A bucket that allows `limit` a second and a short burst.
    pub(super) fn bucket(self, limit: u64) -> TokenBucket {
        let least = match self {
            // A row of TCP segments goes to the device as one frame of up to 64 KiB.
            Self::NetworkIn | Self::NetworkOut => NETWORK_BURST_BYTES_MIN,
            _ => 1,
        };
        let share = u128::from(limit) * u128::from(BURST.as_millis()) / 1_000;
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        TokenBucket::new(limit, share.max(least))
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// How long a tenant may have been silent and make up for it at once.
const BURST: Duration = Duration::from_millis(20);

/// Two of the longest frames.
const NETWORK_BURST_BYTES_MIN: u64 = 128 * 1024;
