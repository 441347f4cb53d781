//! What one change wants written: sectors with their stages.
//!
//! Limits: `FILE_CHANGED_SECTORS_MAX` sectors.
//! Invariants: a sector is here once, in the latest of the stages that were asked for;
//! nothing of it is on the disk before the change has come through.

use super::cache::Cache;
use crate::base::buffer::Buffer;
use crate::base::disk::SECTOR_BYTES;
use crate::base::fixed::Vec;
use crate::limits::FILE_CHANGED_SECTORS_MAX;
use crate::storage::fat::{FatError, Sector, Sectors, Stage, Stop};

pub const OVERLAY_BYTES: usize = FILE_CHANGED_SECTORS_MAX * SECTOR_BYTES;

#[derive(Default)]
pub struct Overlay {
    /// `None` before the first mount.
    buffer: Option<Buffer>,
    /// What lies where in the buffer.
    slots: Vec<(u64, Stage), FILE_CHANGED_SECTORS_MAX>,
    high_water: usize,
    refused: u64,
}

impl Overlay {
    pub fn set_buffer(&mut self, buffer: Buffer) {
        self.buffer = Some(buffer);
    }

    pub const fn has_buffer(&self) -> bool {
        self.buffer.is_some()
    }

    pub fn clear(&mut self) {
        self.slots.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn slots(&self) -> &[(u64, Stage)] {
        &self.slots
    }

    pub const fn high_water(&self) -> usize {
        self.high_water
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn bytes(&self, slot: usize) -> Option<&Sector> {
        let bytes = self.buffer.as_ref()?.bytes();
        bytes.get(slot * SECTOR_BYTES..)?.first_chunk()
    }

    fn bytes_mut(&mut self, slot: usize) -> Option<&mut Sector> {
        let bytes = self.buffer.as_mut()?.bytes_mut();
        bytes.get_mut(slot * SECTOR_BYTES..)?.first_chunk_mut()
    }

    fn find(&self, sector: u64) -> Option<usize> {
        self.slots.iter().position(|(at, _)| *at == sector)
    }

    /// The slot of a sector: the one that it has, or a new one with what is in `bytes`.
    fn slot(&mut self, sector: u64, stage: Stage, bytes: &Sector) -> Result<usize, Stop> {
        if let Some(slot) = self.find(sector) {
            let kept = &mut self.slots[slot].1;
            *kept = (*kept).max(stage);
            return Ok(slot);
        }
        let slot = self.slots.len();
        if self.slots.push((sector, stage)).is_err() {
            self.refused += 1;
            return Err(FatError::TooMuch.into());
        }
        self.high_water = self.high_water.max(self.slots.len());
        match self.bytes_mut(slot) {
            Some(place) => *place = *bytes,
            None => return Err(FatError::TooMuch.into()),
        }
        Ok(slot)
    }
}

/// The sectors of the volume as a change sees them.
pub struct View<'a> {
    pub cache: &'a mut Cache,
    pub overlay: &'a mut Overlay,
}

const NO_SLOT: Stop = Stop::Failed(FatError::TooMuch);

impl Sectors for View<'_> {
    fn read(&mut self, sector: u64) -> Result<&Sector, Stop> {
        match self.overlay.find(sector) {
            Some(slot) => self.overlay.bytes(slot).ok_or(NO_SLOT),
            None => self.cache.sector(sector).ok_or(Stop::Miss(sector)),
        }
    }

    fn change(&mut self, sector: u64, stage: Stage) -> Result<&mut Sector, Stop> {
        let bytes = *self.read(sector)?;
        let slot = self.overlay.slot(sector, stage, &bytes)?;
        self.overlay.bytes_mut(slot).ok_or(NO_SLOT)
    }

    fn replace(&mut self, sector: u64, stage: Stage) -> Result<&mut Sector, Stop> {
        let slot = self.overlay.slot(sector, stage, &[0; SECTOR_BYTES])?;
        let bytes = self.overlay.bytes_mut(slot).ok_or(NO_SLOT)?;
        bytes.fill(0);
        Ok(bytes)
    }
}
