//! The screen and its keyboard, joined to this machine's ports and memory.

use super::control;
use super::description::Screen as Display;
use super::interrupt_lines::route;
use super::notes::{Missing, note};
use crate::arch::port;
use crate::base::config::Keymap;
use crate::base::console::{Console, ConsoleView};
use crate::base::fixed::Queue;
use crate::base::input::InputEvent;
use crate::base::late::Late;
use crate::base::metric::Usage;
use crate::base::sync::IrqLock;
use crate::drivers::acpi::Acpi;
use crate::drivers::ps2::{Controller, Ports};
use crate::drivers::screen::{Framebuffer, ScreenConsole};
use crate::limits::KEYBOARD_SCANCODES_MAX;
use crate::memory;
use core::fmt::Write;
use spin::Mutex;

const KEYBOARD_IRQ: u8 = 1;
const DATA: u16 = 0x60;
const STATUS: u16 = 0x64;
const OUTPUT_FULL: u8 = 1 << 0;
const INPUT_FULL: u8 = 1 << 1;
/// Cells painted in one tick: a few milliseconds at most.
const PAINT_BUDGET: usize = 400;

/// Locked by the control loop only, and by the report of a failure.
static CONSOLE: Mutex<Late<ScreenConsole>> = Mutex::new(Late::new());
static SCANCODES: IrqLock<Queue<u8, KEYBOARD_SCANCODES_MAX>> = IrqLock::new(Queue::new());

/// Joins display and keyboard; says which display there is.
pub fn start(
    display: Option<Display>,
    keymap: Keymap,
    acpi: &Acpi,
    missing: &mut Missing,
) -> Option<(usize, usize, usize)> {
    let Some(display) = display else {
        note(
            missing,
            "screen",
            "the boot hands over no frame buffer; the serial line has the shell",
        );
        return None;
    };
    let memory = match memory::map_framebuffer(display.physical, display.bytes) {
        Ok(memory) => memory,
        Err(_) => {
            note(missing, "screen", "its memory cannot be mapped");
            return None;
        }
    };
    let framebuffer = match Framebuffer::new(display.geometry, memory) {
        Ok(framebuffer) => framebuffer,
        Err(error) => {
            note(missing, "screen", error.reason());
            return None;
        }
    };
    let mut console = ScreenConsole::new(framebuffer, keymap);
    start_keyboard(&mut console, acpi, missing);
    CONSOLE.lock().set(console);
    let shape = display.geometry;
    Some((shape.width, shape.height, shape.bytes_per_pixel))
}

fn start_keyboard(console: &mut ScreenConsole, acpi: &Acpi, missing: &mut Missing) {
    match Controller::new(I8042).start() {
        Ok(started) => {
            console.set_scancode_set(started.scancodes);
            if !started.has_keyboard {
                note(
                    missing,
                    "keyboard",
                    "none answers at the PS/2 port; plug one in",
                );
            }
        }
        Err(error) => return note(missing, "keyboard", error.reason()),
    }
    if let Err(reason) = route(acpi, KEYBOARD_IRQ, "keyboard", on_interrupt) {
        note(missing, "keyboard interrupt", reason);
    }
}

/// The controller's ports.
struct I8042;

impl Ports for I8042 {
    fn read_data(&mut self) -> u8 {
        port::read_u8(DATA)
    }

    fn write_data(&mut self, byte: u8) {
        port::write_u8(DATA, byte);
    }

    fn read_status(&mut self) -> u8 {
        port::read_u8(STATUS)
    }

    fn write_command(&mut self, byte: u8) {
        port::write_u8(STATUS, byte);
    }
}

fn on_interrupt(_: usize) {
    SCANCODES.with(|codes| {
        while codes.space() > 0 && port::read_u8(STATUS) & OUTPUT_FULL != 0 {
            codes.push_some(&[port::read_u8(DATA)]);
        }
    });
    control::wake();
}

/// Takes what was typed, paints what has changed; true when more waits to be painted.
pub fn exchange() -> bool {
    let mut console = CONSOLE.lock();
    let Some(console) = console.as_mut() else {
        return false;
    };
    while let Some(code) = SCANCODES.with(Queue::pop) {
        console.feed_scancode(code);
    }
    let can_take = port::read_u8(STATUS) & INPUT_FULL == 0;
    if can_take && let Some(command) = console.take_keyboard_command() {
        port::write_u8(DATA, command);
    }
    console.draw(PAINT_BUDGET) > 0
}

/// Runs `body` with the console's writer for failures, where there is a screen.
pub fn write_in_emergency(body: &mut dyn FnMut(&mut dyn Write)) {
    if let Some(mut console) = CONSOLE.try_lock()
        && let Some(console) = console.as_mut()
    {
        body(&mut console.panic_writer());
    }
}

pub fn usage() -> Usage {
    let waiting = SCANCODES.with(|codes| codes.len()) as u64;
    Usage::of("KEYBOARD_SCANCODES_MAX", KEYBOARD_SCANCODES_MAX).used(waiting)
}

/// The screen as a console of the kernel's.
pub struct ScreenHandle;

impl ScreenHandle {
    /// A key of a keyboard that speaks the codes of Linux.
    pub fn on_key(&mut self, event: &InputEvent) {
        Self::with(|console| console.feed_key(event));
    }

    fn with<R: Default>(body: impl FnOnce(&mut ScreenConsole) -> R) -> R {
        CONSOLE.lock().as_mut().map(body).unwrap_or_default()
    }
}

impl Console for ScreenHandle {
    fn name(&self) -> &'static str {
        "screen"
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        Self::with(|console| console.read(buffer))
    }

    fn write_space(&self) -> usize {
        Self::with(|console| console.write_space())
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        Self::with(|console| console.write(bytes))
    }

    fn columns(&self) -> Option<u16> {
        Self::with(|console| console.columns())
    }

    fn view(&self) -> ConsoleView {
        Self::with(|console| console.view())
    }
}
