//! Configuration space through the ports of 1992, where no memory shows it.

use super::address::Address;
use super::config::ConfigSpace;
use crate::arch::port;
use crate::base::sync::IrqLock;

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const ENABLED: u32 = 1 << 31;

/// The two ports belong together: one access at a time.
static PORTS: IrqLock<()> = IrqLock::new(());

pub struct LegacyPorts;

impl LegacyPorts {
    /// Is the mechanism there? Its address register keeps what is written to it.
    pub fn find() -> Option<Self> {
        let keeps = PORTS.with(|()| {
            port::write_u32(ADDRESS, ENABLED);
            port::read_u32(ADDRESS) == ENABLED
        });
        keeps.then_some(Self)
    }

    fn with<R>(address: Address, offset: u8, body: impl FnOnce(u16) -> R) -> R {
        PORTS.with(|()| {
            let place = (address.index() as u32) << 8 | u32::from(offset & !3);
            port::write_u32(ADDRESS, ENABLED | place);
            body(DATA + u16::from(offset & 3))
        })
    }
}

impl ConfigSpace for LegacyPorts {
    fn last_bus(&self) -> u8 {
        u8::MAX
    }

    fn read_u32(&self, address: Address, offset: u8) -> u32 {
        Self::with(address, offset, port::read_u32)
    }

    fn write_u32(&self, address: Address, offset: u8, value: u32) {
        Self::with(address, offset, |data| port::write_u32(data, value));
    }

    fn write_u16(&self, address: Address, offset: u8, value: u16) {
        Self::with(address, offset, |data| port::write_u16(data, value));
    }
}
