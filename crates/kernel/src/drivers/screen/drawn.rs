//! Characters drawn by rule, so that they fill their cell at any size.
//!
//! Box drawing (U+2500) and blocks (U+2580) must meet their neighbours without
//! a gap, which the letters of a font do not.

/// A picture of a character in the making: one coverage byte a pixel.
pub struct Canvas<'a> {
    pub width: usize,
    pub height: usize,
    pub pixels: &'a mut [u8],
}

impl Canvas<'_> {
    /// Covers a rectangle; what is outside the cell is left out.
    fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, coverage: u8) {
        let right = (x + width).min(self.width);
        for line in y..(y + height).min(self.height) {
            let start = line * self.width;
            if let Some(run) = self.pixels.get_mut(start + x.min(right)..start + right) {
                run.fill(coverage);
            }
        }
    }

    fn clear(&mut self) {
        self.pixels.fill(0);
    }
}

/// How the strokes leave the middle of a cell: left, right, up, down.
type Arms = [Stroke; 4];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stroke {
    None,
    Light,
    Heavy,
    Double,
}

/// Draws the character when it is one of those with a rule.
pub fn draw(character: char, canvas: &mut Canvas<'_>) -> bool {
    if let Some(arms) = arms(character) {
        canvas.clear();
        draw_arms(arms, canvas);
        return true;
    }
    draw_block(character, canvas)
}

/// A hollow box, for a character that the font lacks.
pub fn draw_missing(canvas: &mut Canvas<'_>) {
    canvas.clear();
    let (left, top) = (1, canvas.height / 5);
    let width = canvas.width.saturating_sub(2);
    let height = canvas.height - 2 * top;
    canvas.fill(left, top, width, height, 0xa0);
    canvas.fill(left + 1, top + 1, width.saturating_sub(2), height - 2, 0);
}

fn arms(character: char) -> Option<Arms> {
    const SHAPES: [([bool; 4], &str, &str, &str); 15] = [
        ([true, true, false, false], "─╌┄┈", "━╍┅┉", "═"),
        ([false, false, true, true], "│╎┆┊", "┃╏┇┋", "║"),
        ([false, true, false, true], "┌╭", "┏", "╔"),
        ([true, false, false, true], "┐╮", "┓", "╗"),
        ([false, true, true, false], "└╰", "┗", "╚"),
        ([true, false, true, false], "┘╯", "┛", "╝"),
        ([false, true, true, true], "├", "┣", "╠"),
        ([true, false, true, true], "┤", "┫", "╣"),
        ([true, true, false, true], "┬", "┳", "╦"),
        ([true, true, true, false], "┴", "┻", "╩"),
        ([true, true, true, true], "┼", "╋", "╬"),
        ([true, false, false, false], "╴", "╸", ""),
        ([false, false, true, false], "╵", "╹", ""),
        ([false, true, false, false], "╶", "╺", ""),
        ([false, false, false, true], "╷", "╻", ""),
    ];
    if !('\u{2500}'..='\u{257f}').contains(&character) {
        return None;
    }
    const STROKES: [Stroke; 3] = [Stroke::Light, Stroke::Heavy, Stroke::Double];
    for (arms, light, heavy, double) in &SHAPES {
        for (characters, stroke) in [light, heavy, double].into_iter().zip(STROKES) {
            if characters.chars().any(|other| other == character) {
                return Some(arms.map(|has_arm| if has_arm { stroke } else { Stroke::None }));
            }
        }
    }
    None
}

fn draw_arms(arms: Arms, canvas: &mut Canvas<'_>) {
    let [left, right, up, down] = arms;
    let light = (canvas.width / 8).max(1);
    if arms.contains(&Stroke::Double) {
        return draw_double(arms.map(|arm| arm != Stroke::None), light, canvas);
    }
    let thickness = if arms.contains(&Stroke::Heavy) {
        light * 2 + 1
    } else {
        light
    };
    let (x, y) = middle(canvas, thickness);
    let (width, height) = (canvas.width, canvas.height);
    if left != Stroke::None {
        canvas.fill(0, y, x + thickness, thickness, 255);
    }
    if right != Stroke::None {
        canvas.fill(x, y, width - x, thickness, 255);
    }
    if up != Stroke::None {
        canvas.fill(x, 0, thickness, y + thickness, 255);
    }
    if down != Stroke::None {
        canvas.fill(x, y, thickness, height - y, 255);
    }
}

/// The upper left corner of a stroke through the middle of the cell.
fn middle(canvas: &Canvas<'_>, thickness: usize) -> (usize, usize) {
    (
        canvas.width.saturating_sub(thickness) / 2,
        canvas.height.saturating_sub(thickness) / 2,
    )
}

/// Two strokes an arm; each goes on to the farther stroke of an arm across, or
/// stops at the nearer one where that arm leaves on its own side.
fn draw_double([left, right, up, down]: [bool; 4], thickness: usize, canvas: &mut Canvas<'_>) {
    let (width, height) = (canvas.width, canvas.height);
    let (x, y) = middle(canvas, 3 * thickness);
    let (near_x, near_y) = (x, y);
    let (far_x, far_y) = (x + 2 * thickness, y + 2 * thickness);
    for (stroke_y, is_blocked) in [(near_y, up), (far_y, down)] {
        if left {
            let end = if is_blocked { near_x } else { far_x };
            canvas.fill(0, stroke_y, end + thickness, thickness, 255);
        }
        if right {
            let start = if is_blocked { far_x } else { near_x };
            canvas.fill(start, stroke_y, width - start, thickness, 255);
        }
    }
    for (stroke_x, is_blocked) in [(near_x, left), (far_x, right)] {
        if up {
            let end = if is_blocked { near_y } else { far_y };
            canvas.fill(stroke_x, 0, thickness, end + thickness, 255);
        }
        if down {
            let start = if is_blocked { far_y } else { near_y };
            canvas.fill(stroke_x, start, thickness, height - start, 255);
        }
    }
}

fn draw_block(character: char, canvas: &mut Canvas<'_>) -> bool {
    let (width, height) = (canvas.width, canvas.height);
    let eighths = |whole: usize, count: u32| (whole * count as usize + 4) / 8;
    let code = character as u32;
    let (x, y, fill_width, fill_height, coverage) = match code {
        0x2580 => (0, 0, width, height / 2, 255),
        0x2581..=0x2588 => {
            let filled = eighths(height, code - 0x2580);
            (0, height - filled, width, filled, 255)
        }
        0x2589..=0x258f => (0, 0, eighths(width, 0x2590 - code), height, 255),
        0x2590 => (width / 2, 0, width - width / 2, height, 255),
        0x2591..=0x2593 => (0, 0, width, height, (code - 0x2590) as u8 * 64),
        _ => return draw_arrow(character, canvas) || draw_dots(character, canvas),
    };
    canvas.clear();
    canvas.fill(x, y, fill_width, fill_height, coverage);
    true
}

fn draw_arrow(character: char, canvas: &mut Canvas<'_>) -> bool {
    let (is_along, is_backwards) = match character {
        '→' => (true, false),
        '←' => (true, true),
        '↓' => (false, false),
        '↑' => (false, true),
        _ => return false,
    };
    canvas.clear();
    let thickness = (canvas.width / 8).max(1);
    let (middle_x, middle_y) = middle(canvas, thickness);
    let length = canvas.width - 1;
    let (start, middle) = if is_along {
        (0, middle_y)
    } else {
        (middle_y.saturating_sub(length / 2), middle_x)
    };
    // Step by step towards the tip, the head being as wide as the steps that are left.
    for step in 0..length {
        let left = length - 1 - step;
        let spread = if left <= length / 3 { left } else { 0 };
        let across = middle.saturating_sub(spread);
        let size = thickness + 2 * spread;
        let place = start + if is_backwards { left } else { step };
        if is_along {
            canvas.fill(place, across, 1, size, 255);
        } else {
            canvas.fill(across, place, size, 1, 255);
        }
    }
    true
}

fn draw_dots(character: char, canvas: &mut Canvas<'_>) -> bool {
    let dot = (canvas.width / 6).max(1);
    match character {
        '…' => {
            canvas.clear();
            let y = canvas.height * 3 / 4 - dot;
            for third in 0..3 {
                let x = (canvas.width * (2 * third + 1) / 6).saturating_sub(dot / 2);
                canvas.fill(x, y, dot, dot, 255);
            }
        }
        '•' => {
            canvas.clear();
            let size = canvas.width / 2;
            let (x, y) = middle(canvas, size);
            canvas.fill(x, y, size, size, 255);
        }
        _ => return false,
    }
    true
}
