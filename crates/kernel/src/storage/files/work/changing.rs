//! The turns of a work that change something: each makes one change whole.

use super::looking::PIECES_A_TURN;
use super::{Ground, Phase, Turn, Work};
use crate::storage::fat::{self, Entry, FatError, Found, Fresh, Geometry, Item, Stop, Walk};
use crate::storage::files::wish::Act;
use alloc::boxed::Box;

impl Work {
    pub(super) fn write(&mut self, ground: &mut Ground<'_>) -> Result<Turn, Stop> {
        if self.is_idle() {
            return Ok(Turn::Idle);
        }
        let data = &self.buffer.bytes()[..self.filled];
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let extended = fat::extend(ground.sectors, geometry, search, self.fresh, data)?;
        self.search = Some(extended.search);
        *ground.search = extended.search;
        take(ground.free, extended.clusters);
        self.fresh = extended.fresh;
        self.buffer
            .bytes_mut()
            .copy_within(extended.bytes..self.filled, 0);
        self.filled -= extended.bytes;
        if self.has_all && self.filled == 0 {
            self.size = u64::from(self.fresh.size);
            self.become_placing(ground.generation);
        }
        Ok(Turn::More)
    }

    pub(super) fn place(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::Placing(name, found) = &self.phase else {
            return Ok(());
        };
        let (first, size) = (self.fresh.first, self.fresh.size);
        let entry = match self.wish.act {
            Act::MakeDirectory => Entry::Directory { first },
            _ => Entry::File { first, size },
        };
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let published = fat::publish(ground.sectors, geometry, search, name, found, entry)?;
        self.search = Some(published.search);
        *ground.search = published.search;
        if published.is_done {
            take(ground.free, published.clusters);
            let old = match found {
                Found::Item(item) => item.first,
                Found::Absent(_) => 0,
            };
            self.fresh = Fresh::default();
            self.phase = self.freeing(old);
        }
        Ok(())
    }

    pub(super) fn seek(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        for _ in 0..PIECES_A_TURN {
            let Phase::Seeking(item, chain, last) = &mut self.phase else {
                return Ok(());
            };
            let clusters = item.size.div_ceil(ground.geometry.cluster_bytes());
            if chain.walked() == clusters {
                *last = chain.cluster;
            }
            // To its end, or nobody knows that it does not lead back into itself.
            if chain.advance(ground.sectors, ground.geometry)? {
                continue;
            }
            if chain.walked() < clusters {
                let cluster = chain.cluster;
                return Err(FatError::BrokenChain { cluster }.into());
            }
            self.phase = Phase::Appending(item.clone(), *last);
        }
        Ok(())
    }

    pub(super) fn append(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::Appending(item, last) = &self.phase else {
            return Ok(());
        };
        let data = &self.buffer.bytes()[..self.filled];
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let appended = fat::append(ground.sectors, geometry, search, item, *last, data)?;
        self.search = Some(appended.search);
        *ground.search = appended.search;
        if appended.is_done {
            take(ground.free, appended.clusters);
            self.size = u64::from(appended.size);
            // A file without a byte may have clusters all the same.
            let unused = if *last == 0 { item.first } else { 0 };
            self.phase = self.freeing(unused);
        }
        Ok(())
    }

    pub(super) fn make_directory(&mut self, ground: &mut Ground<'_>) -> Result<(), Stop> {
        let Phase::MakingDirectory(parent) = self.phase else {
            return Ok(());
        };
        let search = self.search.unwrap_or(ground.search.anew());
        let geometry = ground.geometry;
        let (made, search) = fat::make_directory(ground.sectors, geometry, search, parent)?;
        self.search = Some(search);
        *ground.search = search;
        if let Some(first) = made {
            take(ground.free, 1);
            self.fresh = Fresh::of_directory(first);
            self.become_placing(ground.generation);
        }
        Ok(())
    }
}

/// How an entry goes.
pub fn removal(item: Box<Item>, geometry: &Geometry) -> Result<Phase, FatError> {
    if item.is_read_only {
        return Err(FatError::ReadOnly);
    }
    if !item.is_directory {
        return Ok(Phase::Removing(item));
    }
    let cluster = item.first;
    if !geometry.has(cluster) {
        return Err(FatError::BrokenChain { cluster });
    }
    let walk = Box::new(Walk::new(cluster));
    Ok(Phase::Emptiness(item, walk))
}

fn take(free: &mut Option<u32>, clusters: u32) {
    *free = free.map(|free| free.saturating_sub(clusters));
}
