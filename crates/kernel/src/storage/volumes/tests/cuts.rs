//! The power goes at every single moment of a random life.

use super::super::VolumeOperation;
use super::audit::audit;
use super::model::Model;
use super::world::World;
use crate::base::buffer::Buffer;
use crate::base::prng::Prng;
use std::vec::Vec;

/// Cuts the power of copies of a world.
pub struct Cutter {
    spare: Vec<Buffer>,
    prng: Prng,
    cuts: u64,
}

impl Cutter {
    fn new(seed: u64) -> Self {
        Self {
            spare: Vec::new(),
            prng: Prng::new(seed),
            cuts: 0,
        }
    }

    /// Sees what is found if the power goes now, and that nothing of it is wrong.
    pub fn cut(&mut self, world: &World) {
        let images = world.disks.after_cut(&mut self.prng);
        let mut journal = world.journal.clone();
        journal.cut(&mut self.prng);
        let spare = core::mem::take(&mut self.spare);
        let mut after = World::with(images, journal, self.prng.clone(), spare);
        after.mount();
        after.settle();
        world.check(&audit(&after, 0));
        self.spare = after.into_memory();
        self.cuts += 1;
        self.prng.next_u64();
    }
}

fn live_and_cut(seed: u64, acts: usize) -> u64 {
    let mut world = World::new(seed, 400, 1);
    world.cutter = Some(Cutter::new(!seed));
    let mut model = Model::new(seed);
    for _ in 0..acts {
        model.act(&mut world);
    }
    world.cutter.map_or(0, |cutter| cutter.cuts)
}

#[test]
fn wherever_the_power_goes_nothing_acknowledged_is_lost_and_nothing_is_invented() {
    let cuts: u64 = (100..106).map(|seed| live_and_cut(seed, 150)).sum();
    assert!(cuts > 1_000, "only {cuts} moments");
}

/// Writes a block, and says what may be found from now on.
fn write(world: &mut World, block: u64, tag: u64) -> bool {
    world.may_become(|all| {
        let contents = all.volumes.get_mut("db").expect("it is there");
        contents.insert(block, tag);
    });
    let is_written = world.write("db", block, &[tag], false).is_ok();
    if !is_written {
        world.is_withdrawn();
    }
    is_written
}

#[test]
fn what_a_transaction_replaces_is_not_used_anew_before_it_is_durable() {
    let mut world = World::new(1, 256, 1);
    assert_eq!(world.create("db", 1000), Ok(()));
    world.may_become(|all| drop(all.volumes.insert("db".into(), Default::default())));
    let mut blocks = 0;
    while write(&mut world, blocks, blocks + 1) {
        blocks += 1;
    }
    let discard = VolumeOperation::Discard;
    assert_eq!(world.plain("db", discard, 0, 8), Ok(()));
    assert_eq!(world.flush("db"), Ok(()));
    world.may_become(|all| {
        let contents = all.volumes.get_mut("db").expect("it is there");
        contents.retain(|block, _| *block >= 8);
    });
    world.possible_is_sure();
    // Now there is only room in what is replaced.
    world.cutter = Some(Cutter::new(2));
    for round in 1..120 {
        let block = 8 + round * 37 % (blocks - 8);
        write(&mut world, block, round * 1000 + block);
    }
    assert!(world.cutter.is_some_and(|cutter| cutter.cuts > 100));
}
