//! The power goes at every single moment of a random life.

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
    world.cutter = Some(Cutter {
        spare: Vec::new(),
        prng: Prng::new(!seed),
        cuts: 0,
    });
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
