//! Reads an export: lines of JSON, each exactly as the kernel writes it.

use std::fmt;

use rayos_kernel::base::digest::{DIGEST_BYTES, Digest, parse_hex};
use rayos_kernel::base::subject::Subject;
use rayos_kernel::base::time::Instant;
use rayos_kernel::security::audit::{
    BaseLine, Entry, EntryLine, Finding, HeadLine, Kept, Kind, Level, Link, Linked, Object,
    Outcome, Sealed, Sentence, Verb,
};
use serde_json::Value;

/// One page or more of a trail.
#[derive(Clone, Debug)]
pub struct Export {
    pub base: Link,
    pub head: Link,
    /// Where the trail goes on, as its last line says.
    pub next: Option<u64>,
    entries: Vec<Sealed>,
    /// The hash before each entry, as its line says.
    previous: Vec<Digest>,
    /// Between two pages: so many entries lie before it.
    seams: Vec<(usize, Seam)>,
}

#[derive(Clone, Copy, Debug)]
struct Seam {
    end: Link,
    begin: Link,
}

/// Why it is no export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// From 1.
    pub line: usize,
    pub why: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.why)
    }
}

enum Line {
    Base(Link),
    Entry(Box<Sealed>, Digest),
    Head(Link, Option<u64>),
}

impl Export {
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut reader = Reader::default();
        let mut count = 0;
        for (index, text) in text.lines().enumerate() {
            count = index + 1;
            let result = reader.read(text.trim());
            result.map_err(|why| Unreadable { line: count, why })?;
        }
        let why = "the line with the head is missing; the export was cut";
        reader.end().ok_or(Unreadable { line: count, why })
    }

    /// Do the pages follow each other?
    pub fn verify_seams(&self) -> Result<(), String> {
        for (index, seam) in &self.seams {
            let point = self.point(*index);
            if seam.end != point {
                let entries = point.entries;
                return Err(Finding::Head { entries }.to_string());
            }
            if seam.begin != seam.end {
                let entries = seam.begin.entries;
                return Err(Finding::Base { entries }.to_string());
            }
        }
        Ok(())
    }

    /// How many entries of the trail lie before the point with that hash.
    pub fn entries_at(&self, hash: &Digest) -> Option<u64> {
        let points = (0..=self.entries.len()).map(|index| self.point(index));
        let mut fitting = points.filter(|point| point.hash == *hash);
        fitting.next().map(|point| point.entries)
    }

    fn point(&self, index: usize) -> Link {
        match index.checked_sub(1) {
            None => self.base,
            Some(index) => {
                let sealed = &self.entries[index];
                Link {
                    entries: sealed.entry.number.saturating_add(1),
                    hash: sealed.hash,
                }
            }
        }
    }
}

impl Kept for Export {
    fn base(&self) -> Link {
        self.base
    }

    fn head(&self) -> Link {
        self.head
    }

    fn entry(&self, index: usize) -> Option<Linked<'_>> {
        let sealed = self.entries.get(index)?;
        Some(Linked {
            entry: &sealed.entry,
            hash: &sealed.hash,
            previous: self.previous.get(index),
        })
    }
}

#[derive(Default)]
struct Reader {
    base: Option<Link>,
    /// Of the page that ended last, as long as no other has begun.
    head: Option<(Link, Option<u64>)>,
    entries: Vec<Sealed>,
    previous: Vec<Digest>,
    seams: Vec<(usize, Seam)>,
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), &'static str> {
        if text.is_empty() {
            return Ok(());
        }
        let value: Value = serde_json::from_str(text).map_err(|_| "this is no JSON")?;
        match value.get("report") {
            Some(report) => {
                // An answer of the kernel in JSON: the lines are in there.
                let mut lines = lines_of(report).peekable();
                lines
                    .peek()
                    .ok_or("this answer has no lines of an export")?;
                lines.try_for_each(|line| self.take(parse_line(line)?))
            }
            None => self.take(parse_value(text, &value)?),
        }
    }

    fn take(&mut self, line: Line) -> Result<(), &'static str> {
        match (line, self.base, self.head) {
            (Line::Base(base), None, _) => self.base = Some(base),
            (Line::Base(begin), Some(_), Some((end, _))) => {
                self.seams.push((self.entries.len(), Seam { end, begin }));
                self.head = None;
            }
            (Line::Entry(sealed, previous), Some(_), None) => {
                self.entries.push(*sealed);
                self.previous.push(previous);
            }
            (Line::Head(head, next), Some(_), None) => self.head = Some((head, next)),
            (Line::Base(_), Some(_), None) => return Err("a page begins in the middle of another"),
            (_, None, _) => return Err("an export begins with the line of its base"),
            (_, _, Some(_)) => return Err("nothing but another page follows the line of the head"),
        }
        Ok(())
    }

    fn end(self) -> Option<Export> {
        let (head, next) = self.head?;
        Some(Export {
            base: self.base?,
            head,
            next,
            entries: self.entries,
            previous: self.previous,
            seams: self.seams,
        })
    }
}

fn lines_of(report: &Value) -> impl Iterator<Item = &str> {
    let blocks = report.as_array().into_iter().flatten();
    let texts = blocks.filter_map(|block| block.get("lines")?.as_array());
    texts.flatten().filter_map(Value::as_str)
}

fn parse_line(text: &str) -> Result<Line, &'static str> {
    let value = serde_json::from_str(text).map_err(|_| "a line of this answer is no JSON")?;
    parse_value(text, &value)
}

/// Nothing but the kernel's own way to write it is taken: what no hash covers cannot differ.
fn parse_value(text: &str, value: &Value) -> Result<Line, &'static str> {
    const ODD: &str = "this is not as the kernel writes it";
    let line = understand(value).ok_or("this is neither a base, an entry, nor a head")?;
    let written = match &line {
        Line::Base(link) => BaseLine(*link).to_string(),
        Line::Entry(sealed, previous) => EntryLine { sealed, previous }.to_string(),
        Line::Head(head, next) => {
            let (head, next) = (*head, *next);
            HeadLine { head, next }.to_string()
        }
    };
    if written == text { Ok(line) } else { Err(ODD) }
}

fn understand(value: &Value) -> Option<Line> {
    if let Some(base) = value.get("base") {
        return Some(Line::Base(link(base)?));
    }
    if let Some(head) = value.get("head") {
        let head = link(head)?;
        let next = match value.get("next")? {
            Value::Null => None,
            next => Some(next.as_u64().filter(|next| *next == head.entries)?),
        };
        return Some(Line::Head(head, next));
    }
    let number = |key| value.get(key)?.as_u64();
    let text = |key| value.get(key)?.as_str();
    let entry = Entry {
        // The point behind it must be a number, too.
        number: number("number").filter(|number| *number < u64::MAX)?,
        at: Instant::from_nanos(number("at_ns")?),
        times: u32::try_from(number("times")?).ok()?,
        level: Level::parse(text("level")?)?,
        kind: Kind::parse(text("kind")?)?,
        subject: Subject::parse(text("subject")?)?,
        verb: Verb::parse(text("verb")?)?,
        outcome: Outcome::parse(text("outcome")?)?,
        object: Object::new(text("object")?),
        text: Sentence::new(text("text")?),
    };
    let hash = digest(text("hash")?)?;
    let sealed = Box::new(Sealed { entry, hash });
    Some(Line::Entry(sealed, digest(text("prev")?)?))
}

fn link(value: &Value) -> Option<Link> {
    Some(Link {
        entries: value.get("entries")?.as_u64()?,
        hash: digest(value.get("hash")?.as_str()?)?,
    })
}

fn digest(digits: &str) -> Option<Digest> {
    let mut digest = [0; DIGEST_BYTES];
    let length = parse_hex(digits, &mut digest)?.len();
    (length == DIGEST_BYTES).then_some(digest)
}
