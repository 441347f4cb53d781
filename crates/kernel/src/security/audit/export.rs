//! The trail as lines of JSON that can be verified outside of the machine.
//!
//! A page is a line with the base, a line an entry, and a line with the point behind the
//! last of them. Each page holds by itself; pages in a row hold as one.

use super::chain::{Chain, Sealed};
use super::entry::Link;
use crate::base::digest::{Digest, Hex};
use core::fmt::{self, Write};

pub struct BaseLine(pub Link);

pub struct EntryLine<'a> {
    pub sealed: &'a Sealed,
    pub previous: &'a Digest,
}

pub struct HeadLine {
    pub head: Link,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

impl Chain {
    /// Gives all lines of the page that begins at that entry and takes at most so many bytes;
    /// at least one entry, where there is one. An entry that has left the ring, or is yet to
    /// come, is replaced by the nearest.
    pub fn export(&self, from: u64, bytes_max: usize, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
        let from = from.clamp(self.base().entries, self.head().entries);
        let hash = self.hash_at(from).copied().unwrap_or(self.base().hash);
        let mut head = Link {
            entries: from,
            hash,
        };
        let mut bytes = Counted::of(format_args!("{}", BaseLine(head)));
        line(format_args!("{}", BaseLine(head)));
        let mut has_more = false;
        for (index, sealed) in self.iter_from(from).enumerate() {
            let entry = EntryLine {
                sealed,
                previous: &head.hash,
            };
            bytes += Counted::of(format_args!("{entry}"));
            if index > 0 && bytes + HEAD_LINE_BYTES_MAX > bytes_max {
                has_more = true;
                break;
            }
            line(format_args!("{entry}"));
            head = Link::behind(&sealed.entry, sealed.hash);
        }
        let next = has_more.then_some(head.entries);
        // The last page says what the trail says of itself, not what follows from its entries.
        let head = if has_more { head } else { self.head() };
        line(format_args!("{}", HeadLine { head, next }));
    }
}

const HEAD_LINE_BYTES_MAX: usize = 160;

/// How long a text would be.
struct Counted(usize);

impl Counted {
    fn of(text: fmt::Arguments<'_>) -> usize {
        let mut counted = Self(0);
        // Counting never fails.
        let _ = counted.write_fmt(text);
        counted.0
    }
}

impl Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl fmt::Display for BaseLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"base\":{}}}", PointOf(&self.0))
    }
}

impl fmt::Display for HeadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"head\":{},\"next\":", PointOf(&self.head))?;
        match self.next {
            Some(next) => write!(f, "{next}}}"),
            None => f.write_str("null}"),
        }
    }
}

struct PointOf<'a>(&'a Link);

impl fmt::Display for PointOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { entries, hash } = self.0;
        write!(f, "{{\"entries\":{entries},\"hash\":\"{}\"}}", Hex(hash))
    }
}

impl fmt::Display for EntryLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = &self.sealed.entry;
        let (number, at, times) = (entry.number, entry.at.as_nanos(), entry.times);
        write!(f, "{{\"number\":{number},\"at_ns\":{at},\"times\":{times}")?;
        let (level, kind) = (entry.level.name(), entry.kind.name());
        write!(f, ",\"level\":\"{level}\",\"kind\":\"{kind}\"")?;
        let (subject, verb) = (entry.subject, entry.verb.name());
        write!(f, ",\"subject\":\"{subject}\",\"verb\":\"{verb}\"")?;
        write!(f, ",\"object\":{}", Quoted(entry.object.as_str()))?;
        write!(f, ",\"outcome\":\"{}\"", entry.outcome.name())?;
        write!(f, ",\"text\":{}", Quoted(entry.text.as_str()))?;
        let (previous, hash) = (Hex(self.previous), Hex(&self.sealed.hash));
        write!(f, ",\"prev\":\"{previous}\",\"hash\":\"{hash}\"}}")
    }
}

/// A string of JSON in plain ASCII, so that no console on its way changes it.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => f.write_char(character)?,
                _ => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        write!(f, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        f.write_char('"')
    }
}
