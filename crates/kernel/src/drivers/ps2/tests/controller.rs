//! A simulated i8042 with its keyboard, whole and broken in every way.

use crate::drivers::ps2::{Controller, Ports, Ps2Error, ScancodeSet, Started};
use crate::limits::PS2_STATUS_READS_MAX;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::vec::Vec;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    NoBus,
    /// The input buffer never empties.
    Deaf,
    /// It never answers.
    Mute,
    /// There is always a byte to read.
    Babbling,
    SelfTest,
    PortTest,
    CannotTranslate,
    NoKeyboard,
    /// The keyboard answers nothing but its reset at first.
    KeyboardAsleep,
    /// Each byte is asked for again, always.
    KeyboardDoubts,
    /// A key is pressed while the controller starts.
    KeyPressed,
}

struct Machine {
    fault: Fault,
    configuration: u8,
    output: VecDeque<u8>,
    expects_configuration: bool,
    is_keyboard_awake: bool,
    keyboard_received: Vec<u8>,
    status_reads: usize,
}

#[derive(Clone)]
struct Simulated(Rc<RefCell<Machine>>);

impl Simulated {
    fn new(fault: Fault) -> Self {
        Self(Rc::new(RefCell::new(Machine {
            fault,
            configuration: 0x01,
            output: VecDeque::from([0x1c]),
            expects_configuration: false,
            is_keyboard_awake: fault != Fault::KeyboardAsleep,
            keyboard_received: Vec::new(),
            status_reads: 0,
        })))
    }

    fn start(&self) -> Result<Started, Ps2Error> {
        Controller::new(self.clone()).start()
    }
}

impl Ports for Simulated {
    fn read_data(&mut self) -> u8 {
        let mut machine = self.0.borrow_mut();
        machine.output.pop_front().unwrap_or(0x5a)
    }

    fn read_status(&mut self) -> u8 {
        let mut machine = self.0.borrow_mut();
        machine.status_reads += 1;
        let is_full = !machine.output.is_empty() || machine.fault == Fault::Babbling;
        match machine.fault {
            Fault::NoBus => 0xff,
            Fault::Deaf => 0x02,
            _ => u8::from(is_full),
        }
    }

    fn write_data(&mut self, byte: u8) {
        let mut machine = self.0.borrow_mut();
        if machine.expects_configuration {
            machine.expects_configuration = false;
            machine.configuration = match machine.fault {
                Fault::CannotTranslate => byte & !0x40,
                _ => byte,
            };
            return;
        }
        machine.keyboard_received.push(byte);
        let answers: &[u8] = match (machine.fault, byte) {
            (Fault::NoKeyboard, _) => &[],
            (Fault::KeyboardDoubts, _) => &[0xfe],
            (_, 0xff) => &[0xfa, 0xaa],
            _ if !machine.is_keyboard_awake => &[],
            (Fault::KeyPressed, 0xf4) => &[0x1e, 0xfa],
            _ => &[0xfa],
        };
        machine.is_keyboard_awake |= byte == 0xff;
        machine.output.extend(answers);
    }

    fn write_command(&mut self, command: u8) {
        let mut machine = self.0.borrow_mut();
        let answer = match (command, machine.fault) {
            (_, Fault::Mute) => return,
            (0x20, _) => machine.configuration,
            (0x60, _) => {
                machine.expects_configuration = true;
                return;
            }
            (0xaa, Fault::SelfTest) => 0xfc,
            (0xaa, _) => 0x55,
            (0xab, Fault::PortTest) => 0x01,
            (0xab, _) => 0x00,
            _ => return,
        };
        machine.output.push_back(answer);
    }
}

#[test]
fn a_whole_controller_ends_up_translating_with_its_interrupt_on() {
    let machine = Simulated::new(Fault::None);
    let expected = Started {
        scancodes: ScancodeSet::One,
        has_keyboard: true,
    };
    assert_eq!(machine.start(), Ok(expected));
    let machine = machine.0.borrow();
    assert_eq!(machine.configuration & 0b0111_0011, 0b0110_0001);
    assert_eq!(machine.keyboard_received, [0xf0, 0x02, 0xf4]);
    assert!(machine.output.is_empty());
}

#[test]
fn every_fault_has_its_reason_and_a_bounded_cost() {
    for (fault, error) in [
        (Fault::NoBus, Ps2Error::Missing),
        (Fault::Deaf, Ps2Error::NeverReady),
        (Fault::Mute, Ps2Error::NoAnswer),
        (Fault::Babbling, Ps2Error::NeverEmpty),
        (Fault::SelfTest, Ps2Error::SelfTest(0xfc)),
        (Fault::PortTest, Ps2Error::PortTest(0x01)),
    ] {
        let machine = Simulated::new(fault);
        assert_eq!(machine.start(), Err(error), "{fault:?}");
        assert!(machine.0.borrow().status_reads <= PS2_STATUS_READS_MAX + 1);
        assert!(!error.reason().is_empty());
    }
}

#[test]
fn a_controller_that_cannot_translate_gives_set_2() {
    let started = Simulated::new(Fault::CannotTranslate).start();
    assert_eq!(started.map(|it| it.scancodes), Ok(ScancodeSet::Two));
}

#[test]
fn without_a_keyboard_the_controller_waits_for_one() {
    for fault in [Fault::NoKeyboard, Fault::KeyboardDoubts] {
        let machine = Simulated::new(fault);
        let started = machine.start();
        assert_eq!(started.map(|it| it.has_keyboard), Ok(false), "{fault:?}");
        assert_eq!(machine.0.borrow().configuration & 1, 1);
    }
}

#[test]
fn a_keyboard_that_is_asleep_is_reset() {
    let machine = Simulated::new(Fault::KeyboardAsleep);
    assert_eq!(machine.start().map(|it| it.has_keyboard), Ok(true));
    let received = &machine.0.borrow().keyboard_received;
    assert_eq!(received[..], [0xf0, 0xff, 0xf0, 0x02, 0xf4]);
}

#[test]
fn a_key_pressed_meanwhile_is_not_taken_for_an_answer() {
    let started = Simulated::new(Fault::KeyPressed).start();
    assert_eq!(started.map(|it| it.has_keyboard), Ok(true));
}

#[test]
fn a_byte_for_the_keyboard_never_waits() {
    let deaf = Simulated::new(Fault::Deaf);
    assert!(!Controller::new(deaf.clone()).try_send(0xed));
    assert_eq!(deaf.0.borrow().status_reads, 1);
    let whole = Simulated::new(Fault::None);
    assert!(Controller::new(whole.clone()).try_send(0xed));
    assert_eq!(whole.0.borrow().keyboard_received, [0xed]);
}
