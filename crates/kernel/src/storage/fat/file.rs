//! New chains of clusters with contents; nothing refers to them yet.

use super::allocation::{Search, account};
use super::geometry::Geometry;
use super::table::{Link, set_link};
use super::{FatError, Sectors, Stage, Stop};
use crate::base::disk::SECTOR_BYTES;

/// A chain that grows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Fresh {
    /// 0 while it has no cluster.
    pub first: u32,
    pub(super) last: u32,
    /// Bytes of the last cluster that are in use.
    in_last: u32,
    pub size: u32,
}

impl Fresh {
    /// The cluster of a new directory.
    pub const fn of_directory(first: u32) -> Self {
        Self {
            first,
            last: first,
            in_last: 0,
            size: 0,
        }
    }
}

/// What a call has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extended {
    pub fresh: Fresh,
    pub search: Search,
    /// Bytes of what was given; none when free clusters have to be looked for elsewhere.
    pub bytes: usize,
    pub clusters: u32,
}

/// Puts bytes behind what a chain has: whole sectors, but for the last piece of a file.
pub fn extend(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    search: Search,
    mut fresh: Fresh,
    data: &[u8],
) -> Result<Extended, Stop> {
    let size = u32::try_from(data.len()).ok();
    let size = size.and_then(|bytes| fresh.size.checked_add(bytes));
    if size.is_none() {
        return Err(FatError::FileTooLong.into());
    }
    let mut search = search.begun();
    let (mut left, mut clusters) = (data, 0);
    while !left.is_empty() {
        if fresh.first == 0 || fresh.in_last == geometry.cluster_bytes() {
            let Some(cluster) = search.find(sectors, geometry)? else {
                break;
            };
            set_link(sectors, geometry, cluster, Link::End, Stage::Fresh)?;
            match fresh.first {
                0 => fresh.first = cluster,
                _ => {
                    let next = Link::Next(cluster);
                    set_link(sectors, geometry, fresh.last, next, Stage::Fresh)?;
                }
            }
            (fresh.last, fresh.in_last) = (cluster, 0);
            clusters += 1;
        }
        let sector = geometry.sector_of(fresh.last) + u64::from(fresh.in_last) / 512;
        let (piece, rest) = left.split_at(left.len().min(SECTOR_BYTES));
        sectors.replace(sector, Stage::Fresh)?[..piece.len()].copy_from_slice(piece);
        fresh.in_last = (fresh.in_last + SECTOR_BYTES as u32).min(geometry.cluster_bytes());
        fresh.size += piece.len() as u32;
        left = rest;
    }
    account(sectors, geometry, clusters, 0)?;
    Ok(Extended {
        fresh,
        search,
        bytes: data.len() - left.len(),
        clusters,
    })
}
