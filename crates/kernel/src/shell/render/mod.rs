//! The faces of a report: text for people, JSON for programs.
//!
//! A face is rendered piece by piece into the room that there is, and continued
//! where it stopped: a long report goes out as fast as its console takes it.

mod json;
mod people;
mod text;
mod window;

pub use people::{Escaped, People, Unit, name_of_key};

use crate::base::report::Report;
use text::Layout;
use window::Window;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Face {
    /// For people, on a console of so many columns where that is known.
    Text {
        columns: Option<u16>,
    },
    Json,
}

/// The part of a report that is written as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Start,
    Open(usize),
    Row(usize, usize),
    Close(usize),
    End,
    Done,
}

impl Place {
    fn next(self, report: &Report) -> Self {
        let open = |index: usize| match index < report.block_count() {
            true => Self::Open(index),
            false => Self::End,
        };
        let row = |index: usize, row: usize| {
            let count = report.block(index).map_or(0, |block| block.row_count());
            match row < count {
                true => Self::Row(index, row),
                false => Self::Close(index),
            }
        };
        match self {
            Self::Start => open(0),
            Self::Open(index) => row(index, 0),
            Self::Row(index, last) => row(index, last + 1),
            Self::Close(index) => open(index + 1),
            Self::End | Self::Done => Self::Done,
        }
    }
}

/// A face in the middle of being rendered.
pub struct Rendering {
    face: Face,
    place: Place,
    /// Bytes of the part at `place` that have been given out.
    given: usize,
    layout: Layout,
}

impl Rendering {
    pub fn new(face: Face) -> Self {
        Self {
            face,
            place: Place::Start,
            given: 0,
            layout: Layout::new(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Writes as much as `out` holds and says how much that was.
    ///
    /// The report must not change before `is_done`.
    pub fn render(&mut self, report: &Report, out: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < out.len() && !self.is_done() {
            let mut window = Window::new(&mut out[filled..], self.given);
            let result = match self.face {
                Face::Json => json::write_unit(report, self.place, &mut window),
                Face::Text { columns } => {
                    self.layout.prepare(report, self.place, columns);
                    text::write_unit(report, self.place, &self.layout, &mut window)
                }
            };
            filled += window.filled();
            if result.is_ok() {
                self.given = 0;
                self.place = self.place.next(report);
            } else {
                self.given += window.filled();
            }
        }
        filled
    }
}
