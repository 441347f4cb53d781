//! The band above the text: names in a row, and below them their values.

use super::cell::{Cell, Style};
use super::painter::Painter;
use super::palette::Rgb;
use crate::base::panel::{PANEL_ITEMS, PanelItems};
use alloc::vec;
use alloc::vec::Vec;

/// Rows of text in it; half a row is free above and below them.
pub const PANEL_ROWS: usize = 2;

const GROUND: Rgb = Rgb(0x1e, 0x2a, 0x38);
const EDGE: Rgb = Rgb(0xe6, 0xb4, 0x50);
const EDGE_PIXELS: usize = 2;
const LABEL: Rgb = Rgb(0x8c, 0x9b, 0xad);
const VALUE: Rgb = Rgb(0xf2, 0xf5, 0xf8);
const UNKNOWN: Rgb = Rgb(0x7d, 0x88, 0x96);

/// What the band shows, so that only what differs is painted.
pub struct Panel {
    shown: Vec<(char, Rgb)>,
}

impl Panel {
    /// Paints the band, which is empty as yet.
    pub fn new<M: AsMut<[u8]>>(painter: &mut Painter<M>) -> Self {
        let edge = painter.band().saturating_sub(EDGE_PIXELS);
        painter.fill_band(0, edge, GROUND);
        painter.fill_band(edge, EDGE_PIXELS, EDGE);
        Self {
            shown: vec![(' ', VALUE); painter.columns() * PANEL_ROWS],
        }
    }

    pub fn show<M: AsMut<[u8]>>(&mut self, items: &PanelItems, painter: &mut Painter<M>) {
        let width = painter.columns() / PANEL_ITEMS;
        for (index, item) in items.iter().enumerate() {
            let column = index * width;
            self.write(0, column, width, item.label, LABEL, painter);
            match &item.value {
                Some(value) => self.write(1, column, width, value, VALUE, painter),
                None => self.write(1, column, width, "unknown", UNKNOWN, painter),
            }
        }
    }

    /// Writes a text into `width` cells; what is too long ends in a dot, and one cell stays free.
    fn write<M: AsMut<[u8]>>(
        &mut self,
        row: usize,
        column: usize,
        width: usize,
        text: &str,
        colour: Rgb,
        painter: &mut Painter<M>,
    ) {
        let room = width.saturating_sub(1);
        let is_cut = text.chars().count() > room;
        let mut characters = text.chars();
        for index in 0..width {
            let character = match characters.next() {
                Some(_) if index >= room => ' ',
                Some(_) if is_cut && index + 1 == room => '.',
                Some(character) => character,
                None => ' ',
            };
            self.put(row, column + index, character, colour, painter);
        }
    }

    fn put<M: AsMut<[u8]>>(
        &mut self,
        row: usize,
        column: usize,
        character: char,
        colour: Rgb,
        painter: &mut Painter<M>,
    ) {
        let Some(shown) = self.shown.get_mut(row * painter.columns() + column) else {
            return;
        };
        let is_same_blank = character == ' ' && shown.0 == ' ';
        if is_same_blank || *shown == (character, colour) {
            return;
        }
        *shown = (character, colour);
        let (width, height) = (painter.font().cell_width(), painter.font().cell_height());
        let x = painter.margin() + column * width;
        let y = painter.margin() + row * height;
        let cell = Cell::new(character, Style::PLAIN);
        painter.draw_at(x, y, cell, colour, GROUND);
    }
}
