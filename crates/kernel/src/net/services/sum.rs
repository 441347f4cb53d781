//! A sum over a stream of bytes that both ends of a transfer can compare.
//!
//! Two running sums over little-endian words, as Fletcher's: the second one depends on
//! the order, so bytes that are lost, doubled or moved change it. Two additions for eight
//! bytes, so that a measurement measures the network. It finds accidents and no forgers.

const WORD_BYTES: usize = 8;

#[derive(Clone, Debug, Default)]
pub struct StreamSum {
    plain: u64,
    ordered: u64,
    /// The bytes behind the last whole word.
    rest: [u8; WORD_BYTES],
    bytes: u64,
}

impl StreamSum {
    pub fn new() -> Self {
        Self::default()
    }

    /// How the stream was cut into pieces makes no difference.
    pub fn add(&mut self, mut bytes: &[u8]) {
        let held = self.held();
        self.bytes += bytes.len() as u64;
        if held > 0 {
            let taken = bytes.len().min(WORD_BYTES - held);
            let (head, tail) = bytes.split_at(taken);
            self.rest[held..held + taken].copy_from_slice(head);
            if held + taken < WORD_BYTES {
                return;
            }
            self.add_word(self.rest);
            bytes = tail;
        }
        let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
        words.iter().for_each(|word| self.add_word(*word));
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The sum of all bytes so far.
    pub fn value(&self) -> u64 {
        let held = self.held();
        let mut last = self.clone();
        last.rest[held..].fill(0);
        last.add_word(last.rest);
        // The length tells a stream from one that ends with more zeroes.
        last.plain.rotate_left(32) ^ last.ordered ^ self.bytes
    }

    fn held(&self) -> usize {
        (self.bytes % WORD_BYTES as u64) as usize
    }

    fn add_word(&mut self, word: [u8; WORD_BYTES]) {
        self.plain = self.plain.wrapping_add(u64::from_le_bytes(word));
        self.ordered = self.ordered.wrapping_add(self.plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn sum(bytes: &[u8]) -> u64 {
        let mut sum = StreamSum::new();
        sum.add(bytes);
        sum.value()
    }

    #[test]
    fn cuts_make_no_difference() {
        let bytes: Vec<u8> = (0..100).collect();
        for first in 0..30 {
            for second in 0..30 {
                let mut cut = StreamSum::new();
                cut.add(&bytes[..first]);
                cut.add(&bytes[first..first + second]);
                cut.add(&bytes[first + second..]);
                assert_eq!(cut.value(), sum(&bytes), "{first}, {second}");
                assert_eq!(cut.bytes(), 100);
            }
        }
    }

    #[test]
    fn what_happens_to_bytes_on_the_way_changes_it() {
        let bytes: Vec<u8> = (0..64_u8).map(|byte| byte.wrapping_mul(7)).collect();
        let right = sum(&bytes);
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert_ne!(sum(&changed), right, "byte {index} changed");
            changed = bytes.clone();
            changed.remove(index);
            assert_ne!(sum(&changed), right, "byte {index} lost");
        }
        let mut moved = bytes.clone();
        moved.rotate_left(8);
        assert_ne!(sum(&moved), right, "words in another order");
        let mut longer = bytes.clone();
        longer.push(0);
        assert_ne!(sum(&longer), right, "a zero more");
    }
}
