//! Runs filters over a report: which rows stay, and in which order.

use crate::base::report::Report;
use crate::shell::filter::Filter;

/// Runs the filters one after the other; the report says what was wrong with one.
pub fn apply(filters: &[Filter<'_>], report: &mut Report) {
    for filter in filters {
        if let Filter::Limit(count) = *filter {
            limit(count, report);
        }
    }
}

fn limit(count: usize, report: &mut Report) {
    for index in 0..report.block_count() {
        report.limit_rows(index, count);
    }
}
