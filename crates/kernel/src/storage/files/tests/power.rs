//! Power cuts at every write: what is left is whole.

use super::super::Act;
use super::bench::{Bench, Event, FIRST};
use super::checker::{Contents, check};
use crate::base::prng::Prng;
use crate::storage::fat::Kind;
use crate::storage::rig::Rig;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

type State = BTreeMap<String, Vec<u8>>;

/// Ways in which a cut lets some of the writes since the last flush get lost.
const WAYS: usize = 5;

/// What was on the disk when a command was answered, and how many events that took.
struct Recording {
    bench: Bench,
    before: Vec<u8>,
    states: Vec<State>,
    ends: Vec<usize>,
}

impl Recording {
    fn new(kind: Kind) -> Self {
        let bench = Bench::new(kind);
        Self {
            before: bench.rig.disks[0].clone(),
            bench,
            states: vec![State::new()],
            ends: vec![0],
        }
    }

    fn note(&mut self) {
        let contents = check(self.bench.volume()).expect("the volume keeps the rules");
        assert_eq!((contents.lost, contents.trailing), (0, 0));
        self.states.push(contents.files);
        self.ends.push(self.bench.events.len());
    }

    fn run(&mut self, path: &str, act: Act) {
        self.bench
            .run(path, act)
            .expect("nothing stands in the way");
        self.note();
    }

    fn put(&mut self, path: &str, text: &str) {
        let text = text.into();
        self.run(path, Act::Put { text });
    }

    fn append(&mut self, path: &str, text: &str) {
        let text = text.into();
        self.run(path, Act::Append { text });
    }

    fn receive(&mut self, path: &str, bytes: usize) {
        let mut contents = vec![0; bytes];
        Prng::new(bytes as u64).fill(&mut contents);
        self.bench.receive(path, &contents).expect("it fits");
        self.note();
    }

    /// A bit of everything, and everything that takes more than one sector.
    fn work(&mut self) {
        self.put("SHORT.TXT", "one");
        self.put("a name that takes several slots of a directory.txt", "two");
        self.receive("large", 40_000);
        self.put("SHORT.TXT", &"three ".repeat(150));
        for count in 0..6 {
            self.append("SHORT.TXT", &format!("appended {count} ").repeat(20));
        }
        self.run("sub", Act::MakeDirectory);
        for count in 0..24 {
            self.put(&format!("sub/the file with the number {count}"), "x");
        }
        self.receive("large", 9_000);
        for count in (0..24).step_by(3) {
            self.run(
                &format!("sub/the file with the number {count}"),
                Act::Remove,
            );
        }
        self.append("sub/new by appending", "y");
        self.run("large", Act::Remove);
    }

    /// What may be there once so many events have happened.
    fn allowed(&self, events: usize) -> &[State] {
        let answered = self.ends.iter().rposition(|end| *end <= events);
        let answered = answered.expect("the first end is 0");
        &self.states[answered..(answered + 2).min(self.states.len())]
    }
}

/// A disk as a power cut may leave it, for a moment.
struct Cut {
    /// What is safe.
    disk: Vec<u8>,
    /// Written since the last flush, sector by sector.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Cut {
    fn happen(&mut self, event: &Event) {
        match event {
            Event::Write(sector, bytes) => {
                for (index, sector_bytes) in bytes.chunks(512).enumerate() {
                    let at = (*sector as usize + index) * 512;
                    self.pending.push((at, sector_bytes.into()));
                }
            }
            Event::Flush => {
                for (at, bytes) in self.pending.drain(..) {
                    self.disk[at..at + 512].copy_from_slice(&bytes);
                }
            }
        }
    }

    /// Looks at the disk with some of what is pending on it.
    fn with<T>(&mut self, mut keeps: impl FnMut() -> bool, look: impl FnOnce(&[u8]) -> T) -> T {
        let mut undo = vec![];
        for (at, bytes) in &self.pending {
            if keeps() {
                undo.push((*at, self.disk[*at..*at + 512].to_vec()));
                self.disk[*at..*at + 512].copy_from_slice(bytes);
            }
        }
        let seen = look(&self.disk);
        for (at, bytes) in undo.into_iter().rev() {
            self.disk[at..at + 512].copy_from_slice(&bytes);
        }
        seen
    }
}

fn check_cut(disk: &[u8], recording: &Recording, events: usize) -> Contents {
    let end = (FIRST + recording.bench.region.sectors) as usize * 512;
    let contents = check(&disk[FIRST as usize * 512..end]);
    let contents = contents.unwrap_or_else(|error| panic!("cut at {events}: {error}"));
    let allowed = recording.allowed(events);
    let is_allowed = allowed.contains(&contents.files);
    let names = |state: &State| state.keys().cloned().collect::<Vec<_>>();
    assert!(
        is_allowed,
        "cut at {events}: {:?} instead of {:?}",
        names(&contents.files),
        allowed.iter().map(names).collect::<Vec<_>>()
    );
    contents
}

/// The kernel goes on with what the cut has left.
fn go_on(disk: &[u8], sectors: u64) {
    let mut rig = Rig::new(&[1]);
    rig.disks = vec![disk.to_vec()];
    let mut bench = Bench::on(rig, sectors);
    bench.run("", Act::List).expect("it can be read");
    bench
        .put("after the cut.txt", "well")
        .expect("it can be written");
    let contents = check(bench.volume()).expect("the volume keeps the rules");
    assert_eq!(contents.files["after the cut.txt"], b"well");
}

fn cut_everywhere(kind: Kind) {
    let mut recording = Recording::new(kind);
    recording.work();
    let mut prng = Prng::new(7);
    let mut cut = Cut {
        disk: recording.before.clone(),
        pending: vec![],
    };
    let (mut lost, mut trailing) = (0, 0);
    let events = recording.bench.events.clone();
    for count in 0..=events.len() {
        for way in 0..WAYS {
            let keeps = |prng: &mut Prng| match way {
                0 => true,
                1 => false,
                _ => prng.one_in(2),
            };
            let goes_on = way == 2 && prng.one_in(10);
            let sectors = recording.bench.region.sectors;
            let contents = cut.with(
                || keeps(&mut prng),
                |disk| {
                    if goes_on {
                        go_on(disk, sectors);
                    }
                    check_cut(disk, &recording, count)
                },
            );
            lost = lost.max(contents.lost);
            trailing = trailing.max(contents.trailing);
        }
        if let Some(event) = events.get(count) {
            cut.happen(event);
        }
    }
    // Otherwise nothing of this was put to the test.
    assert!(
        lost > 10 && trailing > 0,
        "{lost} lost, {trailing} trailing"
    );
    assert!(recording.ends.iter().all(|end| *end <= events.len()));
}

#[test]
fn a_power_cut_at_any_write_leaves_fat12_whole() {
    cut_everywhere(Kind::Fat12);
}

#[test]
fn a_power_cut_at_any_write_leaves_fat16_whole() {
    cut_everywhere(Kind::Fat16);
}

#[test]
fn a_power_cut_at_any_write_leaves_fat32_whole() {
    cut_everywhere(Kind::Fat32);
}
