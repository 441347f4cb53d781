//! What the UEFI stage of the boot loader hands over: `rayos.cfg` and a log.
//!
//! The loader's own structure has one field for both, the RAM disk. So the stage, as
//! `cargo xtask image` builds it, always ends it with a trailer that says what is what. Always:
//! otherwise a `rayos.cfg` that ends as a trailer does would be taken apart.

const MAGIC: &[u8; 16] = b"rayos hand-over\0";
const WORDS: usize = 5;
const TRAILER_BYTES: usize = MAGIC.len() + WORDS * 8;

/// The table of events that came after the log was asked for (TCG EFI Protocol 1.0, 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FinalEvents {
    pub address: u64,
    /// Events at its beginning that the log has as well.
    pub known: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOver {
    /// Empty when there is none.
    pub config: &'static [u8],
    /// Empty without a TPM.
    pub log: &'static [u8],
    /// The firmware had no room for all events.
    pub is_log_full: bool,
    pub final_events: Option<FinalEvents>,
}

impl HandOver {
    /// `None` when the bytes are not what the stage writes.
    pub fn parse(bytes: &'static [u8]) -> Option<Self> {
        let (content, trailer) = bytes.split_at_checked(bytes.len().checked_sub(TRAILER_BYTES)?)?;
        let words = trailer.strip_prefix(MAGIC)?;
        let word = |index: usize| {
            let bytes = words.get(index * 8..)?.first_chunk()?;
            Some(u64::from_le_bytes(*bytes))
        };
        let (config, log) = content.split_at_checked(usize::try_from(word(0)?).ok()?)?;
        if word(1)? != log.len() as u64 {
            return None;
        }
        let final_events = FinalEvents {
            address: word(3)?,
            known: word(4)?,
        };
        Some(Self {
            config,
            log,
            is_log_full: word(2)? != 0,
            final_events: Some(final_events).filter(|events| events.address != 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::vec::Vec;

    fn bytes(config: &[u8], log: &[u8], words: [u64; 3]) -> Vec<u8> {
        let mut bytes = [config, log, MAGIC].concat();
        let words = [[config.len() as u64, log.len() as u64].as_slice(), &words].concat();
        words
            .iter()
            .for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes
    }

    #[test]
    fn the_file_and_the_log_are_told_apart() {
        let whole = bytes(b"debug=1\n", b"log", [1, 0x7000, 3]).leak();
        let expected = HandOver {
            config: b"debug=1\n",
            log: b"log",
            is_log_full: true,
            final_events: Some(FinalEvents {
                address: 0x7000,
                known: 3,
            }),
        };
        assert_eq!(HandOver::parse(whole), Some(expected));
        let bare = HandOver::parse(bytes(b"", b"", [0, 0, 9]).leak()).unwrap();
        assert_eq!((bare.config.len(), bare.log.len()), (0, 0));
        assert_eq!((bare.is_log_full, bare.final_events), (false, None));
    }

    #[test]
    fn a_file_that_ends_like_a_trailer_stays_a_file() {
        let config = bytes(b"debug=1\n", b"a log of its own", [0, 1, 2]);
        let whole = bytes(&config, b"log", [0, 0, 0]).leak();
        let parsed = HandOver::parse(whole).unwrap();
        assert_eq!((parsed.config, parsed.log), (&config[..], &b"log"[..]));
    }

    #[test]
    fn a_damaged_trailer_is_none() {
        assert_eq!(HandOver::parse(b""), None);
        assert_eq!(HandOver::parse(b"debug=1\n"), None);
        let sound = bytes(b"debug=1\n", b"log", [0, 1, 2]);
        for cut in 1..sound.len() {
            assert_eq!(
                HandOver::parse(sound[..sound.len() - cut].to_vec().leak()),
                None
            );
        }
        let mut prng = Prng::new(3);
        for _ in 0..10_000 {
            let mut bytes = sound.clone();
            for _ in 0..1 + prng.next_u64() % 4 {
                let at = prng.next_u64() as usize % bytes.len();
                bytes[at] = prng.next_u64() as u8;
            }
            if let Some(parsed) = HandOver::parse(bytes.leak()) {
                assert_eq!((parsed.config.len(), parsed.log.len()), (8, 3));
            }
        }
    }
}
