//! A seeded generator for decisions that must be repeatable (not for secrets).
//!
//! xoshiro256** seeded by splitmix64, as published by Blackman and Vigna.

/// The same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Prng {
    state: [u64; 4],
}

impl Prng {
    pub fn new(seed: u64) -> Self {
        let mut mixer = seed;
        Self {
            state: [(); 4].map(|()| splitmix(&mut mixer)),
        }
    }

    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `bound`, each equally likely; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire's multiply-and-reject: unbiased without a division in the usual case.
        if bound == 0 {
            return 0;
        }
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// True once in `of` calls on average.
    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        // splitmix64 with seed 0, as in its authors' reference output.
        let mut mixer = 0;
        assert_eq!(splitmix(&mut mixer), 0xe220_a839_7b1d_cdaf);
        assert_eq!(splitmix(&mut mixer), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn numbers_below_a_bound_reach_every_value() {
        let mut prng = Prng::new(1);
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[prng.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(prng.below(0), 0);
    }
}
