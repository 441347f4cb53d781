//! The serial line COM1: bytes both ways, moved by its interrupt.
//!
//! Limits: `SERIAL_RECEIVE_BYTES` and `SERIAL_TRANSMIT_BYTES` wait on this side.
//! What comes faster than it is read is dropped and counted; what is written
//! beyond the space is refused, so nothing here ever waits for the other end.

use crate::arch::{port, uart};
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed::Queue;
use crate::base::late::Late;
use crate::base::metric::Usage;
use crate::base::sync::IrqLock;
use crate::limits::{SERIAL_RECEIVE_BYTES, SERIAL_TRANSMIT_BYTES};
use uart_16550::spec::registers::{IER, LSR};
use uart_16550::{BaudRate, Config};

/// Rounds of one interrupt; a device that wants more is left to the next.
const ROUNDS_MAX: usize = 64;

const DATA: u16 = 0x3f8;
const STATUS: u16 = DATA + 5;

/// The line's interrupt on every PC.
pub const IRQ: u8 = 4;

struct Line {
    uart: uart::Uart,
    received: Queue<u8, SERIAL_RECEIVE_BYTES>,
    to_send: Queue<u8, SERIAL_TRANSMIT_BYTES>,
    /// The device tells when it can take more.
    is_telling: bool,
    received_high_water: u64,
    to_send_high_water: u64,
    view: ConsoleView,
}

static LINE: IrqLock<Late<Line>> = IrqLock::new(Late::new());

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SerialError {
    Absent,
    AlreadyStarted,
}

impl SerialError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Absent => "no 16550 answers at port 0x3f8",
            Self::AlreadyStarted => "it was started before",
        }
    }
}

/// Sets the line to 115200 8N1; its interrupts stay off until `enable_interrupts`.
pub fn start() -> Result<(), SerialError> {
    let mut uart = uart::take_com1().ok_or(SerialError::AlreadyStarted)?;
    let config = Config {
        baud_rate: BaudRate::Baud115200,
        ..Config::DEFAULT
    };
    uart.init(config).map_err(|_| SerialError::Absent)?;
    LINE.with(|line| {
        line.set(Line {
            uart,
            received: Queue::new(),
            to_send: Queue::new(),
            is_telling: false,
            received_high_water: 0,
            to_send_high_water: 0,
            view: ConsoleView {
                name: "serial",
                ..ConsoleView::default()
            },
        });
    });
    Ok(())
}

/// Lets the device interrupt when bytes have come, and sends what has waited.
pub fn enable_interrupts() {
    with(|line| {
        line.uart
            .enable_interrupts(IER::DATA_READY | IER::RECEIVER_LINE_STATUS);
        line.exchange();
    });
}

/// The interrupt handler: moves bytes between the device and the queues.
pub fn on_interrupt() {
    with(Line::exchange);
}

fn with<R>(body: impl FnOnce(&mut Line) -> R) -> Option<R> {
    LINE.with(|line| line.as_mut().map(body))
}

impl Line {
    /// Until the device has no more to say: its interrupt is an edge, which does not
    /// come again for what has come while the handler ran.
    fn exchange(&mut self) {
        for _ in 0..ROUNDS_MAX {
            self.receive();
            self.send();
            if !self.uart.isr().has_pending_interrupt() {
                return;
            }
        }
    }

    fn receive(&mut self) {
        let mut bytes = [0; 64];
        loop {
            let count = self.uart.receive_bytes(&mut bytes);
            if count == 0 {
                break;
            }
            let kept = self.received.push_some(&bytes[..count]);
            self.received_high_water = self.received_high_water.max(self.received.len() as u64);
            self.view.received_bytes += count as u64;
            self.view.receive_dropped_bytes += (count - kept) as u64;
        }
        let status = self.uart.lsr();
        let is_overrun = status.contains(LSR::OVERRUN_ERROR);
        self.view.receive_dropped_bytes += u64::from(is_overrun);
        let is_garbled =
            status.intersects(LSR::PARITY_ERROR | LSR::FRAMING_ERROR | LSR::BREAK_INTERRUPT);
        self.view.line_errors += u64::from(is_garbled);
    }

    fn send(&mut self) {
        while !self.to_send.is_empty() {
            let count = self.uart.send_bytes(self.to_send.oldest());
            if count == 0 {
                break;
            }
            self.to_send.skip(count);
            self.view.sent_bytes += count as u64;
        }
        let is_telling = !self.to_send.is_empty();
        if is_telling != self.is_telling {
            match is_telling {
                true => self.uart.enable_interrupts(IER::THR_EMPTY),
                false => self.uart.disable_interrupts(IER::THR_EMPTY),
            }
            self.is_telling = is_telling;
        }
    }
}

pub fn visit_usages(visit: &mut dyn FnMut(&Usage)) {
    let usages = with(|line| {
        [
            Usage::of("SERIAL_RECEIVE_BYTES", SERIAL_RECEIVE_BYTES)
                .used(line.received.len() as u64)
                .high_water(line.received_high_water)
                .refused(line.view.receive_dropped_bytes),
            Usage::of("SERIAL_TRANSMIT_BYTES", SERIAL_TRANSMIT_BYTES)
                .used(line.to_send.len() as u64)
                .high_water(line.to_send_high_water),
        ]
    });
    usages.iter().flatten().for_each(visit);
}

/// The line as a console; any number of these mean the same line.
pub struct SerialConsole;

impl Console for SerialConsole {
    fn name(&self) -> &'static str {
        "serial"
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        with(|line| {
            let mut count = 0;
            // A byte is taken out only when there is a place for it.
            while let Some(place) = buffer.get_mut(count)
                && let Some(byte) = line.received.pop()
            {
                *place = byte;
                count += 1;
            }
            count
        })
        .unwrap_or(0)
    }

    fn write_space(&self) -> usize {
        with(|line| line.to_send.space()).unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        with(|line| {
            let count = line.to_send.push_some(bytes);
            line.to_send_high_water = line.to_send_high_water.max(line.to_send.len() as u64);
            line.send();
            count
        })
        .unwrap_or(0)
    }

    fn is_drained(&self) -> bool {
        with(|line| line.to_send.is_empty()).unwrap_or(true)
    }

    fn columns(&self) -> Option<u16> {
        None
    }

    fn view(&self) -> ConsoleView {
        with(|line| line.view).unwrap_or_default()
    }
}

/// Sends what has waited, without interrupts and no longer than the line takes for
/// a full queue: for a machine that is about to go off.
pub fn flush() {
    for _ in 0..SERIAL_TRANSMIT_BYTES * 100 {
        let is_empty = with(|line| {
            line.send();
            line.to_send.is_empty()
        });
        if is_empty.unwrap_or(true) {
            break;
        }
        core::hint::spin_loop();
    }
    wait_until_sent();
}

/// Waits a bounded time until the last byte has left the device: a reset loses what has not.
pub fn wait_until_sent() {
    const ALL_SENT: u8 = 1 << 6;
    let _ = (0..1_000_000).any(|_| port::read_u8(STATUS) & ALL_SENT != 0);
}

/// Writes past queue and lock, waiting for the device: for a kernel that fails.
pub fn write_in_emergency(bytes: &[u8]) {
    const CAN_TAKE: u8 = 1 << 5;
    for &byte in bytes {
        // A dead line does not keep the kernel from failing.
        let _ = (0..1_000_000).any(|_| port::read_u8(STATUS) & CAN_TAKE != 0);
        port::write_u8(DATA, byte);
    }
}
