//! A short text put behind what a file has.

use super::allocation::Search;
use super::directory::Item;
use super::file::{Fresh, extend};
use super::geometry::Geometry;
use super::publish::set_contents;
use super::table::{Link, is_split, set_link};
use super::{FatError, Sectors, Stage, Stop};
use crate::base::disk::SECTOR_BYTES;

/// What a call has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    pub search: Search,
    /// False when free clusters have to be looked for elsewhere; then nothing was done.
    pub is_done: bool,
    pub clusters: u32,
    pub size: u32,
}

/// `last` is the cluster with the file's last byte, 0 when it has none. The bytes behind
/// the file's end come first, then the clusters behind its last one, then the new size.
pub fn append(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    search: Search,
    item: &Item,
    last: u32,
    data: &[u8],
) -> Result<Appended, Stop> {
    let used = match (last, item.size % geometry.cluster_bytes()) {
        (0, _) | (_, 0) => geometry.cluster_bytes(),
        (_, used) => used,
    };
    let room = (geometry.cluster_bytes() - used) as usize;
    let (slack, rest) = data.split_at(data.len().min(room));
    let size = u32::try_from(data.len()).ok();
    let size = size.and_then(|bytes| item.size.checked_add(bytes));
    let size = size.ok_or(FatError::FileTooLong)?;
    let mut appended = Appended {
        search,
        is_done: false,
        clusters: 0,
        size,
    };
    // All or nothing: is there room for all of it where one change can look?
    let mut probe = search.begun();
    for _ in 0..rest.len().div_ceil(geometry.cluster_bytes() as usize) {
        if probe.find(sectors, geometry)?.is_none() {
            appended.search = search.past(probe);
            return Ok(appended);
        }
    }
    let extended = extend(sectors, geometry, search, Fresh::default(), rest)?;
    appended.is_done = true;
    appended.search = extended.search;
    appended.clusters = extended.clusters;
    fill(sectors, geometry, last, used as usize, slack)?;
    let next = extended.fresh.first;
    let (first, stage) = match (last, next) {
        (0, first) => (first, Stage::Visible),
        (_, 0) => (item.first, Stage::Visible),
        _ => {
            if is_split(geometry, last) {
                return Err(FatError::NotExtensible.into());
            }
            set_link(sectors, geometry, last, Link::Next(next), Stage::Visible)?;
            (item.first, Stage::After)
        }
    };
    set_contents(sectors, item.at, first, size, stage)?;
    Ok(appended)
}

/// Writes into a cluster from that byte on.
fn fill(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    cluster: u32,
    mut at: usize,
    mut data: &[u8],
) -> Result<(), Stop> {
    while !data.is_empty() {
        let sector = geometry.sector_of(cluster) + (at / SECTOR_BYTES) as u64;
        let from = at % SECTOR_BYTES;
        let (piece, rest) = data.split_at(data.len().min(SECTOR_BYTES - from));
        let bytes = match from {
            0 => sectors.replace(sector, Stage::Fresh)?,
            _ => sectors.change(sector, Stage::Fresh)?,
        };
        bytes[from..from + piece.len()].copy_from_slice(piece);
        at += piece.len();
        data = rest;
    }
    Ok(())
}
