//! Entries of a directory in the bytes of a buffer, until they are shown.

use crate::base::fixed::Text;
use crate::limits::REPORT_CELLS_MAX;
use crate::storage::fat::{Item, Stamp};

/// Kind, size, date, time, and the name's length.
const HEAD_BYTES: usize = 11;
/// Rows that a report has room for besides the line that says how many are missing.
pub const ROWS_MAX: u64 = (REPORT_CELLS_MAX / COLUMNS.len()) as u64 - 1;
pub const COLUMNS: [&str; 4] = ["name", "size_bytes", "kind", "modified"];
/// A name of 255 units as text.
pub type NameText = Text<768>;

/// One entry as it is shown.
pub struct Row<'a> {
    pub is_directory: bool,
    pub size: u32,
    pub stamp: Stamp,
    pub name: &'a str,
}

/// Puts an entry behind those that are there; `None` when there is no room.
pub fn push(buffer: &mut [u8], filled: usize, item: &Item) -> Option<usize> {
    let name = NameText::format(format_args!("{}", item.name));
    let length = u16::try_from(name.len()).ok()?;
    let mut head = [0; HEAD_BYTES];
    head[0] = u8::from(item.is_directory);
    head[1..5].copy_from_slice(&item.size.to_le_bytes());
    head[5..7].copy_from_slice(&item.stamp.date.to_le_bytes());
    head[7..9].copy_from_slice(&item.stamp.time.to_le_bytes());
    head[9..].copy_from_slice(&length.to_le_bytes());
    let middle = filled.checked_add(HEAD_BYTES)?;
    let end = middle.checked_add(name.len())?;
    buffer.get_mut(filled..middle)?.copy_from_slice(&head);
    buffer
        .get_mut(middle..end)?
        .copy_from_slice(name.as_bytes());
    Some(end)
}

/// The entries of a buffer.
pub fn rows(mut bytes: &[u8]) -> impl Iterator<Item = Row<'_>> {
    core::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let [kind, s0, s1, s2, s3, d0, d1, t0, t1, n0, n1] = *head;
        let length = usize::from(u16::from_le_bytes([n0, n1]));
        let (name, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(Row {
            is_directory: kind != 0,
            size: u32::from_le_bytes([s0, s1, s2, s3]),
            stamp: Stamp {
                date: u16::from_le_bytes([d0, d1]),
                time: u16::from_le_bytes([t0, t1]),
            },
            name: core::str::from_utf8(name).ok()?,
        })
    })
}
