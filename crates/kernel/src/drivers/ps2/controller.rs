//! The i8042, the PS/2 controller: woken, checked, and set to interrupt.
//!
//! Each wait counts its reads of the status, and all of them together are at most
//! `PS2_STATUS_READS_MAX`: a controller that is missing or broken costs a bounded
//! time and is an error with its reason. The port for a mouse stays off.

use super::keyboard::ScancodeSet;
use crate::limits::PS2_STATUS_READS_MAX;
use core::fmt;

/// The controller's two ports. Reading the status takes about a microsecond.
pub trait Ports {
    /// Port 0x60.
    fn read_data(&mut self) -> u8;
    fn write_data(&mut self, byte: u8);
    /// Port 0x64.
    fn read_status(&mut self) -> u8;
    fn write_command(&mut self, byte: u8);
}

/// Bits of the status.
const OUTPUT_FULL: u8 = 1 << 0;
const INPUT_FULL: u8 = 1 << 1;
/// What an empty bus reads as.
const NOTHING_THERE: u8 = 0xff;

/// Commands to the controller.
const READ_CONFIGURATION: u8 = 0x20;
const WRITE_CONFIGURATION: u8 = 0x60;
const DISABLE_MOUSE: u8 = 0xa7;
const SELF_TEST: u8 = 0xaa;
const TEST_KEYBOARD_PORT: u8 = 0xab;
const DISABLE_KEYBOARD: u8 = 0xad;
const ENABLE_KEYBOARD: u8 = 0xae;

/// Answers of the controller.
const SELF_TEST_PASSED: u8 = 0x55;
const PORT_TEST_PASSED: u8 = 0x00;

/// Bits of the configuration.
const KEYBOARD_INTERRUPT: u8 = 1 << 0;
const MOUSE_INTERRUPT: u8 = 1 << 1;
const KEYBOARD_CLOCK_OFF: u8 = 1 << 4;
const MOUSE_CLOCK_OFF: u8 = 1 << 5;
const TRANSLATE: u8 = 1 << 6;

/// Commands to the keyboard, and its answers.
const CHOOSE_SCANCODES: u8 = 0xf0;
const SCANCODE_SET_2: u8 = 0x02;
const BEGIN_SCANNING: u8 = 0xf4;
const RESET_KEYBOARD: u8 = 0xff;
const ACKNOWLEDGE: u8 = 0xfa;
const RESEND: u8 = 0xfe;
const KEYBOARD_TEST_PASSED: u8 = 0xaa;

/// A keyboard repeats its doubts; after so many the line is taken to be broken.
const SENDS_MAX: u32 = 3;
/// The controller's buffer holds one byte; a device that never runs dry is broken.
const FLUSH_READS_MAX: u32 = 64;
/// Bytes other than the one waited for: keys that were pressed meanwhile.
const STRAY_BYTES_MAX: u32 = 16;

/// Reads of the status for one answer; the reset of a keyboard takes half a second.
const ANSWER_READS: u32 = 50_000;
const RESET_READS: u32 = 700_000;

/// Why there is no PS/2 keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ps2Error {
    Missing,
    NeverEmpty,
    NeverReady,
    NoAnswer,
    SelfTest(u8),
    PortTest(u8),
}

impl Ps2Error {
    /// What `status` shows beside the device's name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "no PS/2 controller at port 0x64; use the serial console",
            Self::NeverEmpty => {
                "the PS/2 controller sends without end; unplug its devices or use the serial console"
            }
            Self::NeverReady => {
                "the PS/2 controller takes no command; switch the machine off and on, or use the serial console"
            }
            Self::NoAnswer => {
                "the PS/2 controller does not answer; switch the machine off and on, or use the serial console"
            }
            Self::SelfTest(_) => "the PS/2 controller failed its self-test; use the serial console",
            Self::PortTest(_) => {
                "the PS/2 controller's keyboard port failed its test; check the plug or use the serial console"
            }
        }
    }
}

impl fmt::Display for Ps2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfTest(answer) | Self::PortTest(answer) => {
                write!(f, "{} (it answered {answer:#04x})", self.reason())
            }
            _ => f.write_str(self.reason()),
        }
    }
}

/// What the start found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Started {
    pub scancodes: ScancodeSet,
    /// False when no keyboard answered; one that is plugged in later works all the same.
    pub has_keyboard: bool,
}

pub struct Controller<P> {
    ports: P,
    status_reads_left: u32,
}

impl<P: Ports> Controller<P> {
    pub const fn new(ports: P) -> Self {
        Self {
            ports,
            status_reads_left: PS2_STATUS_READS_MAX as u32,
        }
    }

    /// Sets the controller up; from then on each byte of the keyboard raises
    /// interrupt 1 and is to be read from the data port by its handler.
    pub fn start(&mut self) -> Result<Started, Ps2Error> {
        if self.ports.read_status() == NOTHING_THERE {
            return Err(Ps2Error::Missing);
        }
        self.command(DISABLE_KEYBOARD)?;
        self.command(DISABLE_MOUSE)?;
        self.flush()?;
        let found = self.ask(READ_CONFIGURATION)?;
        match self.ask(SELF_TEST)? {
            SELF_TEST_PASSED => {}
            answer => return Err(Ps2Error::SelfTest(answer)),
        }
        // The self-test resets some controllers, so all of the configuration is written.
        let quiet = (found & !(KEYBOARD_INTERRUPT | MOUSE_INTERRUPT | KEYBOARD_CLOCK_OFF))
            | MOUSE_CLOCK_OFF
            | TRANSLATE;
        self.configure(quiet)?;
        match self.ask(TEST_KEYBOARD_PORT)? {
            PORT_TEST_PASSED => {}
            answer => return Err(Ps2Error::PortTest(answer)),
        }
        self.command(ENABLE_KEYBOARD)?;
        let has_keyboard = self.start_keyboard()?;
        // Some controllers cannot translate, and say so by clearing the bit.
        let kept = self.ask(READ_CONFIGURATION)?;
        self.flush()?;
        self.configure(kept | KEYBOARD_INTERRUPT)?;
        let is_translated = kept & TRANSLATE != 0;
        Ok(Started {
            scancodes: if is_translated {
                ScancodeSet::One
            } else {
                ScancodeSet::Two
            },
            has_keyboard,
        })
    }

    /// Hands a byte to the keyboard if the controller takes one now; never waits.
    pub fn try_send(&mut self, byte: u8) -> bool {
        let is_ready = self.ports.read_status() & INPUT_FULL == 0;
        if is_ready {
            self.ports.write_data(byte);
        }
        is_ready
    }

    /// Says whether a keyboard answered. The slow reset is kept for one that did not.
    fn start_keyboard(&mut self) -> Result<bool, Ps2Error> {
        let begin = [CHOOSE_SCANCODES, SCANCODE_SET_2, BEGIN_SCANNING];
        if self.send_all(&begin)? {
            return Ok(true);
        }
        let has_reset = self.send(RESET_KEYBOARD)?
            && self
                .await_byte(|byte| byte == KEYBOARD_TEST_PASSED, RESET_READS)
                .is_some();
        Ok(has_reset && self.send_all(&begin)?)
    }

    fn send_all(&mut self, bytes: &[u8]) -> Result<bool, Ps2Error> {
        for &byte in bytes {
            if !self.send(byte)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends a byte to the keyboard and says whether it was acknowledged.
    fn send(&mut self, byte: u8) -> Result<bool, Ps2Error> {
        for _ in 0..SENDS_MAX {
            self.await_ready()?;
            self.ports.write_data(byte);
            match self.await_byte(
                |answer| matches!(answer, ACKNOWLEDGE | RESEND),
                ANSWER_READS,
            ) {
                Some(ACKNOWLEDGE) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    fn configure(&mut self, configuration: u8) -> Result<(), Ps2Error> {
        self.command(WRITE_CONFIGURATION)?;
        self.await_ready()?;
        self.ports.write_data(configuration);
        // The next command shows whether it was taken; nothing may be read before.
        self.await_ready()
    }

    fn command(&mut self, command: u8) -> Result<(), Ps2Error> {
        self.await_ready()?;
        self.ports.write_command(command);
        Ok(())
    }

    /// A command to the controller that has an answer.
    fn ask(&mut self, command: u8) -> Result<u8, Ps2Error> {
        self.flush()?;
        self.command(command)?;
        if self.await_status(OUTPUT_FULL, OUTPUT_FULL, ANSWER_READS) {
            Ok(self.ports.read_data())
        } else {
            Err(Ps2Error::NoAnswer)
        }
    }

    fn flush(&mut self) -> Result<(), Ps2Error> {
        for _ in 0..FLUSH_READS_MAX {
            if !self.await_status(OUTPUT_FULL, OUTPUT_FULL, 1) {
                return Ok(());
            }
            self.ports.read_data();
        }
        Err(Ps2Error::NeverEmpty)
    }

    fn await_ready(&mut self) -> Result<(), Ps2Error> {
        if self.await_status(INPUT_FULL, 0, ANSWER_READS) {
            Ok(())
        } else {
            Err(Ps2Error::NeverReady)
        }
    }

    /// The first byte that is wanted; others are dropped.
    fn await_byte(&mut self, is_wanted: impl Fn(u8) -> bool, reads: u32) -> Option<u8> {
        for _ in 0..STRAY_BYTES_MAX {
            if !self.await_status(OUTPUT_FULL, OUTPUT_FULL, reads) {
                return None;
            }
            let byte = self.ports.read_data();
            if is_wanted(byte) {
                return Some(byte);
            }
        }
        None
    }

    /// Says whether the bits of the status became `value` in so many reads.
    fn await_status(&mut self, bits: u8, value: u8, reads: u32) -> bool {
        for _ in 0..reads.min(self.status_reads_left) {
            self.status_reads_left -= 1;
            if self.ports.read_status() & bits == value {
                return true;
            }
            core::hint::spin_loop();
        }
        false
    }
}
