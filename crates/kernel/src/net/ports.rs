//! The machine's network ports, as the stack asks for them.

use crate::base::network_port::NetworkPort;
use crate::base::tenant::Tenant;
use crate::base::time::Instant;

/// Ports by their number; one that was unplugged is `None` until it is back.
pub trait Ports {
    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort>;
}

/// Who decides whether a tenant may use a port: the device handlers with their quotas.
pub trait Gate {
    /// Asked for every frame of a tenant's interface; a refusal is counted by who refuses.
    fn admits(&mut self, now: Instant, tenant: Tenant, way: Way, bytes: usize) -> bool;
}

/// Which way a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Received,
    Sent,
}

/// A machine without limits for its tenants.
pub struct OpenGate;

impl Gate for OpenGate {
    fn admits(&mut self, _: Instant, _: Tenant, _: Way, _: usize) -> bool {
        true
    }
}
