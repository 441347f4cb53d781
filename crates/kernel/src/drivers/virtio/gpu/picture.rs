//! The picture of a scan-out: text and panel, in memory that the device reads.

use super::command::{Command, Size};
use crate::base::buffer::Buffer;
use crate::base::panel::PanelItems;
use crate::drivers::screen::dirty::{Dirty, Rectangle};
use crate::drivers::screen::{
    Framebuffer, Geometry, PANEL_ROWS, Painter, Panel, PixelFormat, TextConsole,
};
use crate::limits::GPU_DISPLAY_BYTES_MAX;
use crate::memory::{allocate_buffer, release_buffer};

const PIXEL_BYTES: usize = 4;

pub struct Picture {
    /// What the display asked for.
    wanted: Size,
    /// What it got.
    size: Size,
    resource: u32,
    address: u64,
    painter: Painter<PictureMemory>,
    panel: Panel,
}

struct PictureMemory(Buffer);

impl AsMut<[u8]> for PictureMemory {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

impl Picture {
    /// `None` when there is no memory for it, or no text would fit on it.
    pub fn new(wanted: Size, size: Size, resource: u32) -> Option<Self> {
        if size.bytes() > GPU_DISPLAY_BYTES_MAX as u64 {
            return None;
        }
        let memory = allocate_buffer(size.bytes() as usize).ok()?;
        let address = memory.device_address();
        let geometry = Geometry {
            width: size.width as usize,
            height: size.height as usize,
            stride: size.width as usize,
            bytes_per_pixel: PIXEL_BYTES,
            format: PixelFormat::Bgr,
        };
        let framebuffer = match Framebuffer::checked(geometry, PictureMemory(memory)) {
            Ok(framebuffer) => framebuffer,
            Err((_, memory)) => {
                give_back(memory);
                return None;
            }
        };
        let mut painter = Painter::new(framebuffer, PANEL_ROWS);
        let panel = Panel::new(&mut painter);
        Some(Self {
            wanted,
            size,
            resource,
            address,
            painter,
            panel,
        })
    }

    /// Only once the device does not read it any more.
    pub fn release(self) {
        give_back(self.painter.into_memory());
    }

    pub const fn wanted(&self) -> Size {
        self.wanted
    }

    pub const fn size(&self) -> Size {
        self.size
    }

    pub fn columns(&self) -> usize {
        self.painter.columns()
    }

    pub fn rows(&self) -> usize {
        self.painter.rows()
    }

    pub const fn create(&self) -> Command {
        Command::Create {
            resource: self.resource,
            size: self.size,
        }
    }

    pub const fn attach(&self) -> Command {
        Command::Attach {
            resource: self.resource,
            address: self.address,
            bytes: self.size.bytes() as u32,
        }
    }

    pub const fn scanout(&self) -> Command {
        Command::Scanout {
            resource: self.resource,
            size: self.size,
        }
    }

    pub const fn forget(&self) -> Command {
        Command::Forget {
            resource: self.resource,
        }
    }

    /// What brings a part of the picture before people's eyes.
    pub const fn show(&self, part: Rectangle) -> [Command; 2] {
        let resource = self.resource;
        let first = part.y * self.size.width as usize + part.x;
        let offset = (first * PIXEL_BYTES) as u64;
        [
            Command::Transfer {
                resource,
                part,
                offset,
            },
            Command::Flush { resource, part },
        ]
    }

    pub fn is_dirty(&self) -> bool {
        self.painter.is_dirty()
    }

    pub fn take_dirty(&mut self) -> Dirty {
        self.painter.take_dirty()
    }

    pub fn show_panel(&mut self, items: &PanelItems) {
        self.panel.show(items, &mut self.painter);
    }

    /// Paints so many cells of the text; says how many wait at most.
    pub fn paint(&mut self, text: &mut TextConsole, cells_max: usize) -> usize {
        self.painter.paint(text.terminal_mut(), cells_max)
    }
}

fn give_back(memory: PictureMemory) {
    let result = release_buffer(memory.0);
    crate::invariant!(
        result.is_ok(),
        "a picture's memory is not the one it was given"
    );
}
