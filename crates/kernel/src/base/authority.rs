//! What somebody may do here, and what a command needs: the same scale.

/// What a command may touch; who asks must hold it or more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Authority {
    /// Reads what the kernel shows to everyone.
    Look,
    /// Changes something: settings, connections, the machine's power.
    Administer,
}
