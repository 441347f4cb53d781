//! Finding clusters that are free.

use super::geometry::Geometry;
use super::table::{Link, is_usable, link};
use super::{FatError, Sectors, Stage, Stop, put, u32_at};

/// Clusters that one change looks at: what stands in 16 sectors of the widest table. So
/// all that it has to see of the table is at hand at the same time.
const A_CHANGE: u32 = 2048;

/// Where free clusters are looked for next. It goes round and round, so that nothing is
/// looked at again for each cluster that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    next: u32,
    /// Since the last one that was free.
    looked: u32,
    /// That this change may still look at.
    left: u32,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            next: 2,
            looked: 0,
            left: A_CHANGE,
        }
    }
}

impl Search {
    /// A new round from here on.
    pub const fn anew(self) -> Self {
        Self {
            next: self.next,
            looked: 0,
            left: A_CHANGE,
        }
    }

    /// For another change.
    pub const fn begun(self) -> Self {
        Self {
            left: A_CHANGE,
            ..self
        }
    }

    /// Behind a place where less is free than is wanted at once. Who finds nothing but such
    /// places finds out that there is no room.
    pub const fn past(self, place: Self) -> Self {
        Self {
            next: place.next,
            looked: self.looked.saturating_add(A_CHANGE),
            left: A_CHANGE,
        }
    }

    /// A free cluster, or `None` when there is none among those that a change looks at.
    pub fn find(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<Option<u32>, Stop> {
        while self.left > 0 {
            if self.looked >= geometry.clusters {
                return Err(FatError::Full.into());
            }
            if !geometry.has(self.next) {
                self.next = 2;
            }
            let cluster = self.next;
            let is_free = link(sectors, geometry, cluster)? == Link::Free;
            self.next += 1;
            self.looked = self.looked.saturating_add(1);
            self.left -= 1;
            if is_free && is_usable(geometry, cluster) {
                self.looked = 0;
                return Ok(Some(cluster));
            }
        }
        Ok(None)
    }
}

/// Tells the sector that FAT32 keeps about free clusters. It is a hint for others, and
/// left alone where it is no such sector or does not know.
pub fn account(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    taken: u32,
    given_back: u32,
) -> Result<(), Stop> {
    let Some(info) = geometry.info_sector.filter(|_| taken != given_back) else {
        return Ok(());
    };
    let bytes = sectors.read(info)?;
    let marks = (u32_at(bytes, 0), u32_at(bytes, 484), u32_at(bytes, 508));
    let free = u32_at(bytes, 488);
    if marks != (0x4161_5252, 0x6141_7272, 0xaa55_0000) || free > geometry.clusters {
        return Ok(());
    }
    let free = free.saturating_sub(taken).saturating_add(given_back);
    let free = free.min(geometry.clusters);
    put(
        sectors.change(info, Stage::Fresh)?,
        488,
        &free.to_le_bytes(),
    );
    Ok(())
}
