//! Reads what is on the disks by itself, and compares it with the table.

use super::super::table::RootOf;
use super::super::*;
use super::world::{FIRST, World, tag_of};
use page::Place;
use pointer::Pointer;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec::Vec;

/// What a volume or a snapshot holds: block to tag.
pub type Contents = BTreeMap<u64, u64>;

/// All of them, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Everything {
    pub volumes: BTreeMap<String, Contents>,
    pub snapshots: BTreeMap<String, Contents>,
}

struct Reader<'a> {
    bytes: &'a [u8],
    blocks: u32,
    counts: Vec<u16>,
    /// Different pages of maps.
    pages: u64,
}

impl Reader<'_> {
    fn block(&self, block: u32) -> &[u8] {
        let at = (FIRST + u64::from(block) * BLOCK_SECTORS) as usize * 512;
        &self.bytes[at..at + BLOCK_BYTES]
    }

    /// Counts what a pointer points to, and what is below when that is new.
    fn count(&mut self, pointer: &Pointer, place: Place, is_data: bool) {
        self.counts[pointer.block as usize] += 1;
        if is_data || self.counts[pointer.block as usize] > 1 {
            return;
        }
        self.pages += 1;
        let page = self.block(pointer.block).to_vec();
        for index in 0..page::ENTRIES {
            let entry = page::entry(&page, index);
            if !entry.is_none() {
                self.count(&entry, place.child(index), place.level == 0);
            }
        }
    }

    /// What a tree holds, how many data blocks and how many pages.
    fn read(&self, pointer: &Pointer, place: Place, contents: &mut Contents) -> (u64, u64) {
        let page = self.block(pointer.block);
        let checked = page::check(page, place, pointer, self.blocks);
        assert_eq!(checked, Ok(()), "page {pointer:?} at {place:?}");
        let (mut data, mut pages) = (0, 1);
        for index in 0..page::ENTRIES {
            let entry = page::entry(page, index);
            if entry.is_none() {
                continue;
            }
            if place.level > 0 {
                let below = self.read(&entry, place.child(index), contents);
                (data, pages) = (data + below.0, pages + below.1);
                continue;
            }
            let bytes = self.block(entry.block);
            let crc = crate::base::crc32c::crc32c(bytes);
            assert_eq!(crc, entry.crc, "data at {entry:?}");
            contents.insert(place.first_of(index), tag_of(bytes));
            data += 1;
        }
        (data, pages)
    }
}

/// Reads everything from one member's disk; the volumes have to be at rest. Checks the
/// accounting and that exactly what is reachable is in use.
pub fn audit(world: &World, disk: usize) -> Everything {
    let volumes = &world.volumes;
    assert!(
        volumes.is_quiet() && volumes.is_ready(),
        "it is not at rest"
    );
    let mut reader = Reader {
        bytes: &world.disks.images[disk].bytes,
        blocks: volumes.counts.blocks(),
        counts: std::vec![0; volumes.counts.blocks() as usize],
        pages: 0,
    };
    reader.counts[0] = 1;
    let mut everything = Everything::default();
    for root in (0..RootOf::COUNT).filter_map(RootOf::at) {
        let Some((tree, levels)) = volumes.table.tree(root) else {
            continue;
        };
        let mut contents = Contents::new();
        if !tree.root.is_none() {
            let place = Place::root(levels);
            reader.count(&tree.root, place, false);
            let counted = reader.read(&tree.root, place, &mut contents);
            assert_eq!((tree.data_blocks, tree.map_pages), counted, "{root:?}");
        } else {
            assert_eq!((tree.data_blocks, tree.map_pages), (0, 0));
        }
        contents.retain(|_, tag| *tag != 0);
        match root {
            RootOf::Volume(slot) => {
                let row = volumes.table.volume(slot).expect("it has a tree");
                assert_eq!(
                    volumes.live[slot].as_ref().map(|live| live.tree),
                    Some(tree)
                );
                everything.volumes.insert(row.name.to_string(), contents);
            }
            RootOf::Snapshot(slot) => {
                let row = volumes.table.snapshot(slot).expect("it has a tree");
                everything.snapshots.insert(row.name.to_string(), contents);
            }
        }
    }
    for (block, count) in reader.counts.iter().enumerate() {
        let own = u16::from(volumes.counts.count(block as u32));
        assert_eq!(own, *count, "the count of block {block}");
    }
    let used = reader.counts.iter().filter(|count| **count > 0).count();
    assert_eq!(volumes.counts.used() as usize, used);
    if let Some(pages) = volumes.scrub.map_pages(volumes.table.generation()) {
        assert_eq!(pages, reader.pages, "pages of maps");
    }
    assert_eq!(volumes.counts.contradictions(), 0);
    everything
}
