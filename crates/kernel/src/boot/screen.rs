//! The screen and the keyboard as a console. (Stub.)

use super::description::Description;
use super::start::Missing;
use crate::base::config::Config;
use crate::base::console::{Console, ConsoleView};
use crate::drivers::acpi::Acpi;

pub struct Screen;

pub fn start(_: &Description, _: &Config, _: &Acpi, _: &mut Missing) -> Option<(usize, usize, usize)> {
    None
}

pub fn write_in_emergency(_: &str) {}

impl Console for Screen {
    fn name(&self) -> &'static str { "screen" }
    fn read(&mut self, _: &mut [u8]) -> usize { 0 }
    fn write_space(&self) -> usize { 0 }
    fn write(&mut self, _: &[u8]) -> usize { 0 }
    fn columns(&self) -> Option<u16> { None }
    fn view(&self) -> ConsoleView { ConsoleView::default() }
}
