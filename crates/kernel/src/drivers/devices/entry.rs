//! One function that was found: its state, and what it holds while it is driven.

use super::platform::{Platform, Signal};
use super::view::Reason;
use crate::base::time::Instant;
use crate::drivers::pci::bars::{self, Bars};
use crate::drivers::pci::capabilities::Capabilities;
use crate::drivers::pci::config::ConfigSpace;
use crate::drivers::pci::function::{COMMAND_MASTER, COMMAND_MEMORY, COMMAND_NO_LINE, Function};
use crate::drivers::pci::messages::{Message, MessageTable};
use crate::drivers::virtio::lie::DeviceLie;
use crate::drivers::virtio::pci::{CONFIG_MESSAGE, PciTransport, QUEUES_MESSAGE};
use crate::drivers::virtio::transport::StartError;
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nobody drives it.
    Idle,
    Driven,
    /// It was told to reset and has not said that it has.
    Resetting {
        until: Instant,
    },
    /// It could not be driven; the reason says why.
    Refused,
    /// It was unplugged.
    Gone,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Driven => "driven",
            Self::Resetting { .. } => "starting",
            Self::Refused => "refused",
            Self::Gone => "gone",
        }
    }
}

/// How a device says that it wants attention.
pub enum Interrupts {
    Messages {
        table: MessageTable,
        config: Message,
        queues: Message,
    },
    Line(u8),
    /// It cannot, and is looked at now and then.
    Polled,
}

/// What a driven device holds.
pub struct Link {
    pub transport: PciTransport,
    pub interrupts: Interrupts,
}

pub struct Entry {
    pub function: Function,
    pub state: State,
    pub reason: Reason,
    pub since: Instant,
    /// Place of its driver in the table of drivers.
    pub driver: Option<usize>,
    pub link: Option<Link>,
    /// Known once it was driven.
    pub bars: Bars,
    pub resets: u64,
    pub lies: u64,
    pub last_lie: Option<DeviceLie>,
}

impl Entry {
    pub fn new(function: Function, now: Instant) -> Self {
        Self {
            function,
            state: State::Idle,
            reason: Reason::new(),
            since: now,
            driver: None,
            link: None,
            bars: Bars::new(),
            resets: 0,
            lies: 0,
            last_lie: None,
        }
    }

    pub fn become_state(&mut self, state: State, now: Instant, reason: fmt::Arguments<'_>) {
        self.state = state;
        self.since = now;
        self.reason = Reason::format(reason);
    }

    /// Reads where its registers are, and how large. Nobody may use it at the time.
    pub fn size(&mut self, config: &dyn ConfigSpace) {
        self.bars = bars::size(config, &self.function);
    }

    /// Has everything that a driver needs of it a place?
    pub fn is_placed(&self, capabilities: &Capabilities) -> bool {
        let mut needed = capabilities.needed_bars();
        needed.all(|index| self.bars.iter().any(|bar| bar.index == index))
    }

    /// Maps its registers and connects its interrupts.
    pub fn link(
        &mut self,
        config: &dyn ConfigSpace,
        platform: &mut dyn Platform,
        capabilities: &Capabilities,
        (index, source): (usize, &'static str),
    ) -> Result<(), StartError> {
        const WHOLE_BYTES_MAX: u64 = 64 << 10;
        let on = COMMAND_MEMORY | COMMAND_MASTER;
        self.function.command(config, on, 0);
        for bar in &self.bars {
            if bar.bytes <= WHOLE_BYTES_MAX && bar.start != 0 {
                // Once as a whole: its parts then need no mappings of their own. Where it
                // fails, the parts say why.
                let _ = platform.map(bar.start, bar.bytes as usize);
            }
        }
        let map = &mut |physical, bytes| platform.map(physical, bytes);
        let function = &self.function;
        let mut transport = PciTransport::find(function, capabilities, &self.bars, map)?;
        let table = MessageTable::find(function, capabilities, &self.bars, map);
        let interrupts = match table.filter(|table| table.count() > QUEUES_MESSAGE) {
            Some(table) => connect_messages(table, config, platform, index, source),
            None => connect_line(&self.function, config, platform),
        };
        transport.set_messages(matches!(interrupts, Interrupts::Messages { .. }));
        self.link = Some(Link {
            transport,
            interrupts,
        });
        Ok(())
    }

    /// Keeps it from memory and gives its interrupts back; where it still is, that is said
    /// to it, too.
    pub fn unlink(
        &mut self,
        config: &dyn ConfigSpace,
        platform: &mut dyn Platform,
        is_there: bool,
    ) {
        if is_there {
            let off = COMMAND_MASTER | COMMAND_MEMORY;
            self.function.command(config, COMMAND_NO_LINE, off);
        }
        let Some(link) = self.link.take() else {
            return;
        };
        if let Interrupts::Messages {
            table,
            config: first,
            queues,
        } = link.interrupts
        {
            if is_there {
                table.switch(config, false);
            }
            platform.release_message(first);
            platform.release_message(queues);
        }
    }
}

fn connect_messages(
    table: MessageTable,
    config: &dyn ConfigSpace,
    platform: &mut dyn Platform,
    index: usize,
    source: &'static str,
) -> Interrupts {
    let Some(first) = platform.allocate_message(source, Signal::Config(index)) else {
        return Interrupts::Polled;
    };
    let Some(second) = platform.allocate_message(source, Signal::Queues(index)) else {
        platform.release_message(first);
        return Interrupts::Polled;
    };
    table.set(CONFIG_MESSAGE, &first);
    table.set(QUEUES_MESSAGE, &second);
    table.switch(config, true);
    Interrupts::Messages {
        table,
        config: first,
        queues: second,
    }
}

fn connect_line(
    function: &Function,
    config: &dyn ConfigSpace,
    platform: &mut dyn Platform,
) -> Interrupts {
    let line = function.interrupt_line(config);
    match line.and_then(|line| platform.connect_line(line)) {
        Some(line) => {
            function.command(config, 0, COMMAND_NO_LINE);
            Interrupts::Line(line)
        }
        None => Interrupts::Polled,
    }
}

impl Interrupts {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Messages { .. } => "msi-x",
            Self::Line(_) => "intx",
            Self::Polled => "polled",
        }
    }
}
