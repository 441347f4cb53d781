//! Questions and answers as bytes (RFC 1035, section 4).
//!
//! Nothing in a reply is believed: names may only point backwards, so they end; a record
//! must lie inside of the message; counts are only an upper bound for what is looked at.

use super::name::{LABEL_MAX, Name};
use super::view::Kind;
use crate::base::fixed::Vec;
use crate::limits::{DNS_ADDRESSES_MAX, DNS_NAME_MAX};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const HEADER: usize = 12;
/// A header, the longest name with its lengths, type and class.
pub const QUERY_MAX: usize = HEADER + DNS_NAME_MAX + 2 + 4;
/// Aliases that one reply may string together.
const ALIASES_MAX: usize = 8;
const CLASS_IN: u16 = 1;
const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;
const RECURSION_DESIRED: u16 = 0x0100;
const IS_REPLY: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const NO_ERROR: u16 = 0;
const NO_SUCH_NAME: u16 = 3;

pub type Query = Vec<u8, QUERY_MAX>;

pub fn query(id: u16, name: &Name, kind: Kind) -> Query {
    let mut query = Query::new();
    let mut add = |bytes: &[u8]| {
        let kept = query.extend_from_slice(bytes);
        crate::invariant!(kept.is_ok(), "a checked name does not fit into a question");
    };
    for word in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        add(&word.to_be_bytes());
    }
    for label in name.labels() {
        // A label has at most 63 bytes.
        add(&[label.len() as u8]);
        add(label.as_bytes());
    }
    add(&[0]);
    add(&kind.number().to_be_bytes());
    add(&CLASS_IN.to_be_bytes());
    query
}

/// What a reply to our question says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    Addresses {
        name: Name,
        addresses: Vec<IpAddr, DNS_ADDRESSES_MAX>,
        more: usize,
        ttl_secs: u32,
    },
    /// The name is another's alias, and that one must be asked about.
    Alias {
        name: Name,
        ttl_secs: u32,
    },
    /// For so many seconds, where the server said how long.
    NoSuchName {
        ttl_secs: Option<u32>,
    },
    NoAddress {
        ttl_secs: Option<u32>,
    },
    /// It did not fit into a datagram.
    Truncated,
    /// The server cannot or does not want to say.
    Refused,
}

/// Why bytes are no reply to our question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadReply {
    WrongId,
    WrongQuestion,
    Malformed,
}

/// Reads a reply to the question with that id.
pub fn parse(bytes: &[u8], id: u16, asked: &Name, kind: Kind) -> Result<Reply, BadReply> {
    let mut reader = Reader { bytes, at: 0 };
    if reader.word()? != id {
        return Err(BadReply::WrongId);
    }
    let flags = reader.word()?;
    let [questions, answers, authorities, _] = [
        reader.word()?,
        reader.word()?,
        reader.word()?,
        reader.word()?,
    ];
    if flags & IS_REPLY == 0 || flags & OPCODE != 0 {
        return Err(BadReply::WrongQuestion);
    }
    let is_refused = !matches!(flags & 0xf, NO_ERROR | NO_SUCH_NAME);
    if questions == 0 && is_refused {
        // Some servers do not repeat what they do not want to hear.
        return Ok(Reply::Refused);
    }
    let question = (reader.name()?, reader.word()?, reader.word()?);
    if questions != 1 || question != (asked.clone(), kind.number(), CLASS_IN) {
        return Err(BadReply::WrongQuestion);
    }
    if flags & TRUNCATED != 0 {
        return Ok(Reply::Truncated);
    }
    if is_refused {
        return Ok(Reply::Refused);
    }
    let section = Section {
        start: reader.at,
        count: answers,
    };
    let found = section.follow(bytes, asked, kind)?;
    if !matches!(found, Reply::NoAddress { .. }) {
        return Ok(found);
    }
    let ttl_secs = section.negative_ttl(bytes, authorities)?;
    Ok(match flags & 0xf {
        NO_SUCH_NAME => Reply::NoSuchName { ttl_secs },
        _ => Reply::NoAddress { ttl_secs },
    })
}

/// The records of the answer, read again for every alias.
struct Section {
    start: usize,
    count: u16,
}

impl Section {
    /// Goes from alias to alias to the addresses, in whatever order the records stand.
    fn follow(&self, bytes: &[u8], asked: &Name, kind: Kind) -> Result<Reply, BadReply> {
        let (mut name, mut ttl) = (asked.clone(), u32::MAX);
        for _ in 0..=ALIASES_MAX {
            let (mut addresses, mut more, mut alias) = (Vec::new(), 0, None);
            let mut reader = Reader {
                bytes,
                at: self.start,
            };
            for _ in 0..self.count {
                let record = reader.record()?;
                if record.class != CLASS_IN || record.owner != name {
                    continue;
                }
                if let Some(address) = record.address(kind) {
                    more += usize::from(addresses.push(address).is_err());
                    ttl = ttl.min(record.ttl_secs);
                } else if record.number == TYPE_CNAME {
                    let mut target = Reader {
                        bytes,
                        at: record.data_at,
                    };
                    alias = Some(target.name()?);
                    ttl = ttl.min(record.ttl_secs);
                }
            }
            if !addresses.is_empty() {
                return Ok(Reply::Addresses {
                    name,
                    addresses,
                    more,
                    ttl_secs: ttl,
                });
            }
            match alias {
                Some(target) => name = target,
                None if name == *asked => return Ok(Reply::NoAddress { ttl_secs: None }),
                None => {
                    return Ok(Reply::Alias {
                        name,
                        ttl_secs: ttl,
                    });
                }
            }
        }
        // A circle inside of one message.
        Err(BadReply::Malformed)
    }

    /// How long it holds that there is nothing (RFC 2308, 5).
    fn negative_ttl(&self, bytes: &[u8], authorities: u16) -> Result<Option<u32>, BadReply> {
        let mut reader = Reader {
            bytes,
            at: self.start,
        };
        for _ in 0..self.count {
            reader.record()?;
        }
        for _ in 0..authorities {
            let record = reader.record()?;
            if record.number == TYPE_SOA && record.class == CLASS_IN {
                let mut data = Reader {
                    bytes,
                    at: record.data_at,
                };
                data.name()?;
                data.name()?;
                data.skip(16)?;
                return Ok(Some(data.long()?.min(record.ttl_secs)));
            }
        }
        Ok(None)
    }
}

struct Record<'a> {
    owner: Name,
    number: u16,
    class: u16,
    ttl_secs: u32,
    data: &'a [u8],
    data_at: usize,
}

impl Record<'_> {
    fn address(&self, kind: Kind) -> Option<IpAddr> {
        if self.number != kind.number() {
            return None;
        }
        match kind {
            Kind::A => <[u8; 4]>::try_from(self.data)
                .ok()
                .map(|octets| Ipv4Addr::from(octets).into()),
            Kind::Aaaa => <[u8; 16]>::try_from(self.data)
                .ok()
                .map(|octets| Ipv6Addr::from(octets).into()),
        }
    }
}

/// Walks through a message; every step may find its end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], BadReply> {
        let end = self.at.checked_add(count).ok_or(BadReply::Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(BadReply::Malformed)?;
        self.at = end;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Result<(), BadReply> {
        self.take(count).map(|_| ())
    }

    fn byte(&mut self) -> Result<u8, BadReply> {
        Ok(self.take(1)?[0])
    }

    fn word(&mut self) -> Result<u16, BadReply> {
        Ok(u16::from(self.byte()?) << 8 | u16::from(self.byte()?))
    }

    fn long(&mut self) -> Result<u32, BadReply> {
        Ok(u32::from(self.word()?) << 16 | u32::from(self.word()?))
    }

    /// A name, which may go on elsewhere; each jump must lead further back than the last.
    fn name(&mut self) -> Result<Name, BadReply> {
        let mut name = Name::root();
        let mut limit = self.at;
        let mut behind = None;
        loop {
            let length = usize::from(self.byte()?);
            match length {
                0 => break,
                1..=LABEL_MAX => {
                    if !name.push_label(self.take(length)?) {
                        return Err(BadReply::Malformed);
                    }
                }
                0xc0.. => {
                    let target = (length & 0x3f) << 8 | usize::from(self.byte()?);
                    if target >= limit {
                        return Err(BadReply::Malformed);
                    }
                    behind = behind.or(Some(self.at));
                    limit = target;
                    self.at = target;
                }
                _ => return Err(BadReply::Malformed),
            }
        }
        self.at = behind.unwrap_or(self.at);
        Ok(name)
    }

    fn record(&mut self) -> Result<Record<'a>, BadReply> {
        let owner = self.name()?;
        let (number, class, ttl_secs) = (self.word()?, self.word()?, self.long()?);
        let length = usize::from(self.word()?);
        let data_at = self.at;
        Ok(Record {
            owner,
            number,
            class,
            // A negative number of seconds is none (RFC 2181, 8).
            ttl_secs: if ttl_secs >> 31 == 0 { ttl_secs } else { 0 },
            data: self.take(length)?,
            data_at,
        })
    }
}
