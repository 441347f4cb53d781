//! What comes of a wish for a layout, and whether it may be had.

use super::content::{Content, DiskState};
use super::plan::Layout;
use super::wish::LayoutError;
use crate::base::disk::DiskFacts;
use crate::base::report::Report;
use alloc::boxed::Box;

/// What came of a wish.
pub enum Answer {
    /// This would be lost, and this would be made of it.
    Plan {
        facts: DiskFacts,
        content: Content,
        layout: Layout,
        code: u32,
    },
    Done {
        facts: DiskFacts,
        layout: Layout,
    },
    Failed {
        facts: DiskFacts,
        error: LayoutError,
    },
}

/// May this disk be laid out? The answer if not, or not yet.
pub fn judge(
    disk: usize,
    facts: &DiskFacts,
    content: Content,
    code: u32,
    given: Option<u32>,
) -> Result<Layout, Box<Answer>> {
    let facts = *facts;
    let failed = |error| Box::new(Answer::Failed { facts, error });
    if !matches!(content, Content::Blank | Content::Ours { .. }) {
        return Err(failed(LayoutError::Foreign(content)));
    }
    if facts.is_read_only {
        return Err(failed(LayoutError::ReadOnly));
    }
    let layout = Layout::plan(disk, facts.sectors);
    let layout = layout.map_err(|error| failed(LayoutError::TooSmall(error)))?;
    match given {
        Some(given) if given == code => Ok(layout),
        Some(_) => Err(failed(LayoutError::Code)),
        None => Err(Box::new(Answer::Plan {
            facts,
            content,
            layout,
            code,
        })),
    }
}

impl Answer {
    pub fn report(&self, report: &mut Report) {
        match self {
            Self::Plan {
                facts,
                content,
                layout,
                code,
            } => {
                let now = DiskState::Known(*content).name();
                report
                    .fields("")
                    .text("disk", facts.name)
                    .text("holds_now", now);
                layout.report(report);
                let name = facts.name;
                report.text("").line(format_args!(
                    "everything on {name} will be lost; to go on: storage format {name} {code:08x}"
                ));
            }
            Self::Done { facts, layout } => {
                let name = facts.name;
                report.text("").line(format_args!("{name} is laid out"));
                layout.report(report);
            }
            Self::Failed { facts, error } => report.fail(format_args!("{}: {error}", facts.name)),
        }
    }
}
