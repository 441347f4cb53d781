//! What the driven devices give to the floors above.

use super::Devices;
use crate::base::config::Keymap;
use crate::base::console::Console;
use crate::base::disk::Disk;
use crate::base::display::Display;
use crate::base::input::{InputClass, InputEvent};
use crate::drivers::devices::driver::Driver;
use crate::drivers::virtio::{block, console, entropy, gpu, input};
use crate::limits::{ENTROPY_SOURCES_MAX, INPUT_DEVICES_MAX};

impl Devices {
    /// Disk `index`; its place stays empty while it is unplugged.
    pub fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        self.of_kind(block::KIND, index)?.disk()
    }

    /// The virtio console with its port 0.
    pub fn console(&mut self) -> Option<&mut dyn Console> {
        self.of_kind(console::KIND, 0)?.console()
    }

    /// The virtual display, once something can be shown on it.
    pub fn display(&mut self) -> Option<&mut dyn Display> {
        self.of_kind(gpu::KIND, 0)?.display()
    }

    /// Bytes that nobody can guess; false when no device has so many ready.
    pub fn entropy(&mut self, bytes: &mut [u8]) -> bool {
        (0..ENTROPY_SOURCES_MAX).any(|place| {
            let driver = self.of_kind(entropy::KIND, place);
            let source = driver.and_then(|driver| driver.entropy());
            source.is_some_and(|source| source.take(bytes))
        })
    }

    /// Is there a device that makes random bytes?
    pub fn has_entropy(&mut self) -> bool {
        (0..ENTROPY_SOURCES_MAX).any(|place| {
            let driver = self.of_kind(entropy::KIND, place);
            driver.is_some_and(|driver| driver.entropy().is_some())
        })
    }

    /// Gives keys to the display, where there is one, and all else to `other`; keys, too,
    /// where there is none.
    pub fn route_input(&mut self, keymap: Keymap, other: &mut dyn FnMut(&InputEvent)) {
        if let Some(display) = self.display() {
            display.set_keymap(keymap);
        }
        for place in 0..INPUT_DEVICES_MAX {
            while let Some(event) = self.next_input(place) {
                match self.display() {
                    Some(display) if event.class() == InputClass::Keyboard => {
                        display.on_key(&event)
                    }
                    _ => other(&event),
                }
            }
        }
        let lights = self.display().and_then(|display| display.take_lights());
        let Some(lights) = lights else {
            return;
        };
        for place in 0..INPUT_DEVICES_MAX {
            let driver = self.of_kind(input::KIND, place);
            if let Some(device) = driver.and_then(Driver::input) {
                device.set_lights(lights);
            }
        }
    }

    fn next_input(&mut self, place: usize) -> Option<InputEvent> {
        self.of_kind(input::KIND, place)?.input()?.next_event()
    }
}
