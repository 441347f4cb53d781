//! Reads the text off a screendump, as a person would: by the shapes of the letters.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use xtask::deadline::Deadline;
use xtask::qemu::Machine;
use xtask::workspace;

/// Darker letters than this on their ground are not letters.
const CONTRAST_MIN: u8 = 40;
/// The mean squared difference of a pixel's coverage beyond which no letter is recognised.
const DIFFERENCE_MAX: u32 = 2500;
const DUMP_WITHIN: Duration = Duration::from_secs(20);

/// A picture of the screen, in grey.
pub struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads a picture in the format PPM, with three bytes a pixel.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Picture> {
        let mut rest = bytes;
        let mut word = || {
            let end = rest.iter().position(u8::is_ascii_whitespace)?;
            let word = std::str::from_utf8(&rest[..end]).ok();
            rest = &rest[end + 1..];
            word
        };
        let header = [word(), word(), word(), word()].map(Option::unwrap_or_default);
        let (width, height): (usize, usize) = (header[1].parse()?, header[2].parse()?);
        if header[0] != "P6" || header[3] != "255" || rest.len() < width * height * 3 {
            bail!("the screendump is no PPM picture of {width}x{height}");
        }
        // The brightest part counts, so that a red letter is as much a letter as a white one.
        let grey = |pixel: &[u8]| pixel.iter().copied().max().unwrap_or_default();
        Ok(Picture {
            width,
            pixels: rest.chunks_exact(3).map(grey).collect(),
        })
    }

    /// The text, line by line without the blanks at its end.
    pub fn text(&self) -> String {
        let readings = [
            RasterHeight::Size16,
            RasterHeight::Size20,
            RasterHeight::Size24,
        ]
        .map(|size| self.read(size));
        // In a wrong size, almost nothing looks like a letter.
        let best = readings
            .into_iter()
            .max_by_key(|text| text.chars().filter(char::is_ascii_graphic).count());
        best.unwrap_or_default()
    }

    /// The text in letters of this size, in a grid that begins a letter's width from the left and from the top.
    fn read(&self, size: RasterHeight) -> String {
        let cell_width = get_raster_width(FontWeight::Regular, size);
        let cell_height = size.val();
        let margin = cell_width;
        let height = self.pixels.len() / self.width.max(1);
        let letters: Vec<(char, Vec<u8>)> = (' '..='~')
            .filter_map(|letter| {
                let raster = get_raster(letter, FontWeight::Regular, size)?;
                Some((letter, raster.pixels().to_vec()))
            })
            .collect();
        let mut known: HashMap<Vec<u8>, char> = HashMap::new();
        let mut text = String::new();
        for top in (margin..(height + 1).saturating_sub(margin + cell_height)).step_by(cell_height)
        {
            let mut line = String::new();
            for left in
                (margin..(self.width + 1).saturating_sub(margin + cell_width)).step_by(cell_width)
            {
                let cell: Vec<u8> = (top..top + cell_height)
                    .flat_map(|y| &self.pixels[y * self.width + left..][..cell_width])
                    .copied()
                    .collect();
                line.push(
                    *known
                        .entry(cell)
                        .or_insert_with_key(|cell| recognise(cell, &letters)),
                );
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The letter that a cell shows, or the replacement character.
fn recognise(cell: &[u8], letters: &[(char, Vec<u8>)]) -> char {
    let low = cell.iter().copied().min().unwrap_or_default();
    let high = cell.iter().copied().max().unwrap_or_default();
    let contrast = high - low;
    if contrast < CONTRAST_MIN {
        return ' ';
    }
    let coverage: Vec<u8> = cell
        .iter()
        .map(|grey| (u32::from(grey - low) * 255 / u32::from(contrast)) as u8)
        .collect();
    let difference = |letter: &[u8]| -> u32 {
        let squares = coverage
            .iter()
            .zip(letter)
            .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2));
        squares.sum::<u32>() / cell.len() as u32
    };
    letters
        .iter()
        .map(|(letter, shape)| (difference(shape), *letter))
        .min()
        .filter(|(difference, _)| *difference <= DIFFERENCE_MAX)
        .map_or(char::REPLACEMENT_CHARACTER, |(_, letter)| letter)
}

/// Waits until the screen shows all of these texts, and returns all that it shows; keeps a picture of it under
/// `target/xtask/screens`.
pub fn wait_for_text(
    machine: &mut Machine,
    wanted: &[&str],
    name: &str,
    within: Duration,
) -> anyhow::Result<String> {
    let directory = workspace::cache().join("screens");
    std::fs::create_dir_all(&directory)?;
    let (dump, kept) = (
        directory.join(format!("{name}.ppm")),
        directory.join(format!("{name}.png")),
    );
    let deadline = Deadline::after(within);
    loop {
        let is_over = deadline.is_over();
        // QEMU answers when the file is written, so this is the pace of the loop; it never spins.
        let answer = machine
            .qmp()
            .screendump(&dump, Deadline::after(DUMP_WITHIN));
        answer.context("the screen cannot be dumped")?;
        let seen = Picture::parse(&std::fs::read(&dump)?)?.text();
        if wanted.iter().all(|wanted| seen.contains(wanted)) {
            keep(machine, &dump, &kept)?;
            return Ok(seen);
        }
        if is_over {
            keep(machine, &dump, &kept)?;
            bail!(
                "the screen does not show {wanted:?} ({}); it shows:\n{seen}",
                kept.display()
            );
        }
    }
}

fn keep(machine: &mut Machine, dump: &Path, kept: &Path) -> anyhow::Result<()> {
    machine
        .qmp()
        .screendump(kept, Deadline::after(DUMP_WITHIN))?;
    Ok(std::fs::remove_file(dump)?)
}

/// Types a line on the machine's keyboard.
pub fn type_line(machine: &mut Machine, line: &str) -> anyhow::Result<()> {
    for letter in line.chars().chain(['\n']) {
        let key = match letter {
            'a'..='z' | '0'..='9' => letter.to_string(),
            ' ' => "spc".to_string(),
            '-' => "minus".to_string(),
            '\n' => "ret".to_string(),
            other => bail!("no key is known for {other:?}"),
        };
        machine
            .qmp()
            .send_keys(&[&key], Deadline::after(DUMP_WITHIN))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paints as a screen would: blue letters on a dark ground.
    fn paint(lines: &[&str], size: RasterHeight, width: usize, height: usize) -> Vec<u8> {
        let mut pixels = vec![[10, 12, 14]; width * height];
        let cell_width = get_raster_width(FontWeight::Regular, size);
        for (row, line) in lines.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                let raster = get_raster(letter, FontWeight::Regular, size).unwrap();
                for (y, values) in raster.pixels().chunks(cell_width).enumerate() {
                    for (x, value) in values.iter().enumerate() {
                        let at = (cell_width + row * size.val() + y) * width
                            + cell_width * (column + 1)
                            + x;
                        pixels[at][2] = 14 + (u32::from(*value) * 200 / 255) as u8;
                    }
                }
            }
        }
        let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
        bytes.extend(pixels.concat());
        bytes
    }

    #[test]
    fn painted_text_is_read_in_every_size() {
        for size in [
            RasterHeight::Size16,
            RasterHeight::Size20,
            RasterHeight::Size24,
        ] {
            let lines = ["rayos> version", "", "0123456789 {}[]()", "Il1|O0 .,:;"];
            let text = Picture::parse(&paint(&lines, size, 640, 240))
                .unwrap()
                .text();
            assert_eq!(text.lines().take(4).collect::<Vec<_>>(), lines);
        }
    }

    #[test]
    fn an_empty_screen_has_no_text() {
        let text = Picture::parse(&paint(&[], RasterHeight::Size16, 320, 200))
            .unwrap()
            .text();
        assert_eq!(text.trim(), "");
    }

    #[test]
    fn a_broken_picture_is_an_error() {
        for bytes in [&b""[..], b"P6\n2 2\n255\nxx", b"P5\n1 1\n255\nxxx"] {
            assert!(Picture::parse(bytes).is_err());
        }
    }
}
