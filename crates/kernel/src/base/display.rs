//! What a machine gives as a display: a console on it, and a panel above.

use crate::base::config::Keymap;
use crate::base::console::Console;
use crate::base::input::{InputEvent, KeyboardLights};
use crate::base::panel::PanelItems;
use crate::base::time::Instant;

pub trait Display {
    fn text(&mut self) -> &mut dyn Console;

    fn set_keymap(&mut self, keymap: Keymap);

    /// A key was pressed or let go at a keyboard that belongs to the display.
    fn on_key(&mut self, event: &InputEvent);

    /// The lights for its keyboards, once for each change.
    fn take_lights(&mut self) -> Option<KeyboardLights>;

    fn show_panel(&mut self, items: &PanelItems);

    /// Brings at most `cells_max` changed cells to the display; true when more wait.
    fn draw(&mut self, now: Instant, cells_max: usize) -> bool;

    fn view(&self) -> DisplayView;
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct DisplayView {
    pub width: usize,
    pub height: usize,
    pub columns: usize,
    pub rows: usize,
    /// Rectangles that were shown since boot, and their pixels.
    pub rectangles: u64,
    pub pixels: u64,
    /// Times that the display had another size.
    pub resizes: u64,
}
