//! Virtio GPUs in two dimensions (virtio 1.2, 5.7): a text console.
//!
//! One picture in memory of ours is the backing of one resource of the device. What
//! was painted is transferred and shown, and nothing else of the picture.
//!
//! Invariants: the picture's memory is given back only when the device has forgotten
//! its resource, or can reach no memory any more; nothing is asked while the device
//! owes an answer.

mod command;
mod picture;
mod scanout;
#[cfg(test)]
mod tests;

use super::features::EVENT_INDEX;
use super::lie::DeviceLie;
use super::negotiation;
use super::queue::{Queue, QueueView};
use super::transport::{StartError, Transport};
use crate::base::config::Keymap;
use crate::base::console::Console;
use crate::base::display::{Display, DisplayView};
use crate::base::input::{InputEvent, KeyboardLights};
use crate::base::panel::PanelItems;
use crate::base::time::{Duration, Instant};
use crate::drivers::devices::driver::{Driver, Event};
use crate::drivers::screen::TextConsole;
use crate::limits::GPU_COMMANDS_MAX;
use alloc::boxed::Box;
use command::{Command, Size};
use picture::Picture;
use scanout::{Scanout, Step};

pub const KIND: u16 = 16;

const CONTROL_QUEUE: u16 = 0;
/// A command and its answer have an entry each.
const QUEUE_ENTRIES: u16 = 2 * GPU_COMMANDS_MAX as u16;
const NAME: &str = "display";
/// Shown no more often, for nobody sees more.
const SHOW_EVERY: Duration = Duration::from_millis(16);
/// Until the display's size is known.
const COLUMNS: usize = 80;
const ROWS: usize = 25;
/// Tried one after the other when a display is too large for the memory or too small for a text.
const OTHER_SIZES: [Size; 2] = [
    Size {
        width: 1024,
        height: 768,
    },
    Size {
        width: 640,
        height: 480,
    },
];

pub struct GpuDriver {
    text: TextConsole,
    picture: Option<Picture>,
    scanout: Option<Scanout>,
    view: DisplayView,
    show_at: Instant,
}

impl GpuDriver {
    pub fn new() -> Self {
        Self {
            text: TextConsole::new(NAME, COLUMNS, ROWS, Keymap::Us),
            picture: None,
            scanout: None,
            view: DisplayView::default(),
            show_at: Instant::ZERO,
        }
    }

    /// Does what comes next, once the device owes no answer.
    fn go_on(&mut self, now: Instant) {
        let Some(scanout) = self.scanout.as_mut().filter(|scanout| scanout.is_idle()) else {
            return;
        };
        match scanout.take_step() {
            Step::Ask => scanout.send(&[Command::DisplayInfo]),
            Step::Fit(size) => self.fit(size),
            Step::Replace(size) => {
                self.give_up_picture();
                self.fit(size);
            }
            Step::Attach => {
                if let Some(picture) = &self.picture {
                    scanout.send(&[picture.attach()]);
                }
            }
            Step::Show => {
                if let Some(picture) = &self.picture {
                    scanout.send(&[picture.scanout()]);
                }
            }
            Step::Shrink => {
                let had = self
                    .picture
                    .as_ref()
                    .map(|picture| (picture.wanted(), picture.size()));
                self.give_up_picture();
                if let Some((wanted, size)) = had {
                    self.make_picture(wanted, size.bytes());
                }
            }
            Step::Off if self.picture.is_some() => scanout.become_shown(),
            Step::Off | Step::Dark => scanout.become_dark(),
            Step::Shown => self.maybe_show(now),
        }
    }

    /// Makes the picture that the display wants, unless it is there already.
    fn fit(&mut self, wanted: Size) {
        let Some(scanout) = &mut self.scanout else {
            return;
        };
        match &self.picture {
            Some(picture) if picture.wanted() == wanted => scanout.become_shown(),
            // The device forgets it before its memory is used for anything else.
            Some(picture) => scanout.send_and_then(&[picture.forget()], Step::Replace(wanted)),
            None => self.make_picture(wanted, u64::MAX),
        }
    }

    /// Makes a picture of that size, or the next best of fewer bytes than `below`.
    fn make_picture(&mut self, wanted: Size, below: u64) {
        let Some(scanout) = &mut self.scanout else {
            return;
        };
        let resource = scanout.next_resource();
        let sizes = [wanted].into_iter().chain(OTHER_SIZES);
        let mut fitting = sizes.filter(|size| size.bytes() < below);
        let Some(picture) = fitting.find_map(|size| Picture::new(wanted, size, resource)) else {
            return scanout.become_dark();
        };
        self.text.resize(picture.columns(), picture.rows());
        let size = picture.size();
        self.view.resizes += u64::from(self.view.width > 0);
        self.view.width = size.width as usize;
        self.view.height = size.height as usize;
        self.view.columns = picture.columns();
        self.view.rows = picture.rows();
        scanout.send_and_then(&[picture.create()], Step::Attach);
        self.picture = Some(picture);
    }

    fn give_up_picture(&mut self) {
        if let Some(picture) = self.picture.take() {
            picture.release();
        }
    }

    /// Moves what was painted to the device and shows it.
    fn maybe_show(&mut self, now: Instant) {
        let (Some(scanout), Some(picture)) = (&mut self.scanout, &mut self.picture) else {
            return;
        };
        if now < self.show_at || !picture.is_dirty() {
            return;
        }
        self.show_at = now + SHOW_EVERY;
        let parts = picture.take_dirty();
        for part in parts.rectangles() {
            scanout.send(&picture.show(part));
            self.view.rectangles += 1;
            self.view.pixels += (part.width * part.height) as u64;
        }
    }
}

impl Default for GpuDriver {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for GpuDriver {
    fn name(&self) -> &'static str {
        "virtio-gpu"
    }

    fn label(&self) -> &'static str {
        NAME
    }

    fn attach(
        &mut self,
        mut transport: Box<dyn Transport>,
        now: Instant,
    ) -> Result<(), StartError> {
        let features = negotiation::negotiate(transport.as_mut(), EVENT_INDEX, &[])?;
        scanout::check_config(transport.as_mut())?;
        let has_event_index = features & EVENT_INDEX != 0;
        let queue = Queue::start(
            transport.as_mut(),
            CONTROL_QUEUE,
            QUEUE_ENTRIES,
            has_event_index,
        )?;
        if queue.size() < QUEUE_ENTRIES {
            return Err(StartError::Lacks("a queue of 8 entries"));
        }
        let scanout = Scanout::new(transport, queue)?;
        self.scanout = Some(scanout);
        self.go_on(now);
        Ok(())
    }

    fn poll(&mut self, now: Instant, event: Event) -> Result<(), DeviceLie> {
        let Some(scanout) = self
            .scanout
            .as_mut()
            .filter(|scanout| !scanout.is_stopped())
        else {
            return Ok(());
        };
        if event.has_config_changed {
            scanout.on_config_changed();
        }
        while let Some((command, answer)) = scanout.next_answer()? {
            scanout.on_answer(command, answer);
        }
        self.go_on(now);
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let scanout = self.scanout.as_ref()?;
        let is_waiting = scanout.is_idle() && scanout.is_shown();
        let is_dirty = self.picture.as_ref().is_some_and(Picture::is_dirty);
        (is_waiting && is_dirty).then_some(self.show_at)
    }

    fn stop(&mut self) {
        if let Some(scanout) = &mut self.scanout {
            scanout.stop();
        }
    }

    fn reclaim(&mut self) {
        self.scanout = None;
        self.give_up_picture();
    }

    fn visit_queues(&self, visit: &mut dyn FnMut(&QueueView)) {
        if let Some(scanout) = &self.scanout {
            visit(&scanout.queue_view());
        }
    }

    fn display(&mut self) -> Option<&mut dyn Display> {
        let is_shown = self.scanout.is_some() && self.picture.is_some();
        is_shown.then_some(self)
    }
}

impl Display for GpuDriver {
    fn text(&mut self) -> &mut dyn Console {
        &mut self.text
    }

    fn set_keymap(&mut self, keymap: Keymap) {
        self.text.set_keymap(keymap);
    }

    fn on_key(&mut self, event: &InputEvent) {
        self.text.feed_key(event);
    }

    fn take_lights(&mut self) -> Option<KeyboardLights> {
        self.text.take_lights()
    }

    fn show_panel(&mut self, items: &PanelItems) {
        if let Some(picture) = &mut self.picture {
            picture.show_panel(items);
        }
    }

    fn draw(&mut self, now: Instant, cells_max: usize) -> bool {
        let Some(picture) = &mut self.picture else {
            return false;
        };
        let waiting = picture.paint(&mut self.text, cells_max);
        self.go_on(now);
        waiting > 0
    }

    fn view(&self) -> DisplayView {
        self.view
    }
}
