//! Brings the cells that changed to the framebuffer, so many at a time.
//!
//! It remembers what each place shows, so a full scroll costs what differs
//! between the lines, spread over as many ticks as that takes. A band above the
//! text can be kept free for a panel.

use super::cell::Cell;
use super::dirty::{Dirty, Rectangle};
use super::font::{Font, GLYPH_PIXELS_MAX, SCALE_MAX};
use super::framebuffer::Framebuffer;
use super::palette::{self, BACKGROUND, Rgb};
use super::pixel::{PIXEL_BYTES_MAX, Pixel};
use super::terminal::Terminal;
use crate::limits::{SCREEN_COLUMNS_MAX, SCREEN_ROWS_MAX};
use alloc::vec;
use alloc::vec::Vec;

/// Shades between the colour behind a letter and its own; more cannot be told apart.
const SHADES: usize = 32;
const GLYPH_WIDTH_MAX: usize = 16;

pub struct Painter<M> {
    framebuffer: Framebuffer<M>,
    font: Font,
    columns: usize,
    rows: usize,
    /// Pixels left free at the left, and between the panel and the text.
    margin: usize,
    /// Lines of pixels above the text that belong to a panel.
    band: usize,
    shown: Vec<Cell>,
    /// Where the last call stopped, so that no row waits for ever.
    next_row: usize,
    shades: Shades,
    cells_painted: u64,
    /// What was painted since somebody asked.
    dirty: Dirty,
}

/// The pixels between two colours, kept for the next cell that has the same two.
struct Shades {
    between: Option<(Rgb, Rgb)>,
    pixels: [Pixel; SHADES],
}

impl<M: AsMut<[u8]>> Painter<M> {
    /// Paints the margins; the cells follow with the first calls of `paint`. A band of
    /// `panel_rows` rows of text is left to a panel.
    pub fn new(framebuffer: Framebuffer<M>, panel_rows: usize) -> Self {
        let geometry = *framebuffer.geometry();
        let font = Font::for_display(geometry.width, geometry.height);
        let margin = font.cell_width();
        let band = match panel_rows {
            0 => 0,
            // Half a row above and below them.
            rows => (rows + 1) * font.cell_height(),
        };
        let fit = |pixels: usize, cell: usize, most: usize| {
            (pixels.saturating_sub(2 * margin) / cell).clamp(1, most)
        };
        let columns = fit(geometry.width, font.cell_width(), SCREEN_COLUMNS_MAX);
        let rows = fit(geometry.height - band, font.cell_height(), SCREEN_ROWS_MAX);
        let mut painter = Self {
            framebuffer,
            font,
            columns,
            rows,
            margin,
            band,
            shown: vec![Cell::UNPAINTED; columns * rows],
            next_row: 0,
            shades: Shades {
                between: None,
                pixels: [[0; PIXEL_BYTES_MAX]; SHADES],
            },
            cells_painted: 0,
            dirty: Dirty::default(),
        };
        painter.paint_margins(geometry.width, geometry.height);
        painter.dirty.add_all(geometry.width, geometry.height);
        painter
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cells_painted(&self) -> u64 {
        self.cells_painted
    }

    pub fn framebuffer(&self) -> &Framebuffer<M> {
        &self.framebuffer
    }

    fn paint_margins(&mut self, width: usize, height: usize) {
        let ground = palette::rgb(BACKGROUND);
        let right = self.margin + self.columns * self.font.cell_width();
        let top = self.band + self.margin;
        let bottom = top + self.rows * self.font.cell_height();
        let framebuffer = &mut self.framebuffer;
        framebuffer.fill(0, self.band, width, self.margin, ground);
        framebuffer.fill(0, bottom, width, height, ground);
        framebuffer.fill(0, top, self.margin, bottom - top, ground);
        framebuffer.fill(right, top, width, bottom - top, ground);
    }

    /// Paints at most `cells_max` cells; 0 means that all is shown, else at most
    /// so many cells wait.
    pub fn paint(&mut self, terminal: &mut Terminal, cells_max: usize) -> usize {
        let cursor = terminal.visible_cursor();
        let mut budget = cells_max;
        for _ in 0..self.rows {
            let row = self.next_row;
            if terminal.grid().is_changed(row) {
                let cursor_column = cursor.filter(|place| place.0 == row).map(|place| place.1);
                let cells = terminal.grid().visible_row(row);
                if !self.paint_row(row, cells, cursor_column, &mut budget) {
                    break;
                }
                terminal.grid_mut().mark_painted(row);
            }
            self.next_row = (row + 1) % self.rows;
        }
        terminal.grid().changed_rows() * self.columns
    }

    /// Says whether all of the row is shown.
    fn paint_row(
        &mut self,
        row: usize,
        cells: &[Cell],
        cursor_column: Option<usize>,
        budget: &mut usize,
    ) -> bool {
        for (column, &cell) in cells.iter().enumerate() {
            let wanted = if cursor_column == Some(column) {
                cell.under_cursor()
            } else {
                cell
            };
            let place = row * self.columns + column;
            if self.shown[place] == wanted {
                continue;
            }
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            self.paint_cell(row, column, wanted);
            self.shown[place] = wanted;
        }
        true
    }

    fn paint_cell(&mut self, row: usize, column: usize, cell: Cell) {
        self.cells_painted += 1;
        let (front, behind) = if cell.is_under_cursor() {
            (palette::rgb(BACKGROUND), palette::CURSOR)
        } else {
            (
                palette::rgb(cell.foreground()),
                palette::ground(cell.background(), cell.foreground()),
            )
        };
        let x = self.margin + column * self.font.cell_width();
        let y = self.band + self.margin + row * self.font.cell_height();
        self.draw_at(x, y, cell, front, behind);
    }

    /// Draws the character of a cell with its upper left corner there.
    pub(super) fn draw_at(&mut self, x: usize, y: usize, cell: Cell, front: Rgb, behind: Rgb) {
        self.shades.set(&self.framebuffer, behind, front);
        let mut buffer = [0; GLYPH_PIXELS_MAX];
        let coverage = self.font.draw(
            cell.character(),
            cell.is_bold(),
            cell.is_underlined(),
            &mut buffer,
        );
        let scale = self.font.scale();
        let bytes_per_pixel = self.framebuffer.geometry().bytes_per_pixel;
        let mut run = [0; GLYPH_WIDTH_MAX * SCALE_MAX * PIXEL_BYTES_MAX];
        let mut line_y = y;
        for line in coverage.chunks_exact(self.font.glyph_width()) {
            // The size is known to the compiler in each arm, so a pixel is one move.
            match bytes_per_pixel {
                1 => self.shades.expand::<1>(line, scale, &mut run),
                2 => self.shades.expand::<2>(line, scale, &mut run),
                3 => self.shades.expand::<3>(line, scale, &mut run),
                _ => self.shades.expand::<4>(line, scale, &mut run),
            }
            let length = line.len() * scale * bytes_per_pixel;
            for _ in 0..scale {
                self.framebuffer.write_run(x, line_y, &run[..length]);
                line_y += 1;
            }
        }
        let (width, height) = (self.font.cell_width(), self.font.cell_height());
        self.note_painted(x, y, width, height);
    }

    /// Colours a rectangle of the panel's band.
    pub(super) fn fill_band(&mut self, y: usize, height: usize, colour: Rgb) {
        let width = self.framebuffer.geometry().width;
        self.framebuffer.fill(0, y, width, height, colour);
        self.note_painted(0, y, width, height);
    }

    fn note_painted(&mut self, x: usize, y: usize, width: usize, height: usize) {
        let display = self.framebuffer.geometry();
        let right = (x + width).min(display.width);
        let bottom = (y + height).min(display.height);
        let is_panel = y < self.band;
        let rectangle = Rectangle {
            x,
            y,
            width: right.saturating_sub(x),
            height: bottom.saturating_sub(y),
        };
        self.dirty.add(is_panel, rectangle);
    }

    /// What was painted since the last call.
    pub fn take_dirty(&mut self) -> Dirty {
        core::mem::take(&mut self.dirty)
    }

    pub const fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) const fn font(&self) -> &Font {
        &self.font
    }

    pub(super) const fn margin(&self) -> usize {
        self.margin
    }

    pub(super) const fn band(&self) -> usize {
        self.band
    }

    /// Gives the display's memory back.
    pub fn into_memory(self) -> M {
        self.framebuffer.into_memory()
    }
}

impl Shades {
    fn set<M: AsMut<[u8]>>(&mut self, framebuffer: &Framebuffer<M>, behind: Rgb, front: Rgb) {
        if self.between == Some((behind, front)) {
            return;
        }
        self.between = Some((behind, front));
        for (step, pixel) in self.pixels.iter_mut().enumerate() {
            let colour = behind.towards(front, step as u32, SHADES as u32 - 1);
            *pixel = framebuffer.encode(colour);
        }
    }

    /// The pixels of a line of a letter, each `scale` times.
    fn expand<const BYTES: usize>(&self, line: &[u8], scale: usize, run: &mut [u8]) {
        let (places, _) = run.as_chunks_mut::<BYTES>();
        for (group, &covered) in places.chunks_exact_mut(scale).zip(line) {
            let pixel = &self.pixels[usize::from(covered) * SHADES / 256];
            if let Some(pixel) = pixel.first_chunk::<BYTES>() {
                group.fill(*pixel);
            }
        }
    }
}
