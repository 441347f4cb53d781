//! The disks of a pool: each holds the same blocks at the same places.
//!
//! Invariant: a member that missed a write is stale, and nothing is read from it until it
//! was filled again.

use super::pointer::BLOCK_SECTORS;
use crate::limits::VOLUME_REPLICAS_MAX;
use crate::storage::region::Region;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberState {
    Healthy,
    /// It is written to, and read from only to be compared.
    Filling,
    /// It missed something, or failed.
    Stale,
    /// The pool has fewer disks, or this one is not there.
    Absent,
}

#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub region: Option<Region>,
    pub state: MemberState,
    /// Requests that it failed.
    pub errors: u64,
}

#[derive(Clone, Debug)]
pub struct Members {
    all: [Member; VOLUME_REPLICAS_MAX],
}

impl Members {
    pub const fn new() -> Self {
        let nobody = Member {
            region: None,
            state: MemberState::Absent,
            errors: 0,
        };
        Self {
            all: [nobody; VOLUME_REPLICAS_MAX],
        }
    }

    pub fn set(&mut self, member: usize, region: Region, state: MemberState) {
        if let Some(place) = self.all.get_mut(member) {
            *place = Member {
                region: Some(region),
                state,
                errors: 0,
            };
        }
    }

    /// Its disk is gone, or nothing more is to be asked of it.
    pub fn remove(&mut self, member: usize) {
        if let Some(place) = self.all.get_mut(member) {
            place.region = None;
            place.state = MemberState::Absent;
        }
    }

    pub fn get(&self, member: usize) -> Option<&Member> {
        self.all.get(member)
    }

    pub fn become_state(&mut self, member: usize, state: MemberState) {
        if let Some(place) = self.all.get_mut(member) {
            place.state = state;
        }
    }

    pub fn count_error(&mut self, member: usize) {
        if let Some(place) = self.all.get_mut(member) {
            place.errors += 1;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, &Member)> {
        let members = self.all.iter().enumerate();
        members.filter(|(_, member)| member.region.is_some())
    }

    fn in_state(&self, states: &'static [MemberState]) -> impl Iterator<Item = usize> {
        let members = self.iter();
        let fits = move |(index, member): (usize, &Member)| {
            states.contains(&member.state).then_some(index)
        };
        members.filter_map(fits)
    }

    /// Who may be read from.
    pub fn healthy(&self) -> impl Iterator<Item = usize> {
        self.in_state(&[MemberState::Healthy])
    }

    /// Whom everything is written to.
    pub fn written(&self) -> impl Iterator<Item = usize> {
        self.in_state(&[MemberState::Healthy, MemberState::Filling])
    }

    /// Where a block is on a member's disk: the disk and the sector.
    pub fn place_of(&self, member: usize, block: u32, blocks: u32) -> Option<(usize, u64)> {
        let region = self.get(member)?.region?;
        let (first, count) = (u64::from(block), u64::from(blocks));
        let sector = region.at(first * BLOCK_SECTORS, count * BLOCK_SECTORS)?;
        Some((region.disk, sector))
    }
}

impl Default for Members {
    fn default() -> Self {
        Self::new()
    }
}
