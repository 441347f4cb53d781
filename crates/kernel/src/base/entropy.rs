//! Where bytes come from that nobody can guess.

/// A device that makes random bytes, with some of them kept ready.
pub trait EntropySource {
    /// Fills `bytes` with fresh ones, or none of them when it has not so many ready.
    fn take(&mut self, bytes: &mut [u8]) -> bool;

    fn view(&self) -> EntropyView;
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct EntropyView {
    pub ready_bytes: usize,
    pub received_bytes: u64,
    pub given_bytes: u64,
    /// Times that fewer bytes were ready than were wanted.
    pub refused: u64,
}

/// Where a machine has them from.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct EntropySources {
    pub has_processor: bool,
    pub has_device: bool,
    pub has_tpm: bool,
}

impl EntropySources {
    /// As `status` says it; `None` when there are none.
    pub const fn name(self) -> Option<&'static str> {
        match (self.has_processor, self.has_device, self.has_tpm) {
            (true, true, true) => Some("processor, device and TPM"),
            (true, true, false) => Some("processor and device"),
            (true, false, true) => Some("processor and TPM"),
            (false, true, true) => Some("device and TPM"),
            (true, false, false) => Some("processor"),
            (false, true, false) => Some("device"),
            (false, false, true) => Some("TPM"),
            (false, false, false) => None,
        }
    }
}
