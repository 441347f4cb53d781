//! SCAN, C-SCAN, LOOK and C-LOOK: the arm sweeps over the disk as a lift does.
//!
//! A disk has no request that only moves its arm, so what lies between the last request
//! and the edge costs nothing here. What differs is when a sweep is over: LOOK turns
//! with the last request that it knows of, so that one which arrives ahead afterwards
//! waits for the next sweep; SCAN is on its way to the edge still, and takes it along.
//!
//! A request waits at most for two sweeps: each pick is strictly ahead of the one before.

use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, Scheduler, SlotIndex, Waiting};
use crate::base::time::Instant;

pub struct Sweep {
    turns: Turns,
    /// After a turn it begins at the other edge instead of going back.
    is_circular: bool,
    table: Table,
    by_sector: Sorted,
    position: Position,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turns {
    AtEdge,
    AtLast,
}

/// Where the sweep is; what is ahead is at or above the one, or below the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Position {
    /// Where the disk is: nothing was picked yet.
    Unknown,
    Up(u64),
    Down(u64),
}

impl Sweep {
    pub fn scan() -> Self {
        Self::new(Turns::AtEdge, false)
    }

    pub fn c_scan() -> Self {
        Self::new(Turns::AtEdge, true)
    }

    pub fn look() -> Self {
        Self::new(Turns::AtLast, false)
    }

    pub fn c_look() -> Self {
        Self::new(Turns::AtLast, true)
    }

    fn new(turns: Turns, is_circular: bool) -> Self {
        Self {
            turns,
            is_circular,
            table: Table::default(),
            by_sector: Sorted::default(),
            position: Position::Unknown,
        }
    }

    fn ahead(&self, position: Position) -> Option<SlotIndex> {
        let found = match position {
            Position::Unknown => None,
            Position::Up(sector) => self.by_sector.at_or_above(0, sector),
            Position::Down(sector) => self.by_sector.below(0, sector),
        };
        found.map(|(_, slot)| slot)
    }

    /// Where the next sweep begins; `behind` is above all that it can find.
    const fn turned(&self, behind: u64) -> Position {
        match self.position {
            Position::Up(_) if !self.is_circular => Position::Down(behind),
            _ => Position::Up(0),
        }
    }

    /// Where the sweep is behind what was picked.
    fn passed(&self, picked: &Waiting, disk: DiskNow) -> Position {
        let end = picked.sector.saturating_add(picked.sectors.max(1));
        let (passed, turned, is_at_edge) = match self.position {
            Position::Unknown | Position::Up(_) => {
                (Position::Up(end), self.turned(end), end >= disk.sectors)
            }
            Position::Down(_) => {
                let is_at_edge = picked.sector == 0;
                let turned = Position::Up(picked.sector);
                (Position::Down(picked.sector), turned, is_at_edge)
            }
        };
        let is_over = match self.turns {
            Turns::AtEdge => is_at_edge,
            Turns::AtLast => self.ahead(passed).is_none(),
        };
        if is_over { turned } else { passed }
    }
}

impl Scheduler for Sweep {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        self.table.add(waiting);
        self.by_sector.insert(0, waiting.sector, waiting.slot);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        if self.position == Position::Unknown {
            self.position = Position::Up(disk.head);
        }
        let slot = match self.ahead(self.position) {
            Some(slot) => slot,
            None => {
                // A request may lie beyond what the disk says is its end.
                self.position = self.turned(u64::MAX);
                self.ahead(self.position)?
            }
        };
        let picked = self.take(now, slot)?;
        self.position = self.passed(&picked, disk);
        Some(picked)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, _) = self.table.remove(slot)?;
        self.by_sector.remove(0, waiting.sector, slot);
        Some(waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        let slot = self.table.oldest()?;
        self.take(Instant::ZERO, slot)
    }

    fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DISK, at, order, read};
    use super::*;
    use crate::base::prng::Prng;

    fn filled(mut scheduler: Sweep, sectors: &[u64]) -> Sweep {
        for (slot, sector) in sectors.iter().enumerate() {
            let sectors = 1;
            let waiting = read(slot as u16, *sector);
            scheduler.add(at(0), Waiting { sectors, ..waiting });
        }
        scheduler
    }

    /// A head in the midst, as in the textbooks.
    const NOW: DiskNow = DiskNow { head: 53, ..DISK };
    const SECTORS: [u64; 8] = [98, 183, 37, 122, 14, 124, 65, 67];

    #[test]
    fn lifts_go_up_and_come_back_down() {
        for scheduler in [Sweep::scan(), Sweep::look()] {
            let found = order(&mut filled(scheduler, &SECTORS), NOW);
            assert_eq!(found, [65, 67, 98, 122, 124, 183, 37, 14]);
        }
    }

    #[test]
    fn circular_ones_begin_again_at_the_other_edge() {
        for scheduler in [Sweep::c_scan(), Sweep::c_look()] {
            let found = order(&mut filled(scheduler, &SECTORS), NOW);
            assert_eq!(found, [65, 67, 98, 122, 124, 183, 14, 37]);
        }
    }

    #[test]
    fn scan_goes_on_to_the_edge_where_look_has_turned() {
        let last_and_later = |scheduler: Sweep, picks: &[u64]| {
            let mut scheduler = filled(scheduler, &[10, 100]);
            assert_eq!(scheduler.next(at(1), NOW).map(|it| it.sector), Some(100));
            scheduler.add(at(1), read(9, 500));
            assert_eq!(order(&mut scheduler, NOW), picks);
        };
        last_and_later(Sweep::scan(), &[500, 10]);
        last_and_later(Sweep::c_scan(), &[500, 10]);
        last_and_later(Sweep::look(), &[10, 500]);
        last_and_later(Sweep::c_look(), &[10, 500]);
    }

    #[test]
    fn scan_turns_at_the_edge_itself() {
        let mut scheduler = filled(Sweep::scan(), &[DISK.sectors - 1, 10]);
        let picked = scheduler.next(at(1), NOW).map(|it| it.sector);
        assert_eq!(picked, Some(DISK.sectors - 1));
        scheduler.add(at(1), read(9, 500));
        assert_eq!(order(&mut scheduler, NOW), [500, 10]);
    }

    /// Somebody who asks for the same place again and again does not hold the sweep there.
    #[test]
    fn what_comes_to_where_it_is_waits_for_the_next_sweep() {
        for make in [Sweep::scan, Sweep::c_scan, Sweep::look, Sweep::c_look] {
            for head in [0, 900] {
                // From the higher head some go down at first, and meet the others there.
                let mut scheduler = filled(make(), &[1_000, 500, 10]);
                let disk = DiskNow { head, ..DISK };
                let mut others = 3;
                for slot in 10..30 {
                    let picked = scheduler.next(at(1), disk).expect("some wait");
                    others -= usize::from(picked.slot.0 < 3);
                    scheduler.add(at(1), read(slot, picked.sector));
                }
                assert_eq!(others, 0);
            }
        }
    }

    #[test]
    fn each_sweep_goes_one_way_and_a_request_waits_for_two_at_most() {
        let mut prng = Prng::new(11);
        for make in [Sweep::scan, Sweep::c_scan, Sweep::look, Sweep::c_look] {
            let mut scheduler = make();
            let mut turns_at_arrival = [0; 200];
            let (mut turns, mut before, mut position) = (0, 0, Position::Unknown);
            for step in 0..5_000 {
                if let Some(free) =
                    (0..200).find(|slot| scheduler.table.get(SlotIndex(*slot)).is_none())
                {
                    scheduler.add(at(step), read(free, prng.below(DISK.sectors)));
                    turns_at_arrival[usize::from(free)] = turns;
                }
                if step < 150 {
                    continue;
                }
                let picked = scheduler.next(at(step), DISK).expect("some wait");
                let was_up = !matches!(position, Position::Down(_));
                let is_up = !matches!(scheduler.position, Position::Down(_));
                let goes_on = match was_up {
                    true => picked.sector >= before,
                    false => picked.sector <= before,
                };
                turns += u32::from(!goes_on || was_up != is_up);
                (before, position) = (picked.sector, scheduler.position);
                let waited = turns - turns_at_arrival[usize::from(picked.slot.0)];
                assert!(waited <= 3, "{waited} turns");
            }
        }
    }
}
