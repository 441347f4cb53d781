//! Which parts of the picture have changed: for displays that must be told.

/// Pixels of the display; never reaches beyond it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rectangle {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

/// The least rectangles around all that changed in the panel and in the text.
///
/// Two, for they change apart: a clock above that ticks would else drag the whole
/// screen along with every key that is typed below.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dirty {
    panel: Option<Rectangle>,
    text: Option<Rectangle>,
}

impl Rectangle {
    /// The least one around both.
    fn joined(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

impl Dirty {
    pub fn add(&mut self, is_panel: bool, rectangle: Rectangle) {
        if rectangle.width == 0 || rectangle.height == 0 {
            return;
        }
        let place = match is_panel {
            true => &mut self.panel,
            false => &mut self.text,
        };
        *place = Some(match *place {
            Some(before) => before.joined(rectangle),
            None => rectangle,
        });
    }

    pub fn add_all(&mut self, width: usize, height: usize) {
        let all = Rectangle {
            x: 0,
            y: 0,
            width,
            height,
        };
        self.add(false, all);
    }

    pub const fn is_empty(&self) -> bool {
        self.panel.is_none() && self.text.is_none()
    }

    pub fn rectangles(&self) -> impl Iterator<Item = Rectangle> {
        [self.panel, self.text].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rectangle(x: usize, y: usize, width: usize, height: usize) -> Rectangle {
        Rectangle {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn the_panel_and_the_text_change_apart() {
        let mut dirty = Dirty::default();
        assert!(dirty.is_empty());
        dirty.add(true, rectangle(0, 0, 10, 5));
        dirty.add(false, rectangle(5, 50, 10, 10));
        dirty.add(false, rectangle(1, 70, 2, 10));
        dirty.add(false, rectangle(1, 900, 0, 10));
        let all: std::vec::Vec<_> = dirty.rectangles().collect();
        assert_eq!(all, [rectangle(0, 0, 10, 5), rectangle(1, 50, 14, 30)]);
    }
}
