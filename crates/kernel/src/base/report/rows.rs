//! Leaves out and reorders the rows of a report: what filters are made of.

use super::Report;
use super::block::BlockView;
use core::cmp::Ordering;

impl Report {
    /// Keeps the rows of block `index` for which `keep` is true, in their order.
    pub fn retain_rows(
        &mut self,
        index: usize,
        mut keep: impl FnMut(&BlockView<'_>, usize) -> bool,
    ) {
        let Some(count) = self.block(index).map(|block| block.row_count()) else {
            return;
        };
        let first = self.blocks[index].first_row;
        let mut kept = 0;
        for row in 0..count {
            let block = BlockView {
                report: self,
                block: &self.blocks[index],
            };
            if keep(&block, row) {
                // `kept` is at most `row`, so no row that is still to be asked about moves.
                self.rows.swap(first + kept, first + row);
                kept += 1;
            }
        }
        self.blocks[index].row_count = kept;
    }

    /// Orders the rows of block `index` by one column; equals keep their order.
    pub fn sort_rows(&mut self, index: usize, column: usize, is_descending: bool) {
        let Some(block) = self.blocks.get(index).copied() else {
            return;
        };
        let mut rows = core::mem::take(&mut self.rows);
        let rows_of_block = &mut rows[block.first_row..block.first_row + block.row_count];
        sort_in_place(rows_of_block, |left, right| {
            let cell = |row: u32| self.resolve(self.cells[row as usize + column]);
            let order = cell(left).order(&cell(right));
            if is_descending {
                order.reverse()
            } else {
                order
            }
        });
        self.rows = rows;
    }

    /// Keeps the first `count` rows of block `index`.
    pub fn limit_rows(&mut self, index: usize, count: usize) {
        if let Some(block) = self.blocks.get_mut(index) {
            block.row_count = block.row_count.min(count);
        }
    }

    /// Keeps the blocks for which `keep` is true.
    pub fn retain_blocks(&mut self, mut keep: impl FnMut(&BlockView<'_>) -> bool) {
        let mut blocks = core::mem::take(&mut self.blocks);
        blocks.retain(|block| {
            keep(&BlockView {
                report: self,
                block,
            })
        });
        self.blocks = blocks;
    }
}

/// Binary insertion: stable, and without the memory that `sort_by` would allocate.
fn sort_in_place(rows: &mut [u32], order: impl Fn(u32, u32) -> Ordering) {
    for end in 1..rows.len() {
        let row = rows[end];
        let place = rows[..end].partition_point(|&other| order(other, row) != Ordering::Greater);
        rows[place..=end].rotate_right(1);
    }
}
