//! Walking along a chain of clusters, and reading a file that way.

use super::directory::Item;
use super::geometry::Geometry;
use super::table::{Link, link};
use super::{FatError, Sectors, Stop};
use crate::base::disk::SECTOR_BYTES;

/// A place in a chain. One that leads back into itself is known by a mark, which is
/// moved up after twice as many steps each time: soon the chain comes by it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chain {
    pub cluster: u32,
    walked: u32,
    mark: u32,
}

impl Chain {
    pub fn new(geometry: &Geometry, first: u32) -> Result<Self, FatError> {
        match geometry.has(first) {
            true => Ok(Self {
                cluster: first,
                walked: 1,
                mark: first,
            }),
            false => Err(FatError::BrokenChain { cluster: first }),
        }
    }

    /// Goes to the next cluster; false at the end, where it stays.
    pub fn advance(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<bool, Stop> {
        let cluster = self.cluster;
        match link(sectors, geometry, cluster)? {
            Link::Next(next) if next != self.mark => {
                self.cluster = next;
                self.walked += 1;
                if self.walked.is_power_of_two() {
                    self.mark = next;
                }
                Ok(true)
            }
            Link::End => Ok(false),
            Link::Next(_) | Link::Free | Link::Unusable => {
                Err(FatError::BrokenChain { cluster }.into())
            }
        }
    }

    pub const fn walked(&self) -> u32 {
        self.walked
    }
}

/// A file that is read from its start, and its chain to the end, which may be behind
/// the file's: before that nobody knows that it does not lead back into itself.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    first: u32,
    chain: Option<Chain>,
    at: u32,
    size: u32,
    is_checked: bool,
}

impl Reading {
    pub const fn new(first: u32, size: u32) -> Self {
        Self {
            first,
            chain: None,
            at: 0,
            size,
            is_checked: size == 0,
        }
    }

    /// Is it this file that is read?
    pub const fn is_of(&self, item: &Item) -> bool {
        self.first == item.first && self.size == item.size
    }

    /// Has it given all bytes?
    pub const fn is_at_end(&self) -> bool {
        self.at >= self.size
    }

    /// Gives the next piece, which lies in one sector, or looks at what the chain has behind
    /// the last; false when there is no more to do.
    pub fn next(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Stop> {
        if self.is_checked {
            return Ok(false);
        }
        if self.is_at_end() {
            let chain = self.chain.as_mut();
            let is_longer = chain.map(|chain| chain.advance(sectors, geometry));
            self.is_checked = !is_longer.transpose()?.unwrap_or(false);
            return Ok(true);
        }
        let in_cluster = self.at % geometry.cluster_bytes();
        let mut chain = match self.chain {
            None => Chain::new(geometry, self.first)?,
            Some(chain) => chain,
        };
        if in_cluster == 0 && self.at > 0 && !chain.advance(sectors, geometry)? {
            let cluster = chain.cluster;
            return Err(FatError::BrokenChain { cluster }.into());
        }
        let sector = geometry.sector_of(chain.cluster);
        let bytes = sectors.read(sector + u64::from(in_cluster) / SECTOR_BYTES as u64)?;
        let from = in_cluster as usize % SECTOR_BYTES;
        let count = (SECTOR_BYTES - from).min((self.size - self.at) as usize);
        take(&bytes[from..from + count]);
        self.at += count as u32;
        self.chain = Some(chain);
        Ok(true)
    }
}
