//! What a machine gives as a console: bytes both ways, and neither way waits.

/// A serial line, or a screen with a keyboard: what a shell session sits on.
pub trait Console {
    /// `serial`, `screen`: the name that tables show.
    fn name(&self) -> &'static str;

    /// Moves received bytes into `buffer`; 0 when there are none.
    fn read(&mut self, buffer: &mut [u8]) -> usize;

    /// How many bytes `write` takes at this moment.
    fn write_space(&self) -> usize;

    /// Takes as many of the bytes as fit now and says how many; never waits.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Has the device put out everything that it took? Asked before the power goes off.
    fn is_drained(&self) -> bool {
        true
    }

    /// Columns of the display, where they are known.
    fn columns(&self) -> Option<u16>;

    fn view(&self) -> ConsoleView;
}

/// What has gone through a console since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsoleView {
    pub name: &'static str,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// Bytes that came faster than they were read.
    pub receive_dropped_bytes: u64,
    /// Parity, framing and break conditions that the device reported.
    pub line_errors: u64,
}
