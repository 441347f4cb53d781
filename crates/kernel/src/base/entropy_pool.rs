//! Random bytes that come now and then, made to last.

use super::digest::{DIGEST_BYTES, Digest, sha256};

/// Empty until the first bytes are added.
#[derive(Default)]
pub struct EntropyPool {
    state: Option<Digest>,
    drawn: u64,
}

impl EntropyPool {
    pub const fn new() -> Self {
        Self {
            state: None,
            drawn: 0,
        }
    }

    pub const fn is_filled(&self) -> bool {
        self.state.is_some()
    }

    /// What was there before still counts: bytes that somebody knows take nothing away.
    pub fn add(&mut self, bytes: &[u8]) {
        let before = self.state.unwrap_or_default();
        self.state = Some(sha256(&[b"rayos pool", &before, bytes]));
    }

    /// Lays bytes of its own over these; false when it has none.
    ///
    /// Its state goes on with each draw, so that nobody who reads it later learns what it gave.
    pub fn lay_over(&mut self, bytes: &mut [u8]) -> bool {
        let Some(mut state) = self.state else {
            return false;
        };
        for chunk in bytes.chunks_mut(DIGEST_BYTES) {
            let number = self.drawn.to_le_bytes();
            self.drawn += 1;
            let own = sha256(&[b"rayos draw", &state, &number]);
            state = sha256(&[b"rayos next", &state, &number]);
            for (byte, own) in chunk.iter_mut().zip(own) {
                *byte ^= own;
            }
        }
        self.state = Some(state);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_pool_changes_nothing() {
        let mut bytes = [7; 40];
        assert!(!EntropyPool::new().lay_over(&mut bytes));
        assert_eq!(bytes, [7; 40]);
    }

    #[test]
    fn no_two_draws_are_alike_and_what_was_added_decides() {
        let drawn = |added: &[&[u8]]| {
            let mut pool = EntropyPool::new();
            added.iter().for_each(|bytes| pool.add(bytes));
            let (mut first, mut second) = ([0; 40], [0; 40]);
            assert!(pool.lay_over(&mut first) && pool.lay_over(&mut second));
            assert_ne!(first, second);
            assert_ne!(first[..8], first[32..]);
            first
        };
        assert_eq!(drawn(&[b"a"]), drawn(&[b"a"]));
        assert_ne!(drawn(&[b"a"]), drawn(&[b"b"]));
        assert_ne!(drawn(&[b"a", b"b"]), drawn(&[b"b", b"a"]));
    }
}
