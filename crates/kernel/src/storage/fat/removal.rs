//! Entries that are no more, and the clusters that they leave.

use super::allocation::account;
use super::directory::Item;
use super::entry::{DELETED, SLOT_BYTES};
use super::file::Fresh;
use super::geometry::Geometry;
use super::table::{Link, is_usable, link, sector_of_link, set_link};
use super::{Sectors, Stage, Stop};

/// Takes a name out of its directory. What it stood for is freed behind that.
pub fn remove(sectors: &mut dyn Sectors, item: &Item) -> Result<(), Stop> {
    let mut strike = |sector, index: usize, stage| {
        let bytes = sectors.change(sector, stage)?;
        if let Some(slot) = bytes.chunks_mut(SLOT_BYTES).nth(index) {
            slot[0] = DELETED;
        }
        Ok::<(), Stop>(())
    };
    strike(item.at.sector, item.at.index, Stage::Visible)?;
    for part in &item.parts {
        let stage = match part.sector == item.at.sector {
            true => Stage::Visible,
            false => Stage::After,
        };
        strike(part.sector, part.index, stage)?;
    }
    Ok(())
}

/// A chain that nothing refers to any more, and what of it is still to be freed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freeing {
    next: u32,
    /// Nothing behind this one is freed; 0 for no such end.
    last: u32,
}

impl Freeing {
    /// Clusters and changes of the table's sector in one call.
    const CLUSTERS_A_CALL: u32 = 1024;
    const SECTORS_A_CALL: usize = 8;

    /// From that cluster on; 0 for nothing.
    pub const fn new(first: u32) -> Self {
        Self {
            next: first,
            last: 0,
        }
    }

    /// A chain that nothing refers to yet, as far as it is known.
    pub const fn of(fresh: &Fresh) -> Self {
        Self {
            next: fresh.first,
            last: fresh.last,
        }
    }

    pub const fn is_done(&self) -> bool {
        self.next == 0
    }

    /// Frees a part; answers what is left, and how much of it can be used again. A chain
    /// ends where it leads to nothing: what is damaged is not followed.
    pub fn step(
        mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<(Self, u32), Stop> {
        let (mut freed, mut usable, mut changes, mut sector) = (0, 0, 0, 0);
        while geometry.has(self.next) && freed < Self::CLUSTERS_A_CALL {
            let at = sector_of_link(geometry, self.next);
            if at != sector {
                (sector, changes) = (at, changes + 1);
            }
            if changes > Self::SECTORS_A_CALL {
                break;
            }
            let next = match link(sectors, geometry, self.next)? {
                Link::Free | Link::Unusable => {
                    self.next = 0;
                    break;
                }
                Link::Next(next) if self.next != self.last => next,
                Link::Next(_) | Link::End => 0,
            };
            set_link(sectors, geometry, self.next, Link::Free, Stage::After)?;
            freed += 1;
            usable += u32::from(is_usable(geometry, self.next));
            self.next = next;
        }
        if !geometry.has(self.next) {
            self.next = 0;
        }
        account(sectors, geometry, 0, usable)?;
        Ok((self, usable))
    }
}
