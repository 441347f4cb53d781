//! What somebody needs to run an action, and whether that changes something.

use crate::base::capability::{Capability, CapabilitySet};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    needs: CapabilitySet,
    is_change: bool,
}

/// Shows what everybody may see who gets as far as asking.
pub const LOOK: Access = Access {
    needs: CapabilitySet::NONE,
    is_change: false,
};
/// Shows what is not for everybody: what others did.
pub const AUDIT: Access = Access {
    needs: CapabilitySet::of(Capability::Audit),
    is_change: false,
};
/// Changes settings, rules, rights, the machine's power.
pub const ADMINISTER: Access = Access::change(Capability::Administer);
/// Packets leave because of it.
pub const NET: Access = Access::change(Capability::Net);
pub const DISK_READ: Access = Access::change(Capability::DiskRead);
pub const DISK_WRITE: Access = Access::change(Capability::DiskWrite);

impl Access {
    /// Changes something, be it only that a device has to do something.
    const fn change(capability: Capability) -> Self {
        Self {
            needs: CapabilitySet::of(capability),
            is_change: true,
        }
    }

    /// What has to be held; something, if it changes something.
    pub const fn needs(self) -> CapabilitySet {
        self.needs
    }

    pub const fn is_change(self) -> bool {
        self.is_change
    }
}
