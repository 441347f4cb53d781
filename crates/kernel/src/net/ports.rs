//! The machine's network ports, as the stack asks for them.

use crate::base::network_port::NetworkPort;

/// Ports by their number; one that was unplugged is `None` until it is back.
pub trait Ports {
    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort>;
}
