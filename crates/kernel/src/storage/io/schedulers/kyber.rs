//! Kyber: the depth of each kind of request follows from how long they take.
//!
//! Reads, writes and others have tokens, one for each transfer at the disk. Ten times a
//! second the times since are looked at, as in the Linux scheduler of that name: when
//! the disk itself is slow for reads or for writes, the kinds that are well within their
//! target get fewer tokens; a kind that misses its target gets more.
//!
//! Linux waits for 500 times or a second before it says anything of a kind. Here a
//! hundred are enough, and fewer where so many were slow that no more could mend it, so
//! that depths are found within `ADAPTED_AFTER`.

use super::sorted::Sorted;
use super::table::Table;
use super::{DiskNow, Finished, IoKind, Scheduler, SlotIndex, Waiting};
use crate::base::time::{Duration, Instant};

const KINDS: usize = IoKind::COUNT;
/// Of a request that is not the slowest hundredth: reads 2 ms, writes 10 ms. Others have
/// no target that Kyber would see to.
const TARGETS: [Duration; KINDS] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_secs(5),
];
/// Requests of a kind that go one after the other while another kind waits.
const BATCHES: [u32; KINDS] = [16, 8, 1];
/// Parts of a target in which times are counted, and how many parts are told apart.
const PARTS: usize = 4;
const BUCKETS: usize = 2 * PARTS;
const WINDOW: Duration = Duration::from_millis(100);
/// From so many times it can be said what 99 of 100 are within; or from those of a second.
const SAMPLES: u32 = 100;
const SAMPLES_FOR: Duration = Duration::from_secs(1);
/// Ten windows: so long a disk that has changed, or a load, may miss the targets that it
/// can hold.
pub const ADAPTED_AFTER: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Kyber {
    table: Table,
    by_arrival: Sorted,
    kinds: [Kind; KINDS],
    /// The disk's, of which the tokens are a part.
    depth: usize,
    /// Whose turn it is, and how many of them went.
    turn: usize,
    went: u32,
    /// When the times are looked at again.
    window_end: Option<Instant>,
}

#[derive(Default)]
struct Kind {
    tokens: usize,
    /// From arrival to answer, and of that what the disk took.
    total: Times,
    disk: Times,
    /// The part that 99 of 100 were within, for a window that has too few.
    last_p99: Option<usize>,
}

/// How many took so many parts of the target.
#[derive(Default)]
struct Times {
    buckets: [u32; BUCKETS],
    since: Option<Instant>,
}

const fn kind_of(waiting: &Waiting) -> usize {
    IoKind::of(waiting.operation) as usize
}

impl Times {
    fn add(&mut self, now: Instant, took: Duration, target: Duration) {
        let part = (target.as_nanos() / PARTS as u64).max(1);
        let bucket = (took.as_nanos().saturating_sub(1) / part).min(BUCKETS as u64 - 1);
        self.buckets[bucket as usize] += 1;
        self.since.get_or_insert(now);
    }

    /// The part of the target that so many of 100 were within, when there is enough to
    /// say so; then counting begins again.
    fn take_percentile(&mut self, now: Instant, percent: u32) -> Option<usize> {
        let samples: u32 = self.buckets.iter().sum();
        let misses: u32 = self.buckets[PARTS..].iter().sum();
        // With the rest of a hundred still to come it would be no better.
        let is_bad = misses * 100 > SAMPLES * (100 - percent);
        let is_enough = samples >= SAMPLES || is_bad || now.since(self.since?) >= SAMPLES_FOR;
        if samples == 0 || !is_enough {
            return None;
        }
        let mut left = (samples * percent).div_ceil(100);
        let bucket = self.buckets.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        *self = Self::default();
        bucket
    }
}

impl Kyber {
    fn may_go(&self, kind: usize, disk: DiskNow) -> Option<SlotIndex> {
        let (_, slot) = self.by_arrival.first(kind as u16)?;
        (disk.at_disk[kind] < self.kinds[kind].tokens).then_some(slot)
    }

    fn pick(&mut self, disk: DiskNow) -> Option<SlotIndex> {
        if self.went < BATCHES[self.turn]
            && let Some(slot) = self.may_go(self.turn, disk)
        {
            self.went += 1;
            return Some(slot);
        }
        let turns = (1..=KINDS).map(|step| (self.turn + step) % KINDS);
        let found = turns.filter_map(|kind| Some((kind, self.may_go(kind, disk)?)));
        let (kind, slot) = found.into_iter().next()?;
        (self.turn, self.went) = (kind, 1);
        Some(slot)
    }

    /// Gives and takes tokens by what was counted.
    fn adjust(&mut self, now: Instant) {
        // The slowest hundredth counts (Linux looks at the slowest tenth), for that is what
        // the targets are about.
        let slow = |kind: &mut Kind| kind.disk.take_percentile(now, 99) >= Some(PARTS);
        // Both are looked at, so that counting begins again for both.
        let is_slow = self.kinds[..2]
            .iter_mut()
            .map(slow)
            .fold(false, |a, b| a | b);
        for kind in &mut self.kinds {
            let fresh = kind.total.take_percentile(now, 99);
            let p99 = match is_slow {
                true => fresh.or(kind.last_p99.take()),
                false => {
                    kind.last_p99 = fresh.or(kind.last_p99);
                    fresh
                }
            };
            let Some(p99) = p99 else {
                continue;
            };
            // Half of the target: half of the tokens. Twice the target: twice as many, and
            // one more at least, or a kind that has come down to one would keep to it.
            let scaled = kind.tokens.saturating_mul(p99 + 1);
            let tokens = match p99 >= PARTS {
                true => scaled.div_ceil(PARTS),
                false if is_slow => scaled / PARTS,
                false => kind.tokens,
            };
            kind.tokens = tokens.clamp(1, self.depth.max(1));
        }
    }
}

impl Scheduler for Kyber {
    fn add(&mut self, _: Instant, waiting: Waiting) {
        let arrival = self.table.add(waiting);
        let kind = kind_of(&waiting) as u16;
        self.by_arrival.insert(kind, arrival, waiting.slot);
    }

    fn next(&mut self, now: Instant, disk: DiskNow) -> Option<Waiting> {
        if self.depth != disk.depth {
            // What was found says nothing of another depth.
            self.depth = disk.depth;
            self.kinds
                .iter_mut()
                .for_each(|it| it.tokens = self.depth.max(1));
        }
        let slot = self.pick(disk)?;
        self.take(now, slot)
    }

    fn take(&mut self, _: Instant, slot: SlotIndex) -> Option<Waiting> {
        let (waiting, arrival) = self.table.remove(slot)?;
        let kind = kind_of(&waiting) as u16;
        self.by_arrival.remove(kind, arrival, slot);
        Some(waiting)
    }

    fn drain(&mut self) -> Option<Waiting> {
        let slot = self.table.oldest()?;
        self.take(Instant::ZERO, slot)
    }

    fn on_done(&mut self, now: Instant, finished: &Finished) {
        let index = IoKind::of(finished.operation) as usize;
        let kind = &mut self.kinds[index];
        let total = Duration::from_nanos(
            finished
                .waited
                .as_nanos()
                .saturating_add(finished.served.as_nanos()),
        );
        kind.total.add(now, total, TARGETS[index]);
        kind.disk.add(now, finished.served, TARGETS[index]);
        let end = *self.window_end.get_or_insert(now + WINDOW);
        if now >= end {
            self.window_end = Some(now + WINDOW);
            self.adjust(now);
        }
    }

    fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{DISK, at, done, read, sent, write};
    use super::*;

    const DEEP: DiskNow = DiskNow { depth: 32, ..DISK };

    fn answer(kyber: &mut Kyber, millis: u64, of: &Waiting, served: Duration) {
        let finished = Finished { served, ..done(of) };
        kyber.on_done(at(millis), &finished);
    }

    /// Reads and writes that take so long, until times were looked at twice.
    fn run(kyber: &mut Kyber, read_takes: Duration, write_takes: Duration) {
        for millis in 0..3_000 {
            answer(kyber, millis, &read(0, 0), read_takes);
            answer(kyber, millis, &write(1, 0), write_takes);
        }
    }

    fn writes_at_once(kyber: &mut Kyber) -> usize {
        let mut disk = DEEP;
        for slot in 0..32 {
            kyber.add(at(9_000), write(slot, u64::from(slot)));
        }
        while let Some(picked) = kyber.next(at(9_000), disk) {
            sent(&mut disk, &picked);
        }
        assert_eq!(kyber.next_deadline(), None);
        disk.in_flight
    }

    #[test]
    fn writes_make_way_when_the_disk_is_slow_for_reads() {
        let mut kyber = Kyber::default();
        assert!(kyber.next(at(0), DEEP).is_none());
        run(
            &mut kyber,
            Duration::from_millis(5),
            Duration::from_millis(4),
        );
        let few = writes_at_once(&mut kyber);
        assert!((1..=16).contains(&few), "{few}");
    }

    #[test]
    fn everybody_has_the_whole_depth_while_targets_are_held() {
        let mut kyber = Kyber::default();
        assert!(kyber.next(at(0), DEEP).is_none());
        run(
            &mut kyber,
            Duration::from_micros(400),
            Duration::from_millis(2),
        );
        assert_eq!(writes_at_once(&mut kyber), 32);
    }

    #[test]
    fn who_misses_the_target_gets_tokens_back() {
        let mut kyber = Kyber::default();
        assert!(kyber.next(at(0), DEEP).is_none());
        kyber.kinds[1].tokens = 1;
        run(
            &mut kyber,
            Duration::from_micros(400),
            Duration::from_millis(30),
        );
        assert!(writes_at_once(&mut kyber) >= 16);
    }

    #[test]
    fn another_depth_begins_anew() {
        let mut kyber = Kyber::default();
        let shallow = DiskNow { depth: 1, ..DISK };
        assert!(kyber.next(at(0), shallow).is_none());
        assert_eq!(writes_at_once(&mut kyber), 32);
    }

    #[test]
    fn two_slow_ones_are_enough_and_one_of_a_hundred_is_not() {
        let target = TARGETS[0];
        let (quick, slow) = (Duration::from_micros(100), Duration::from_millis(3));
        let mut times = Times::default();
        times.add(at(0), slow, target);
        assert_eq!(times.take_percentile(at(1), 99), None, "it may be the one");
        times.add(at(2), slow, target);
        assert!(times.take_percentile(at(3), 99) >= Some(PARTS));
        times.add(at(4), slow, target);
        (0..99).for_each(|_| times.add(at(5), quick, target));
        assert_eq!(times.take_percentile(at(6), 99), Some(0));
    }

    #[test]
    fn kinds_take_turns_in_batches() {
        let mut kyber = Kyber::default();
        for slot in 0..60 {
            kyber.add(at(0), read(slot, 0));
            kyber.add(at(0), write(100 + slot, 0));
        }
        let disk = DiskNow { depth: 100, ..DISK };
        let picks = (0..48).map(|_| kyber.next(at(0), disk).expect("some wait"));
        let is_read: Vec<_> = picks.map(|it| kind_of(&it) == 0).collect();
        let expected = [[true; 16].as_slice(), &[false; 8], &[true; 16], &[false; 8]].concat();
        assert_eq!(is_read, expected);
    }
}
