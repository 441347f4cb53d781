//! The sixteen colours of the screen, calm ones on a dark ground.

/// Red, green and blue, 0 to 255 each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Index of a colour in the palette, as escape sequences count: 0 to 15.
pub type Colour = u8;

pub const BACKGROUND: Colour = 0;
pub const FOREGROUND: Colour = 7;

/// The block that shows where the next character goes.
pub const CURSOR: Rgb = Rgb(0xe6, 0xb4, 0x50);

const COLOURS: [Rgb; 16] = [
    Rgb(0x12, 0x17, 0x1f),
    Rgb(0xd9, 0x6c, 0x75),
    Rgb(0x8f, 0xbf, 0x7f),
    Rgb(0xd9, 0xae, 0x6c),
    Rgb(0x6c, 0x9f, 0xd9),
    Rgb(0xb2, 0x8c, 0xd9),
    Rgb(0x6c, 0xbf, 0xc2),
    Rgb(0xc5, 0xcd, 0xd6),
    Rgb(0x7d, 0x88, 0x96),
    Rgb(0xf0, 0x8a, 0x92),
    Rgb(0xad, 0xdb, 0x9c),
    Rgb(0xf2, 0xcc, 0x8f),
    Rgb(0x8f, 0xbd, 0xf2),
    Rgb(0xcd, 0xac, 0xf0),
    Rgb(0x90, 0xdc, 0xde),
    Rgb(0xf2, 0xf5, 0xf8),
];

pub fn rgb(colour: Colour) -> Rgb {
    COLOURS[usize::from(colour & 15)]
}

/// What lies behind a letter: the bright grounds are dimmed where the letter is
/// bright as well, since it could not be read on them.
pub fn ground(background: Colour, foreground: Colour) -> Rgb {
    let is_bright = |colour: Colour| rgb(colour).grey() > 100;
    let ground = rgb(background);
    if background != foreground && is_bright(background) && is_bright(foreground) {
        ground.towards(rgb(BACKGROUND), 1, 2)
    } else {
        ground
    }
}

impl Rgb {
    /// The colour at `step` of `steps` on the way from `self` to `other`.
    pub fn towards(self, other: Self, step: u32, steps: u32) -> Self {
        let mix = |from: u8, to: u8| {
            ((u32::from(from) * (steps - step) + u32::from(to) * step) / steps) as u8
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }

    /// How bright the eye takes it to be (the weights of ITU-R BT.601).
    pub fn grey(self) -> u8 {
        ((u32::from(self.0) * 77 + u32::from(self.1) * 150 + u32::from(self.2) * 29) >> 8) as u8
    }
}
