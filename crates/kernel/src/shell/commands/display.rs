//! `display`: the virtual display and what was shown on it.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::command_error::CommandError;

pub fn run(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let view = inspect.display().ok_or(CommandError::NoDisplay)?;
    report
        .fields("display")
        .value("width", view.width)
        .value("height", view.height)
        .value("columns", view.columns)
        .value("rows", view.rows)
        .count("resizes", view.resizes)
        .count("rectangles_shown", view.rectangles)
        .count("pixels_shown", view.pixels);
    Ok(None)
}
