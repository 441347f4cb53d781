//! A part of a disk that belongs to one machine of the storage floor.

/// Sectors in one run. Whoever holds it asks for nothing outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// The disk's place among the machine's.
    pub disk: usize,
    /// On the disk.
    pub first: u64,
    pub sectors: u64,
}

impl Region {
    /// Where these sectors of the region are on the disk; `None` when they are not in it.
    pub fn at(&self, sector: u64, sectors: u64) -> Option<u64> {
        let end = sector.checked_add(sectors)?;
        (end <= self.sectors).then(|| self.first + sector)
    }

    /// A part of it; `None` when it is not in it.
    pub fn part(&self, sector: u64, sectors: u64) -> Option<Self> {
        let first = self.at(sector, sectors)?;
        Some(Self {
            disk: self.disk,
            first,
            sectors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_names_nothing_outside_of_itself() {
        let region = Region {
            disk: 1,
            first: 100,
            sectors: 10,
        };
        assert_eq!(region.at(0, 10), Some(100));
        assert_eq!(region.at(3, 7), Some(103));
        assert_eq!(region.at(3, 8), None);
        assert_eq!(region.at(u64::MAX, 2), None);
        let part = region.part(4, 6).expect("it is inside");
        assert_eq!((part.first, part.sectors, part.at(0, 7)), (104, 6, None));
    }
}
