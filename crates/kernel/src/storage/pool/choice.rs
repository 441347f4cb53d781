//! Which disks make up the pool at a mount, and whose journal is true.
//!
//! Whoever is called stale in a journal missed something that this journal has. So a disk
//! that nobody calls stale has all that was ever promised, if every disk that may know
//! better is there. `docs/volumes.md` has the reasons.

use crate::limits::{DISKS_MAX, VOLUME_REPLICAS_MAX};
use crate::storage::volumes::PoolRow;

/// What the journal of one disk says.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number that it got when it was made.
    pub journal: u64,
    pub generation: u64,
    pub pool: PoolRow,
}

pub type Entries = [Option<Entry>; DISKS_MAX];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// No journal tells of a pool.
    Nothing,
    Mount {
        /// The disk whose table is true.
        source: usize,
        /// The disk of each member that is there.
        members: [Option<usize>; VOLUME_REPLICAS_MAX],
        /// A bit for each that missed something.
        stale: u8,
    },
    /// So many disks are not there that may have what these have not.
    Waits { missing: u32, members: u8 },
    /// Each disk that is there missed something that another one has.
    NoneWhole,
    /// Each of these disks went on without the others.
    Torn,
}

/// `is_allowed`: a person has said that it is to go on without those that are missing.
pub fn choose(entries: &Entries, is_allowed: bool) -> Choice {
    let Some(first) = entries.iter().flatten().next() else {
        return Choice::Nothing;
    };
    let id = first.pool.id;
    let is_of_pool = |disk: usize| {
        let entry = entries[disk].as_ref().filter(|it| it.pool.id == id)?;
        let is_copy = |other: &Entry| other.journal == entry.journal;
        // Of two disks with the same journal one is a copy.
        (!entries[..disk].iter().flatten().any(is_copy)).then_some(entry)
    };
    let ours = || (0..DISKS_MAX).filter_map(|disk| Some((disk, is_of_pool(disk)?)));
    let calls = |by: &Entry, other: &Entry| {
        let member = by.pool.disks.iter().position(|it| *it == other.journal);
        // One that was not a member yet, or is none any more, has nothing to say.
        member.is_none_or(|member| by.pool.stale >> member & 1 != 0)
    };
    let is_whole = |entry: &Entry| !ours().any(|(_, by)| calls(by, entry));
    let whole = || ours().filter(|(_, entry)| is_whole(entry));
    let Some((source, truth)) = whole().max_by_key(|(_, entry)| entry.generation) else {
        return without_whole(&ours);
    };
    let stale = whole().fold(0, |bits, (_, entry)| bits | entry.pool.stale);
    let place = |member: usize| {
        let journal = truth.pool.disks[member];
        let mut ours = ours();
        ours.find(|(_, entry)| journal != 0 && entry.journal == journal)
    };
    let members: [_; VOLUME_REPLICAS_MAX] =
        core::array::from_fn(|member| place(member).map(|(disk, _)| disk));
    let is_missing = |member: &usize| members[*member].is_none() && stale >> *member & 1 == 0;
    let missing = (0..usize::from(truth.pool.members))
        .filter(is_missing)
        .count();
    match missing > 0 && !is_allowed {
        true => Choice::Waits {
            missing: missing as u32,
            members: truth.pool.members,
        },
        false => Choice::Mount {
            source,
            members,
            stale,
        },
    }
}

/// Every disk that is there is called stale by one of them.
fn without_whole<'a, I>(ours: &dyn Fn() -> I) -> Choice
where
    I: Iterator<Item = (usize, &'a Entry)>,
{
    let calls_itself = |entry: &Entry| {
        let member = entry.pool.disks.iter().position(|it| *it == entry.journal);
        member.is_none_or(|member| entry.pool.stale >> member & 1 != 0)
    };
    let own = ours().filter(|(_, entry)| !calls_itself(entry));
    // With two that take themselves for whole, each went on alone. With one, it was called
    // so by another one that is stale itself: that one may have seen more.
    match own.count() > 1 {
        true => Choice::Torn,
        false => Choice::NoneWhole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u64 = 10;
    const B: u64 = 11;
    const C: u64 = 12;

    fn entry(journal: u64, generation: u64, members: u8, stale: u8) -> Entry {
        Entry {
            journal,
            generation,
            pool: PoolRow {
                id: 1,
                blocks: 1000,
                members,
                stale,
                last_id: 0,
                disks: [A, B, if members > 2 { C } else { 0 }],
            },
        }
    }

    fn chosen(list: &[Entry], is_allowed: bool) -> Choice {
        let mut entries = Entries::default();
        for (place, entry) in entries.iter_mut().zip(list) {
            *place = Some(entry.clone());
        }
        choose(&entries, is_allowed)
    }

    fn mount(source: usize, members: &[Option<usize>], stale: u8) -> Choice {
        let mut all = [None; VOLUME_REPLICAS_MAX];
        all[..members.len()].copy_from_slice(members);
        Choice::Mount {
            source,
            members: all,
            stale,
        }
    }

    #[test]
    fn of_whole_disks_the_one_that_is_further_counts() {
        let all = [entry(A, 9, 2, 0), entry(B, 10, 2, 0)];
        assert_eq!(chosen(&all, false), mount(1, &[Some(0), Some(1)], 0));
    }

    #[test]
    fn who_is_called_stale_never_counts_however_far_it_is() {
        let all = [entry(A, 12, 2, 0), entry(B, 10, 2, 0b01)];
        assert_eq!(chosen(&all, false), mount(1, &[Some(0), Some(1)], 0b01));
        // Also when it is the first to say so.
        let all = [entry(A, 12, 2, 0b01), entry(B, 12, 2, 0b01)];
        assert_eq!(chosen(&all, false), mount(1, &[Some(0), Some(1)], 0b01));
    }

    #[test]
    fn what_one_of_the_whole_says_of_a_third_is_true_for_all() {
        let all = [
            entry(A, 12, 3, 0),
            entry(B, 12, 3, 0b100),
            entry(C, 12, 3, 0),
        ];
        let Choice::Mount { members, stale, .. } = chosen(&all, false) else {
            panic!("it is not mounted");
        };
        assert_eq!((members, stale), ([Some(0), Some(1), Some(2)], 0b100));
    }

    #[test]
    fn a_disk_alone_waits_for_one_that_may_know_more_and_not_for_one_that_cannot() {
        let waits = Choice::Waits {
            missing: 1,
            members: 2,
        };
        assert_eq!(chosen(&[entry(B, 9, 2, 0)], false), waits);
        assert_eq!(
            chosen(&[entry(B, 9, 2, 0)], true),
            mount(0, &[None, Some(0)], 0)
        );
        let is_newest = entry(B, 9, 2, 0b01);
        assert_eq!(
            chosen(&[is_newest], false),
            mount(0, &[None, Some(0)], 0b01)
        );
        // One that knows that it missed something is never taken, whatever a person says.
        for is_allowed in [false, true] {
            let alone = [entry(B, 9, 2, 0b10)];
            assert_eq!(chosen(&alone, is_allowed), Choice::NoneWhole);
        }
    }

    #[test]
    fn disks_that_each_went_on_alone_are_not_put_together() {
        let all = [entry(A, 12, 2, 0b10), entry(B, 15, 2, 0b01)];
        assert_eq!(chosen(&all, true), Choice::Torn);
    }

    #[test]
    fn a_disk_of_another_pool_a_copy_and_a_former_member_are_left_out() {
        let mut other = entry(B, 99, 2, 0);
        other.pool.id = 2;
        let all = [entry(A, 9, 2, 0b10), other];
        assert_eq!(chosen(&all, false), mount(0, &[Some(0), None], 0b10));
        let all = [entry(A, 9, 2, 0b10), entry(A, 99, 2, 0)];
        assert_eq!(chosen(&all, false), mount(0, &[Some(0), None], 0b10));
        // Another disk has got the place of B.
        let mut truth = entry(A, 9, 2, 0);
        truth.pool.disks[1] = C;
        let mut third = truth.clone();
        third.journal = C;
        let all = [truth, entry(B, 7, 2, 0), third];
        assert_eq!(chosen(&all, false), mount(0, &[Some(0), Some(2)], 0));
        assert_eq!(chosen(&[], true), Choice::Nothing);
    }
}
