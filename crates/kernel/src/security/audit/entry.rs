//! An entry of the audit trail, and the bytes that its hash is taken of.

use super::short::Short;
use super::words::{Kind, Level, Outcome, Verb};
use crate::base::digest::{Digest, sha256};
use crate::base::fixed::{Text, Vec};
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::limits::{AUDIT_OBJECT_MAX, AUDIT_TEXT_MAX};
use core::fmt::Write;

pub type Object = Short<AUDIT_OBJECT_MAX>;
pub type Sentence = Short<AUDIT_TEXT_MAX>;

/// Never changed once it has its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Counts all entries since boot, from 0.
    pub number: u64,
    pub at: Instant,
    /// How often it happened: repeats are gathered.
    pub times: u32,
    pub level: Level,
    pub kind: Kind,
    pub subject: Subject,
    pub verb: Verb,
    pub outcome: Outcome,
    /// What it was done to.
    pub object: Object,
    pub text: Sentence,
}

/// A point of the chain: so many entries lie before it, and their hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    pub entries: u64,
    pub hash: Digest,
}

/// What the first hash of every trail begins with.
const LABEL: &[u8] = b"rayos audit trail";
pub const ENCODED_BYTES_MAX: usize = 20 + 5 * 16 + 2 + AUDIT_OBJECT_MAX + AUDIT_TEXT_MAX;
const _: () = assert!(size_of::<Entry>() + size_of::<Digest>() <= 192);

/// Bytes that no two different entries share.
pub type Encoding = Vec<u8, ENCODED_BYTES_MAX>;

impl Entry {
    /// Three numbers, lowest byte first, and seven texts, each behind a byte with its length.
    pub fn encode(&self) -> Encoding {
        let mut subject = Text::<16>::new();
        // Writing to a `Text` cuts and never fails; no subject's name is as long.
        let _ = write!(subject, "{}", self.subject);
        let texts = [
            self.level.name(),
            self.kind.name(),
            &subject,
            self.verb.name(),
            self.object.as_str(),
            self.outcome.name(),
            self.text.as_str(),
        ];
        let mut bytes = Encoding::new();
        let mut put = |part: &[u8]| {
            let kept = bytes.extend_from_slice(part);
            crate::invariant!(kept.is_ok(), "an entry is longer than planned");
        };
        put(&self.number.to_le_bytes());
        put(&self.at.as_nanos().to_le_bytes());
        put(&self.times.to_le_bytes());
        for text in texts {
            put(&[text.len() as u8]);
            put(text.as_bytes());
        }
        bytes
    }

    /// Its hash behind an entry with that hash.
    pub fn hash_behind(&self, previous: &Digest) -> Digest {
        sha256(&[previous, &self.encode()])
    }
}

impl Link {
    /// Before the first entry; what is known of this boot alone makes trails of two boots differ.
    pub fn genesis(boot: &[u8]) -> Self {
        Self {
            entries: 0,
            hash: sha256(&[LABEL, boot]),
        }
    }

    /// The point behind an entry.
    pub const fn behind(entry: &Entry, hash: Digest) -> Self {
        Self {
            entries: entry.number + 1,
            hash,
        }
    }
}
