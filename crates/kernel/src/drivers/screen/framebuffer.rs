//! The memory whose bytes are the pixels of a display; written, never read.
//!
//! Reading it back is slow beyond measure on real hardware, so nothing here can.

use super::palette::Rgb;
use super::pixel::{PIXEL_BYTES_MAX, Pixel, PixelFormat};
use core::fmt;

/// Too little room for a prompt and its answer below this.
const WIDTH_MIN: usize = 160;
const HEIGHT_MIN: usize = 100;

/// What the boot says about a display.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    pub width: usize,
    pub height: usize,
    /// Pixels from the start of a line to the start of the next.
    pub stride: usize,
    pub bytes_per_pixel: usize,
    pub format: PixelFormat,
}

/// Why a display cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FramebufferError {
    PixelSize,
    Stride,
    TooSmall,
    MemoryTooShort,
}

impl FramebufferError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::PixelSize => {
                "the display has no pixels of 1 to 4 bytes; choose another video mode in the firmware"
            }
            Self::Stride => {
                "the display's lines are shorter than its width; choose another video mode in the firmware"
            }
            Self::TooSmall => {
                "the display has fewer than 160 x 100 pixels; choose another video mode in the firmware"
            }
            Self::MemoryTooShort => {
                "the display's memory is smaller than its picture; choose another video mode in the firmware"
            }
        }
    }
}

impl fmt::Display for FramebufferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

pub struct Framebuffer<M = &'static mut [u8]> {
    geometry: Geometry,
    memory: M,
}

impl<M: AsMut<[u8]>> Framebuffer<M> {
    /// Checks that all of the picture lies in `memory`.
    pub fn new(geometry: Geometry, memory: M) -> Result<Self, FramebufferError> {
        Self::checked(geometry, memory).map_err(|(error, _)| error)
    }

    /// As `new`; memory that does not do is given back.
    pub fn checked(geometry: Geometry, mut memory: M) -> Result<Self, (FramebufferError, M)> {
        match check(&geometry, memory.as_mut().len()) {
            Ok(()) => Ok(Self { geometry, memory }),
            Err(error) => Err((error, memory)),
        }
    }

    pub fn into_memory(self) -> M {
        self.memory
    }

    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    pub fn encode(&self, colour: Rgb) -> Pixel {
        let geometry = &self.geometry;
        geometry.format.encode(geometry.bytes_per_pixel, colour)
    }

    /// Puts a run of encoded pixels on one line; what is outside the picture is left out.
    pub fn write_run(&mut self, x: usize, y: usize, pixels: &[u8]) {
        let Geometry {
            width,
            height,
            stride,
            bytes_per_pixel,
            ..
        } = self.geometry;
        if x >= width || y >= height {
            return;
        }
        let length = pixels.len().min((width - x) * bytes_per_pixel);
        let start = (y * stride + x) * bytes_per_pixel;
        self.memory.as_mut()[start..start + length].copy_from_slice(&pixels[..length]);
    }

    /// Colours a rectangle; what is outside the picture is left out.
    pub fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Rgb) {
        const RUN_PIXELS: usize = 64;
        let bytes_per_pixel = self.geometry.bytes_per_pixel;
        let pixel = self.encode(colour);
        let mut run = [0; RUN_PIXELS * PIXEL_BYTES_MAX];
        for place in run.chunks_exact_mut(bytes_per_pixel) {
            place.copy_from_slice(&pixel[..bytes_per_pixel]);
        }
        let right = x.saturating_add(width).min(self.geometry.width);
        let bottom = y.saturating_add(height).min(self.geometry.height);
        for line in y..bottom {
            for start in (x..right).step_by(RUN_PIXELS) {
                let pixels = (right - start).min(RUN_PIXELS);
                self.write_run(start, line, &run[..pixels * bytes_per_pixel]);
            }
        }
    }
}

/// Does the picture lie in `length` bytes?
fn check(geometry: &Geometry, length: usize) -> Result<(), FramebufferError> {
    if !(1..=PIXEL_BYTES_MAX).contains(&geometry.bytes_per_pixel) {
        return Err(FramebufferError::PixelSize);
    }
    if geometry.width < WIDTH_MIN || geometry.height < HEIGHT_MIN {
        return Err(FramebufferError::TooSmall);
    }
    if geometry.stride < geometry.width {
        return Err(FramebufferError::Stride);
    }
    let bytes = geometry
        .stride
        .checked_mul(geometry.height - 1)
        .and_then(|pixels| pixels.checked_add(geometry.width))
        .and_then(|pixels| pixels.checked_mul(geometry.bytes_per_pixel));
    match bytes {
        Some(bytes) if bytes <= length => Ok(()),
        _ => Err(FramebufferError::MemoryTooShort),
    }
}

#[cfg(test)]
impl Framebuffer<alloc::vec::Vec<u8>> {
    pub fn memory(&self) -> &[u8] {
        &self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const SMALL: Geometry = Geometry {
        width: 160,
        height: 100,
        stride: 163,
        bytes_per_pixel: 3,
        format: PixelFormat::Rgb,
    };

    fn error(geometry: Geometry, bytes: usize) -> Option<FramebufferError> {
        Framebuffer::new(geometry, vec![0; bytes]).err()
    }

    #[test]
    fn the_last_line_needs_no_padding_behind_it() {
        let bytes = (163 * 99 + 160) * 3;
        assert_eq!(error(SMALL, bytes), None);
        assert_eq!(
            error(SMALL, bytes - 1),
            Some(FramebufferError::MemoryTooShort)
        );
    }

    #[test]
    fn an_impossible_display_is_refused_with_its_reason() {
        let refused = |geometry| error(geometry, 1 << 20);
        assert_eq!(
            refused(Geometry {
                bytes_per_pixel: 0,
                ..SMALL
            }),
            Some(FramebufferError::PixelSize)
        );
        assert_eq!(
            refused(Geometry {
                stride: 159,
                ..SMALL
            }),
            Some(FramebufferError::Stride)
        );
        assert_eq!(
            refused(Geometry { width: 8, ..SMALL }),
            Some(FramebufferError::TooSmall)
        );
        assert_eq!(
            refused(Geometry {
                stride: usize::MAX,
                height: usize::MAX,
                ..SMALL
            }),
            Some(FramebufferError::MemoryTooShort)
        );
    }

    #[test]
    fn padding_and_what_lies_outside_are_never_written() {
        let mut memory = vec![0xa5; (163 * 99 + 160) * 3];
        let Ok(mut framebuffer) = Framebuffer::new(SMALL, memory.as_mut_slice()) else {
            panic!("the geometry is right");
        };
        framebuffer.fill(100, 50, 500, 500, Rgb(1, 2, 3));
        framebuffer.fill(170, 0, 1, 1, Rgb(1, 2, 3));
        for (pixel, bytes) in memory.chunks(3).enumerate() {
            let (x, y) = (pixel % 163, pixel / 163);
            let is_inside = (100..160).contains(&x) && y >= 50;
            let expected = if is_inside { [1, 2, 3] } else { [0xa5; 3] };
            assert_eq!(bytes, expected, "at {x}, {y}");
        }
    }
}
