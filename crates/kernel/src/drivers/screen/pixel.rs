//! Colours as the bytes of a pixel, in whatever format the firmware chose.

use super::palette::Rgb;

pub const PIXEL_BYTES_MAX: usize = 4;

/// Where a pixel keeps its colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PixelFormat {
    /// Red in the lowest byte, then green, then blue.
    Rgb,
    /// Blue in the lowest byte, then green, then red.
    Bgr,
    /// One brightness.
    U8,
    /// The lowest bit of each colour.
    Unknown {
        red_position: u8,
        green_position: u8,
        blue_position: u8,
    },
}

/// A pixel's bytes in memory order; those beyond the format's size are unused.
pub type Pixel = [u8; PIXEL_BYTES_MAX];

impl PixelFormat {
    pub fn encode(self, bytes_per_pixel: usize, colour: Rgb) -> Pixel {
        match (self, bytes_per_pixel) {
            (Self::U8, _) | (_, 1) => [colour.grey(); PIXEL_BYTES_MAX],
            (Self::Rgb, 2) => sixteen_bits(colour, 0, 5, 11),
            (Self::Bgr, 2) => sixteen_bits(colour, 11, 5, 0),
            (Self::Rgb, _) => [colour.0, colour.1, colour.2, 0],
            (Self::Bgr, _) => [colour.2, colour.1, colour.0, 0],
            (
                Self::Unknown {
                    red_position,
                    green_position,
                    blue_position,
                },
                2,
            ) => sixteen_bits(colour, red_position, green_position, blue_position),
            (
                Self::Unknown {
                    red_position,
                    green_position,
                    blue_position,
                },
                _,
            ) => (at(colour.0, red_position)
                | at(colour.1, green_position)
                | at(colour.2, blue_position))
            .to_le_bytes(),
        }
    }
}

/// Two bytes: five bits a colour, and a sixth for green where there is room.
fn sixteen_bits(colour: Rgb, red: u8, green: u8, blue: u8) -> Pixel {
    let next_above_green = [red, blue, 16].into_iter().filter(|&bit| bit > green).min();
    let green_bits = match next_above_green {
        Some(next) if next - green < 6 => 5,
        _ => 6,
    };
    let value =
        at(colour.0 >> 3, red) | at(colour.1 >> (8 - green_bits), green) | at(colour.2 >> 3, blue);
    value.to_le_bytes()
}

/// The value moved to its place; a place outside the pixel shows nothing.
fn at(value: u8, position: u8) -> u32 {
    u32::from(value)
        .checked_shl(u32::from(position))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORANGE: Rgb = Rgb(0xff, 0x80, 0x08);

    #[test]
    fn each_format_keeps_each_colour_in_its_place() {
        assert_eq!(PixelFormat::Rgb.encode(4, ORANGE), [0xff, 0x80, 0x08, 0]);
        assert_eq!(PixelFormat::Bgr.encode(3, ORANGE), [0x08, 0x80, 0xff, 0]);
        assert_eq!(PixelFormat::U8.encode(1, Rgb(255, 255, 255))[0], 255);
        let swapped = PixelFormat::Unknown {
            red_position: 8,
            green_position: 16,
            blue_position: 24,
        };
        assert_eq!(swapped.encode(4, ORANGE), [0, 0xff, 0x80, 0x08]);
    }

    #[test]
    fn two_bytes_hold_565_or_555() {
        let value = |pixel: Pixel| u16::from_le_bytes([pixel[0], pixel[1]]);
        let sixteen = PixelFormat::Bgr.encode(2, ORANGE);
        assert_eq!(value(sixteen), 31 << 11 | 32 << 5 | 1);
        let fifteen = PixelFormat::Unknown {
            red_position: 10,
            green_position: 5,
            blue_position: 0,
        };
        assert_eq!(value(fifteen.encode(2, ORANGE)), 31 << 10 | 16 << 5 | 1);
    }

    #[test]
    fn a_position_outside_the_pixel_does_no_harm() {
        let absurd = PixelFormat::Unknown {
            red_position: 200,
            green_position: 255,
            blue_position: 0,
        };
        for bytes_per_pixel in 1..=4 {
            absurd.encode(bytes_per_pixel, ORANGE);
        }
    }
}
