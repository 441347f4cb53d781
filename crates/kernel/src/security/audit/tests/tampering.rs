//! What is done to a trail is found, and named with the number of the entry.

use super::*;
use crate::base::digest::Digest;

/// A trail outside of the kernel, to be broken.
#[derive(Clone)]
struct Copy {
    base: Link,
    head: Link,
    entries: Vec<Sealed>,
    /// Also says the hash before each entry, as exports do.
    previous: Option<Vec<Digest>>,
}

impl Kept for Copy {
    fn base(&self) -> Link {
        self.base
    }

    fn head(&self) -> Link {
        self.head
    }

    fn entry(&self, index: usize) -> Option<Linked<'_>> {
        let sealed = self.entries.get(index)?;
        Some(Linked {
            entry: &sealed.entry,
            hash: &sealed.hash,
            previous: self.previous.as_ref().map(|previous| &previous[index]),
        })
    }
}

impl Copy {
    fn of(trail: &AuditTrail, is_with_previous: bool) -> Self {
        let base = trail.chain().base();
        let entries: Vec<Sealed> = trail.chain().iter().copied().collect();
        let before = core::iter::once(base.hash);
        let previous = before.chain(entries.iter().map(|sealed| sealed.hash));
        Self {
            base,
            head: trail.head(),
            previous: is_with_previous.then(|| previous.take(entries.len()).collect()),
            entries,
        }
    }

    fn number(&self, index: usize) -> u64 {
        self.entries[index].entry.number
    }

    fn remove(&mut self, index: usize) {
        self.entries.remove(index);
        if let Some(previous) = &mut self.previous {
            previous.remove(index);
        }
    }

    fn insert(&mut self, index: usize, sealed: Sealed, before: Digest) {
        self.entries.insert(index, sealed);
        if let Some(previous) = &mut self.previous {
            previous.insert(index, before);
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.entries.swap(one, other);
        if let Some(previous) = &mut self.previous {
            previous.swap(one, other);
        }
    }
}

/// Whole trails: one from its beginning, one of which the oldest part has left.
fn copies(random: &mut Prng) -> Vec<Copy> {
    let trail = random_trail(random, 30);
    let mut late = Copy::of(&trail, false);
    let left = late.entries.drain(..9).next_back().expect("nine have left");
    late.base = Link::behind(&left.entry, left.hash);
    let mut late_export = late.clone();
    let hashes = late.entries.iter().map(|sealed| sealed.hash);
    let before = core::iter::once(late.base.hash).chain(hashes);
    late_export.previous = Some(before.take(late.entries.len()).collect());
    let copies = alloc::vec![
        Copy::of(&trail, false),
        Copy::of(&trail, true),
        late,
        late_export
    ];
    for copy in &copies {
        assert_eq!(verify(copy), Ok(copy.entries.len() as u64));
    }
    copies
}

/// Every way to change one byte or one word of an entry, by what it would be encoded as.
fn changes(entry: &Entry, random: &mut Prng) -> Vec<Entry> {
    let mut changed = Vec::new();
    let mut add = |change: &dyn Fn(&mut Entry)| {
        let mut copy = *entry;
        change(&mut copy);
        if copy != *entry {
            changed.push(copy);
        }
    };
    for bit in 0..64 {
        add(&|entry| entry.number ^= 1 << bit);
        add(&|entry| entry.at = Instant::from_nanos(entry.at.as_nanos() ^ 1 << bit));
    }
    for bit in 0..32 {
        add(&|entry| entry.times ^= 1 << bit);
    }
    Level::ALL
        .iter()
        .for_each(|level| add(&|entry| entry.level = *level));
    Kind::ALL
        .iter()
        .for_each(|kind| add(&|entry| entry.kind = *kind));
    Verb::ALL
        .iter()
        .for_each(|verb| add(&|entry| entry.verb = *verb));
    for outcome in Outcome::ALL {
        add(&|entry| entry.outcome = *outcome);
    }
    Subject::all().for_each(|subject| add(&|entry| entry.subject = subject));
    for text in texts_beside(entry.object.as_str(), random) {
        add(&|entry| entry.object = Object::new(&text));
    }
    for text in texts_beside(entry.text.as_str(), random) {
        add(&|entry| entry.text = Sentence::new(&text));
    }
    // What one text loses the other gains: the bytes in a row stay the same.
    let both = alloc::format!("{}{}", entry.object, entry.text);
    for (at, _) in both.char_indices() {
        add(&|entry| {
            entry.object = Object::new(&both[..at]);
            entry.text = Sentence::new(&both[at..]);
        });
    }
    changed
}

/// The text with one character changed, taken out or added, at every place.
fn texts_beside(text: &str, random: &mut Prng) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut texts = Vec::new();
    for place in 0..=characters.len() {
        let mut longer = characters.clone();
        longer.insert(place, 'x');
        texts.push(longer.into_iter().collect());
        if place < characters.len() {
            let mut other = characters.clone();
            other[place] = char::from(b'A' + random.below(26) as u8);
            texts.push(other.into_iter().collect());
            let mut shorter = characters.clone();
            shorter.remove(place);
            texts.push(shorter.into_iter().collect());
        }
    }
    texts
}

#[test]
fn every_change_of_an_entry_is_found_and_named() {
    let mut random = Prng::new(1);
    for copy in copies(&mut random) {
        for index in 0..copy.entries.len() {
            let number = copy.number(index);
            let is_sure = index > 0 || copy.previous.is_some();
            for entry in changes(&copy.entries[index].entry, &mut random) {
                let mut broken = copy.clone();
                broken.entries[index].entry = entry;
                let named = match is_sure || entry.number != number {
                    true => Finding::Changed { number },
                    false => Finding::ChangedOrBase { number },
                };
                assert_eq!(verify(&broken), Err(named), "{entry:?}");
            }
        }
    }
}

#[test]
fn every_change_of_a_hash_is_found_and_named() {
    let mut random = Prng::new(2);
    for copy in copies(&mut random) {
        for index in 0..copy.entries.len() {
            let number = copy.number(index);
            for byte in 0..32 {
                let change = 1 + random.below(255) as u8;
                let mut broken = copy.clone();
                broken.entries[index].hash[byte] ^= change;
                assert_eq!(verify(&broken), Err(Finding::HashChanged { number }));
                let mut broken = copy.clone();
                if let Some(previous) = &mut broken.previous {
                    previous[index][byte] ^= change;
                    assert_eq!(verify(&broken), Err(Finding::HashChanged { number }));
                }
            }
        }
    }
}

#[test]
fn every_missing_entry_is_named() {
    let mut random = Prng::new(3);
    for copy in copies(&mut random) {
        for index in 0..copy.entries.len() {
            for count in 1..4.min(copy.entries.len() - index) {
                let (first, last) = (copy.number(index), copy.number(index + count - 1));
                let mut broken = copy.clone();
                (0..count).for_each(|_| broken.remove(index));
                assert_eq!(verify(&broken), Err(Finding::Missing { first, last }));
            }
        }
    }
}

#[test]
fn every_two_entries_that_were_swapped_are_named() {
    let mut random = Prng::new(4);
    for copy in copies(&mut random) {
        for other in 1..copy.entries.len() {
            for one in 0..other {
                let (instead_of, number) = (copy.number(one), copy.number(other));
                let mut broken = copy.clone();
                broken.swap(one, other);
                let named = Finding::Reordered { number, instead_of };
                assert_eq!(verify(&broken), Err(named));
            }
        }
    }
}

#[test]
fn of_several_things_that_were_done_the_first_is_named() {
    let mut random = Prng::new(9);
    for copy in copies(&mut random) {
        for index in 1..copy.entries.len() - 3 {
            let (first, number) = (copy.number(index), copy.number(index + 2));
            let mut broken = copy.clone();
            broken.swap(index + 1, index + 2);
            let instead_of = first + 1;
            let named = Finding::Reordered { number, instead_of };
            assert_eq!(verify(&broken), Err(named));
            broken.remove(index);
            let last = first;
            assert_eq!(verify(&broken), Err(Finding::Missing { first, last }));
            broken.entries[index - 1].entry.times ^= 1;
            let number = copy.number(index - 1);
            let is_sure = index > 1 || copy.previous.is_some();
            let named = match is_sure {
                true => Finding::Changed { number },
                false => Finding::ChangedOrBase { number },
            };
            assert_eq!(verify(&broken), Err(named));
        }
    }
}

#[test]
fn every_doubled_entry_is_named_wherever_it_was_put() {
    let mut random = Prng::new(5);
    for copy in copies(&mut random) {
        for from in 0..copy.entries.len() {
            for to in 0..=copy.entries.len() {
                let (sealed, number) = (copy.entries[from], copy.number(from));
                let before = from.checked_sub(1).map(|index| copy.entries[index].hash);
                let mut broken = copy.clone();
                broken.insert(to, sealed, before.unwrap_or(copy.base.hash));
                match verify(&broken) {
                    Err(Finding::Inserted { number: named, .. }) => assert_eq!(named, number),
                    other => panic!("{from} to {to}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn every_inserted_entry_is_named_whether_its_hash_fits_or_not() {
    let mut random = Prng::new(6);
    for copy in copies(&mut random) {
        for index in 0..=copy.entries.len() {
            for is_fitting in [false, true] {
                let before = index.checked_sub(1);
                let before = before.map_or(copy.base.hash, |index| copy.entries[index].hash);
                let number = copy.base.entries + index as u64;
                let mut trail = AuditTrail::default();
                trail.append(at(5), random_event(&mut random));
                let entry = Entry {
                    number,
                    ..trail.chain().iter().next().expect("one was made").entry
                };
                let mut hash = entry.hash_behind(&before);
                hash[7] ^= u8::from(!is_fitting);
                let mut broken = copy.clone();
                broken.insert(index, Sealed { entry, hash }, before);
                match verify(&broken) {
                    Err(Finding::Inserted { number: named, .. }) => assert_eq!(named, number),
                    other => panic!("at {index}, fitting {is_fitting}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_base_or_a_head_that_does_not_fit_is_named() {
    let mut random = Prng::new(7);
    for copy in copies(&mut random) {
        let (first, entries) = (copy.base.entries, copy.head.entries);
        let mut broken = copy.clone();
        broken.head.hash[31] ^= 1;
        assert_eq!(verify(&broken), Err(Finding::Head { entries }));
        for wrong in [entries - 1, entries + 1] {
            let mut broken = copy.clone();
            broken.head.entries = wrong;
            let named = verify(&broken);
            assert!(matches!(named, Err(Finding::Head { .. })), "{named:?}");
        }
        let mut broken = copy.clone();
        broken.base.hash[0] ^= 1;
        let named = match copy.previous.is_some() {
            true => Finding::Base { entries: first },
            false => Finding::ChangedOrBase { number: first },
        };
        assert_eq!(verify(&broken), Err(named));
        let mut broken = copy.clone();
        broken.base.entries += 1;
        assert_eq!(verify(&broken), Err(Finding::Base { entries: first }));
    }
}

#[test]
fn whoever_makes_all_hashes_anew_does_not_make_the_same_head() {
    let mut random = Prng::new(8);
    for copy in copies(&mut random) {
        let entries = copy.head.entries;
        let mut broken = copy.clone();
        broken.entries[3].entry.times += 1;
        let mut hash = broken.base.hash;
        for sealed in &mut broken.entries {
            hash = sealed.entry.hash_behind(&hash);
            sealed.hash = hash;
        }
        broken.previous = None;
        assert_eq!(verify(&broken), Err(Finding::Head { entries }));
    }
}
