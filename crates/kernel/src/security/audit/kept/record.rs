//! Records of the kept trail as bytes.

use super::Point;
use crate::base::digest::Digest;
use crate::base::fixed::Vec;
use crate::base::time::Instant;
use crate::security::audit::chain::Sealed;
use crate::security::audit::entry::{ENCODED_BYTES_MAX, Link};

const BEGINNING: u8 = b'B';
const ENTRY: u8 = b'E';
const POINT_BYTES: usize = 8 + 8 + size_of::<Digest>();
const RECORD_BYTES_MAX: usize = 1 + size_of::<Digest>() + ENCODED_BYTES_MAX;
/// Stands where there is no point. One of a boot whose number is not known has a hash.
const NOWHERE: Point = Point {
    boot: 0,
    link: Link {
        entries: 0,
        hash: [0; size_of::<Digest>()],
    },
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record<'a> {
    /// The entries behind it follow `from`; what was kept before ended at `before`.
    Beginning { from: Point, before: Option<Point> },
    Entry {
        /// Behind the entry.
        hash: Digest,
        bytes: EntryBytes<'a>,
    },
}

/// An entry as its hash is taken of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryBytes<'a> {
    pub all: &'a [u8],
    pub number: u64,
    pub at: Instant,
    pub times: u32,
    /// Level, kind, subject, verb, object, outcome and text.
    pub texts: [&'a str; 7],
}

pub type RecordBytes = Vec<u8, RECORD_BYTES_MAX>;

impl<'a> Record<'a> {
    /// What is no record is none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        match *tag {
            BEGINNING if rest.len() == 2 * POINT_BYTES => {
                let (from, before) = rest.split_at(POINT_BYTES);
                let before = parse_point(before)?;
                Some(Self::Beginning {
                    from: parse_point(from)?,
                    before: (before != NOWHERE).then_some(before),
                })
            }
            ENTRY => {
                let (hash, all) = rest.split_first_chunk()?;
                Some(Self::Entry {
                    hash: *hash,
                    bytes: EntryBytes::parse(all)?,
                })
            }
            _ => None,
        }
    }
}

/// The bytes of a beginning.
pub fn beginning(from: &Point, before: Option<&Point>) -> RecordBytes {
    let mut bytes = RecordBytes::new();
    put(&mut bytes, &[BEGINNING]);
    for point in [from, before.unwrap_or(&NOWHERE)] {
        put(&mut bytes, &point.boot.to_le_bytes());
        put(&mut bytes, &point.link.entries.to_le_bytes());
        put(&mut bytes, &point.link.hash);
    }
    bytes
}

/// The bytes of an entry.
pub fn entry(sealed: &Sealed) -> RecordBytes {
    let mut bytes = RecordBytes::new();
    put(&mut bytes, &[ENTRY]);
    put(&mut bytes, &sealed.hash);
    put(&mut bytes, &sealed.entry.encode());
    bytes
}

fn put(bytes: &mut RecordBytes, part: &[u8]) {
    let kept = bytes.extend_from_slice(part);
    crate::invariant!(kept.is_ok(), "a record of the trail is longer than planned");
}

fn parse_point(bytes: &[u8]) -> Option<Point> {
    let (boot, rest) = bytes.split_first_chunk()?;
    let (entries, hash) = rest.split_first_chunk()?;
    Some(Point {
        boot: u64::from_le_bytes(*boot),
        link: Link {
            entries: u64::from_le_bytes(*entries),
            hash: *hash.first_chunk()?,
        },
    })
}

impl<'a> EntryBytes<'a> {
    fn parse(all: &'a [u8]) -> Option<Self> {
        let (number, rest) = all.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (times, mut rest) = rest.split_first_chunk()?;
        let mut texts = [""; 7];
        for text in &mut texts {
            let (length, behind) = rest.split_first()?;
            let (bytes, behind) = behind.split_at_checked(usize::from(*length))?;
            *text = str::from_utf8(bytes).ok()?;
            rest = behind;
        }
        rest.is_empty().then_some(Self {
            all,
            number: u64::from_le_bytes(*number),
            at: Instant::from_nanos(u64::from_le_bytes(*at)),
            times: u32::from_le_bytes(*times),
            texts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::audit::{AuditTrail, Event};

    #[test]
    fn records_are_read_as_they_were_written() {
        let mut trail = AuditTrail::of_entries(4);
        trail.append(
            Instant::from_nanos(7),
            Event::boot("kept", format_args!("what was done")),
        );
        let sealed = trail.chain().iter().next().expect("an entry");
        let bytes = entry(sealed);
        let Some(Record::Entry { hash, bytes: kept }) = Record::parse(&bytes) else {
            panic!("an entry is none");
        };
        assert_eq!(
            (hash, kept.number, kept.at),
            (sealed.hash, 0, Instant::from_nanos(7))
        );
        assert_eq!(
            (kept.texts[3], kept.texts[4], kept.texts[6]),
            ("boot", "kept", "what was done")
        );
        let from = Point {
            boot: 3,
            link: trail.head(),
        };
        for boot in [None, Some(0), Some(2)] {
            let before = boot.map(|boot| Point { boot, ..from });
            let bytes = beginning(&from, before.as_ref());
            assert_eq!(
                Record::parse(&bytes),
                Some(Record::Beginning { from, before })
            );
            (0..bytes.len()).for_each(|cut| assert_eq!(Record::parse(&bytes[..cut]), None));
        }
        (0..bytes.len()).for_each(|cut| assert_eq!(Record::parse(&bytes[..cut]), None));
    }
}
