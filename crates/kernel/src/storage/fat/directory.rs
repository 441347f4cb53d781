//! Directories: their entries, and where there is room for one more.

use super::chain::Chain;
use super::entry::{SLOT_BYTES, SLOTS_A_SECTOR, Short, Slot, Stamp};
use super::geometry::{Geometry, Root};
use super::long_name::{Assembly, PARTS_MAX};
use super::short_name::{CANDIDATES, ShortName, candidates, exact, shown};
use super::{FatError, LongName, Sectors, Stop};
use crate::base::fixed::Vec;
use alloc::boxed::Box;

/// What FAT allows in one directory.
const SLOTS_MAX: u32 = 65_536;

/// A slot: its sector and its place in there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotAt {
    pub sector: u64,
    pub index: usize,
}

/// Slot by slot through a directory; 0 is the root of FAT12 and FAT16.
#[derive(Clone, Debug)]
struct Slots {
    first: u32,
    chain: Option<Chain>,
    next: u32,
}

impl Slots {
    const fn new(first: u32) -> Self {
        Self {
            first,
            chain: None,
            next: 0,
        }
    }

    /// The next slot; `None` where the directory's sectors end.
    fn next(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<Option<(SlotAt, [u8; SLOT_BYTES])>, Stop> {
        if self.next >= SLOTS_MAX {
            return Ok(None);
        }
        let in_directory = u64::from(self.next) / SLOTS_A_SECTOR as u64;
        let (sector, chain) = match (self.first, geometry.root) {
            (0, Root::Sectors { first, count }) => {
                if in_directory >= count {
                    return Ok(None);
                }
                (first + in_directory, None)
            }
            (first, _) => {
                let a_cluster = u64::from(geometry.sectors_per_cluster);
                let mut chain = match self.chain {
                    None => Chain::new(geometry, first)?,
                    Some(chain) => chain,
                };
                let walked = u64::from(chain.walked());
                if in_directory == walked * a_cluster && !chain.advance(sectors, geometry)? {
                    return Ok(None);
                }
                let sector = geometry.sector_of(chain.cluster) + in_directory % a_cluster;
                (sector, Some(chain))
            }
        };
        let index = self.next as usize % SLOTS_A_SECTOR;
        let bytes = sectors.read(sector)?;
        let mut slot = [0; SLOT_BYTES];
        slot.copy_from_slice(&bytes[index * SLOT_BYTES..(index + 1) * SLOT_BYTES]);
        self.chain = chain;
        self.next += 1;
        Ok(Some((SlotAt { sector, index }, slot)))
    }
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub struct Item {
    pub name: LongName,
    pub is_directory: bool,
    pub is_read_only: bool,
    /// Its first cluster; 0 when it has none.
    pub first: u32,
    pub size: u32,
    pub stamp: Stamp,
    pub at: SlotAt,
    /// The parts of its long name.
    pub parts: Vec<SlotAt, PARTS_MAX>,
}

/// Entry by entry through a directory.
#[derive(Clone, Debug)]
pub struct Walk {
    slots: Slots,
    assembly: Assembly,
    parts: Vec<SlotAt, PARTS_MAX>,
}

impl Walk {
    /// Through the directory that begins at that cluster.
    pub fn new(first: u32) -> Self {
        Self {
            slots: Slots::new(first),
            assembly: Assembly::default(),
            parts: Vec::new(),
        }
    }

    /// The next entry but `.` and `..`; `None` behind the last.
    pub fn next(
        &mut self,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<Option<Item>, Stop> {
        while let Some((at, bytes)) = self.slots.next(sectors, geometry)? {
            let slot = Slot::parse(&bytes, geometry.kind);
            if slot == Slot::End {
                return Ok(None);
            }
            if let Some(item) = self.take(at, slot) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn take(&mut self, at: SlotAt, slot: Slot) -> Option<Item> {
        let short = match slot {
            Slot::Part(part) => {
                if part.is_last {
                    self.parts.clear();
                }
                if !self.assembly.push(&part) || self.parts.push(at).is_err() {
                    self.drop_parts();
                }
                return None;
            }
            Slot::Short(short) if short.name[0] != b'.' => short,
            Slot::Short(_) | Slot::End | Slot::Free | Slot::Other => {
                self.drop_parts();
                return None;
            }
        };
        if !self.assembly.belongs_to(&short) {
            self.parts.clear();
        }
        let item = Item {
            name: self.assembly.name_of(&short),
            is_directory: short.is_directory,
            is_read_only: short.is_read_only,
            first: short.first,
            size: short.size,
            stamp: short.stamp,
            at,
            parts: self.parts.clone(),
        };
        self.drop_parts();
        Some(item)
    }

    fn drop_parts(&mut self) {
        self.assembly.clear();
        self.parts.clear();
    }
}

/// Room for an entry that is not there yet. All its slots lie in one sector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The first of its slots; `None` where the directory has to grow.
    pub at: Option<SlotAt>,
    /// Slots from here to the end of their sector are passed over.
    pub skipped: Option<SlotAt>,
    /// It is behind the last entry: what follows is not to be seen.
    pub is_last: bool,
    /// The sector behind that of the gap, when the gap is the last and there is one.
    pub next: Option<u64>,
    /// The last cluster of the directory; `None` for one that cannot grow.
    pub tail: Option<u32>,
    pub short: ShortName,
}

/// What became of looking for a name.
#[derive(Clone, Debug)]
pub enum Found {
    Item(Box<Item>),
    Absent(Gap),
}

/// Looks for a name in one directory.
pub struct Lookup {
    walk: Walk,
    name: LongName,
    /// Slots that an entry of this name needs.
    needed: usize,
    exact: Option<ShortName>,
    candidates: [ShortName; CANDIDATES],
    /// A bit for each candidate that somebody has.
    taken: u32,
    /// Free slots without a break in the sector where the walk is.
    run: Option<(SlotAt, usize)>,
    gap: Option<SlotAt>,
    /// Does it reach behind the last entry?
    is_gap_last: bool,
    /// Where the entries end.
    end: Option<SlotAt>,
}

impl Lookup {
    pub fn new(directory: u32, name: LongName) -> Self {
        let exact = exact(&name);
        let parts = match exact {
            Some(_) => 0,
            None => name.parts(),
        };
        Self {
            walk: Walk::new(directory),
            needed: parts + 1,
            exact,
            candidates: candidates(&name),
            name,
            taken: 0,
            run: None,
            gap: None,
            is_gap_last: false,
            end: None,
        }
    }

    pub const fn name(&self) -> &LongName {
        &self.name
    }

    pub fn step(&mut self, sectors: &mut dyn Sectors, geometry: &Geometry) -> Result<Found, Stop> {
        while let Some((at, bytes)) = self.walk.slots.next(sectors, geometry)? {
            if let Some(gap) = self.gap.filter(|_| self.end.is_some()) {
                if at.sector != gap.sector {
                    return self.absent(geometry, Some(at.sector));
                }
                continue;
            }
            let slot = match self.end {
                Some(_) => Slot::End,
                None => Slot::parse(&bytes, geometry.kind),
            };
            self.look_for_room(at, slot);
            if let Slot::Short(short) = slot {
                self.note_short(&short);
            }
            let is_named = |item: &Item| item.name.is_alike(&self.name);
            let alias = match slot {
                Slot::Short(short) => shown(&short.name, short.lower).is_alike(&self.name),
                _ => false,
            };
            if let Some(item) = self.walk.take(at, slot)
                && (alias || is_named(&item))
            {
                return Ok(Found::Item(Box::new(item)));
            }
        }
        self.absent(geometry, None)
    }

    fn look_for_room(&mut self, at: SlotAt, slot: Slot) {
        if slot == Slot::End && self.end.is_none() {
            self.end = Some(at);
        }
        if !matches!(slot, Slot::End | Slot::Free) {
            self.run = None;
            return;
        }
        let (first, count) = match self.run {
            Some((first, count)) if first.sector == at.sector => (first, count + 1),
            _ => (at, 1),
        };
        self.run = Some((first, count));
        if count == self.needed && self.gap.is_none() {
            self.gap = Some(first);
            self.is_gap_last = self.end.is_some();
        }
    }

    fn note_short(&mut self, short: &Short) {
        for (index, candidate) in self.candidates.iter().enumerate() {
            self.taken |= u32::from(*candidate == short.name) << index;
        }
    }

    /// The name is not there; `next` is the sector behind that of the gap.
    fn absent(&self, geometry: &Geometry, next: Option<u64>) -> Result<Found, Stop> {
        let free = (0..CANDIDATES).find(|index| self.taken >> index & 1 == 0);
        let short = match (self.exact, free) {
            (Some(short), _) => short,
            (None, Some(index)) => self.candidates[index],
            (None, None) => return Err(FatError::NoShortName.into()),
        };
        let is_last = match self.gap {
            Some(_) => self.is_gap_last,
            None => self.end.is_some(),
        };
        let is_elsewhere = |end: &SlotAt| self.gap.is_none_or(|gap| gap.sector != end.sector);
        let tail = match (self.walk.slots.first, geometry.root) {
            (0, Root::Sectors { .. }) => None,
            _ => self.walk.slots.chain.map(|chain| chain.cluster),
        };
        Ok(Found::Absent(Gap {
            at: self.gap,
            skipped: self.end.filter(|end| is_last && is_elsewhere(end)),
            is_last,
            next: next.filter(|_| is_last),
            tail: tail.filter(|_| self.walk.slots.next < SLOTS_MAX),
            short,
        }))
    }
}
