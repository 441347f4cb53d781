//! The letters: Noto Sans Mono in three sizes, and what is made from them.
//!
//! Only the regular weight is in the kernel; bold is made by widening its
//! strokes, and a few signs that the font lacks by laying two letters over one another.

use super::drawn::{self, Canvas};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Pixels of the largest letter.
pub const GLYPH_PIXELS_MAX: usize = 24 * 16;

/// Signs that the font lacks, and the letters that lie over one another instead.
const COMPOSED: [(char, &str); 11] = [
    ('€', "C="),
    ('≠', "=/"),
    ('≤', "<_"),
    ('≥', ">_"),
    ('–', "-"),
    ('—', "-"),
    ('−', "-"),
    ('‘', "'"),
    ('’', "'"),
    ('“', "\""),
    ('”', "\""),
];

#[derive(Clone, Copy, Debug)]
pub struct Font {
    raster: RasterHeight,
    /// Pixels of the display for one of the font, each way.
    scale: usize,
}

impl Font {
    /// The size that gives a full screen of comfortable text.
    pub fn for_display(width: usize, height: usize) -> Self {
        let raster = match width {
            ..1024 => RasterHeight::Size16,
            1024..1600 => RasterHeight::Size20,
            _ => RasterHeight::Size24,
        };
        let scale = (width / 1920).min(height / 1080).clamp(1, SCALE_MAX);
        Self { raster, scale }
    }

    pub fn glyph_width(&self) -> usize {
        get_raster_width(FontWeight::Regular, self.raster)
    }

    pub fn glyph_height(&self) -> usize {
        self.raster.val()
    }

    pub fn scale(&self) -> usize {
        self.scale
    }

    pub fn cell_width(&self) -> usize {
        self.glyph_width() * self.scale
    }

    pub fn cell_height(&self) -> usize {
        self.glyph_height() * self.scale
    }

    /// How much of each pixel the character covers, line by line from the top.
    pub fn draw<'a>(
        &self,
        character: char,
        is_bold: bool,
        is_underlined: bool,
        buffer: &'a mut [u8; GLYPH_PIXELS_MAX],
    ) -> &'a [u8] {
        let (width, height) = (self.glyph_width(), self.glyph_height());
        let pixels = &mut buffer[..width * height];
        if !self.draw_letter(character, pixels) {
            let mut canvas = Canvas {
                width,
                height,
                pixels,
            };
            if !drawn::draw(character, &mut canvas) && !self.draw_composed(character, canvas.pixels)
            {
                drawn::draw_missing(&mut canvas);
            }
        } else if is_bold {
            embolden(pixels, width);
        }
        if is_underlined {
            let line = height - height / 8;
            pixels[line * width..(line + 1) * width].fill(255);
        }
        pixels
    }

    fn draw_letter(&self, character: char, pixels: &mut [u8]) -> bool {
        let Some(raster) = get_raster(character, FontWeight::Regular, self.raster) else {
            return false;
        };
        pixels.copy_from_slice(raster.pixels());
        true
    }

    fn draw_composed(&self, character: char, pixels: &mut [u8]) -> bool {
        let Some((_, letters)) = COMPOSED.iter().find(|(sign, _)| *sign == character) else {
            return false;
        };
        pixels.fill(0);
        for letter in letters.chars() {
            if let Some(raster) = get_raster(letter, FontWeight::Regular, self.raster) {
                for (pixel, &coverage) in pixels.iter_mut().zip(raster.pixels()) {
                    *pixel = (*pixel).max(coverage);
                }
            }
        }
        true
    }
}

/// Beyond this the letters would be larger than anybody reads.
pub const SCALE_MAX: usize = 4;

/// Widens each stroke by most of a pixel.
fn embolden(pixels: &mut [u8], width: usize) {
    for line in pixels.chunks_exact_mut(width) {
        for x in (1..width).rev() {
            let from_left = (u16::from(line[x - 1]) * 3 / 4) as u8;
            line[x] = line[x].saturating_add(from_left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_buffer() {
        for (width, height) in [(320, 200), (1024, 768), (1920, 1080), (7680, 4320)] {
            let font = Font::for_display(width, height);
            assert!(font.glyph_width() * font.glyph_height() <= GLYPH_PIXELS_MAX);
        }
        assert_eq!(Font::for_display(3840, 2160).scale(), 2);
        assert_eq!(Font::for_display(100_000, 100_000).scale(), SCALE_MAX);
    }

    #[test]
    fn every_letter_that_layouts_type_has_a_picture_of_its_own() {
        let font = Font::for_display(640, 480);
        let picture = |character| {
            let mut buffer = [0; GLYPH_PIXELS_MAX];
            font.draw(character, false, false, &mut buffer).to_vec()
        };
        let missing = picture('\u{4e00}');
        for character in (' '..='~')
            .chain('\u{a1}'..='\u{ff}')
            .chain("€…→─│┼═╬█".chars())
        {
            if character != '\u{ad}' {
                assert_ne!(picture(character), missing, "{character}");
            }
        }
    }

    #[test]
    fn lines_of_a_box_reach_the_edges_of_their_cell() {
        for (width, height) in [(320, 200), (1024, 768), (1920, 1080)] {
            let font = Font::for_display(width, height);
            let mut buffer = [0; GLYPH_PIXELS_MAX];
            let columns = font.glyph_width();
            for character in "┼╋╬█".chars() {
                let pixels = font.draw(character, true, false, &mut buffer);
                let lines: std::vec::Vec<&[u8]> = pixels.chunks_exact(columns).collect();
                assert!(lines[0].contains(&255) && lines[lines.len() - 1].contains(&255));
                assert!(lines.iter().any(|line| line[0] == 255));
                assert!(lines.iter().any(|line| line[columns - 1] == 255));
            }
        }
    }
}
