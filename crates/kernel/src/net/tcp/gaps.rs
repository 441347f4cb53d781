//! What has arrived beyond a gap, and how the sender is told of it (RFC 2018, RFC 2883).
//!
//! Invariant: the runs are apart from each other, in order, and none is empty.

use super::header::{Range, SACK_BLOCKS_SENT_MAX, SackBlocks};
use super::sequence::Sequence;
use crate::base::fixed::{Full, Vec};
use crate::limits::TCP_GAPS_MAX;

#[derive(Default)]
pub struct Gaps {
    runs: Vec<Range, TCP_GAPS_MAX>,
    /// Where the runs begin that were told or changed last, the latest first.
    latest: [Sequence; SACK_BLOCKS_SENT_MAX],
}

/// What was new in a run that has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Novelty {
    All,
    /// Some of it was there; the range is the first that was.
    Some(Range),
}

impl Gaps {
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Would another run fit, or does this one touch one that is there?
    pub fn has_room_for(&self, start: Sequence, end: Sequence) -> bool {
        !self.runs.is_full()
            || self
                .runs
                .iter()
                .any(|run| !run.1.is_before(start) && !run.0.is_after(end))
    }

    /// Notes that the bytes from `start` to `end` are there.
    pub fn insert(&mut self, start: Sequence, end: Sequence) -> Result<Novelty, Full> {
        let first = self.runs.partition_point(|run| run.1.is_before(start));
        let last = self.runs.partition_point(|run| !run.0.is_after(end));
        if first == last {
            self.runs.insert(first, (start, end))?;
            self.remember(start);
            return Ok(Novelty::All);
        }
        let mut novelty = Novelty::All;
        for run in &self.runs[first..last] {
            let shared = (run.0.later(start), run.1.earlier(end));
            if shared.0.is_before(shared.1) && novelty == Novelty::All {
                novelty = Novelty::Some(shared);
            }
        }
        let merged = (
            self.runs[first].0.earlier(start),
            self.runs[last - 1].1.later(end),
        );
        self.runs[first] = merged;
        for _ in first + 1..last {
            self.runs.remove(first + 1);
        }
        self.remember(merged.0);
        Ok(novelty)
    }

    /// The stream has come to `next`: the end of what is there in one run from it.
    pub fn join(&mut self, next: Sequence) -> Sequence {
        let mut end = next;
        while let Some(run) = self.runs.first().copied()
            && !run.0.is_after(end)
        {
            end = end.later(run.1);
            self.runs.remove(0);
        }
        end
    }

    /// The first range of `start..end` that is there already.
    pub fn overlap(&self, start: Sequence, end: Sequence) -> Option<Range> {
        let run = self.runs.iter().find(|run| run.1.is_after(start))?;
        let shared = (run.0.later(start), run.1.earlier(end));
        shared.0.is_before(shared.1).then_some(shared)
    }

    /// Tells the sender: the duplicate first, then the runs, the latest first.
    pub fn blocks(&self, duplicate: Option<Range>) -> SackBlocks {
        let mut blocks = SackBlocks::default();
        if let Some(range) = duplicate {
            blocks.push(range);
        }
        let room = SACK_BLOCKS_SENT_MAX - blocks.as_slice().len();
        let mut told = 0;
        for start in self.latest {
            let run = self.runs.iter().find(|run| run.0 == start);
            if let Some(run) = run
                && told < room
                && !blocks.as_slice()[usize::from(duplicate.is_some())..].contains(run)
            {
                blocks.push(*run);
                told += 1;
            }
        }
        blocks
    }

    fn remember(&mut self, start: Sequence) {
        let at = self.latest.iter().position(|other| *other == start);
        let end = at.unwrap_or(self.latest.len() - 1);
        self.latest[..=end].rotate_right(1);
        self.latest[0] = start;
    }

    #[cfg(test)]
    pub fn assert_consistent(&self, next: Sequence, edge: Sequence) {
        let mut before = next;
        for (start, end) in &self.runs {
            assert!(start.is_after(before), "runs touch");
            assert!(end.is_after(*start), "an empty run");
            assert!(!end.is_after(edge), "a run beyond the window");
            before = *end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    const BASE: u32 = u32::MAX - 500;

    fn at(place: usize) -> Sequence {
        Sequence::new(BASE) + place
    }

    #[test]
    fn runs_agree_with_a_bitmap() {
        let mut prng = Prng::new(9);
        for _ in 0..300 {
            let (mut gaps, mut model, mut next) = (Gaps::default(), [false; 1000], 0);
            for _ in 0..40 {
                let start = next + 1 + prng.below(900 - next as u64) as usize;
                let end = start + 1 + prng.below(60) as usize;
                let had = model[start..end].iter().any(|there| *there);
                let novelty = gaps.insert(at(start), at(end)).unwrap();
                assert_eq!(novelty != Novelty::All, had);
                model[start..end].fill(true);
                if prng.one_in(8) {
                    next = (next + prng.below(50) as usize).min(890);
                    model[..next].fill(true);
                    while model[next] {
                        next += 1;
                    }
                    next = next.min(890);
                    let joined = gaps.join(at(next));
                    next = joined.since(at(0));
                    assert!(!model[next]);
                    if next > 880 {
                        break;
                    }
                }
                gaps.assert_consistent(at(next), at(1000));
                for (start, end) in &gaps.runs {
                    let run = start.since(at(0))..end.since(at(0));
                    assert!(model[run].iter().all(|there| *there));
                }
            }
        }
    }

    #[test]
    fn the_latest_run_is_told_first_and_the_duplicate_before_it() {
        let mut gaps = Gaps::default();
        for start in [10, 30, 50, 70] {
            assert_eq!(gaps.insert(at(start), at(start + 5)), Ok(Novelty::All));
        }
        let run = |start: usize| (at(start), at(start + 5));
        assert_eq!(gaps.blocks(None).as_slice(), [run(70), run(50), run(30)]);
        let duplicate = (at(0), at(4));
        assert_eq!(
            gaps.blocks(Some(duplicate)).as_slice(),
            [duplicate, run(70), run(50)]
        );
        assert_eq!(gaps.insert(at(35), at(50)), Ok(Novelty::All));
        assert_eq!(gaps.blocks(None).as_slice()[0], (at(30), at(55)));
        assert_eq!(gaps.overlap(at(0), at(12)), Some((at(10), at(12))));
        assert_eq!(gaps.overlap(at(15), at(30)), None);
    }

    #[test]
    fn a_full_list_still_takes_what_touches_a_run() {
        let mut gaps = Gaps::default();
        for index in 0..TCP_GAPS_MAX {
            assert!(gaps.insert(at(10 * index), at(10 * index + 5)).is_ok());
        }
        assert!(!gaps.has_room_for(at(7), at(8)));
        assert_eq!(gaps.insert(at(7), at(8)), Err(Full));
        assert!(gaps.has_room_for(at(5), at(8)));
        assert_eq!(gaps.insert(at(5), at(8)), Ok(Novelty::All));
    }
}
