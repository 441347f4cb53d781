//! A second opinion on a volume, with code of its own and no mercy.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// What is on a volume.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Contents {
    /// Directories end in a slash and have no bytes.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Clusters in use that nothing leads to.
    pub lost: usize,
    /// Clusters at the ends of files that their sizes do not reach.
    pub trailing: usize,
    pub free: usize,
    pub are_tables_alike: bool,
}

struct Volume<'a> {
    bytes: &'a [u8],
    bits: usize,
    tables_at: usize,
    table_bytes: usize,
    data_at: usize,
    cluster_bytes: usize,
    clusters: usize,
    seen: BTreeSet<usize>,
    contents: Contents,
}

fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    let bytes = bytes[at..at + length].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Reads everything; says what breaks the rules.
pub fn check(bytes: &[u8]) -> Result<Contents, String> {
    let (reserved, tables) = (number(bytes, 14, 2), number(bytes, 16, 1));
    let root_entries = number(bytes, 17, 2);
    let is_wide = number(bytes, 22, 2) == 0;
    let table_sectors = match is_wide {
        true => number(bytes, 36, 4),
        false => number(bytes, 22, 2),
    };
    let total = match number(bytes, 19, 2) {
        0 => number(bytes, 32, 4),
        total => total,
    };
    let data = reserved + tables * table_sectors + root_entries / 16;
    let a_cluster = number(bytes, 13, 1);
    let clusters = (total - data) / a_cluster;
    let mut volume = Volume {
        bytes,
        bits: match (is_wide, clusters) {
            (true, _) => 32,
            (false, ..4085) => 12,
            (false, _) => 16,
        },
        tables_at: reserved * 512,
        table_bytes: table_sectors * 512,
        data_at: data * 512,
        cluster_bytes: a_cluster * 512,
        clusters,
        seen: BTreeSet::new(),
        contents: Contents::default(),
    };
    let first = volume.tables_at;
    let table = |index: usize| &bytes[first + index * table_sectors * 512..][..table_sectors * 512];
    volume.contents.are_tables_alike = (1..tables).all(|index| table(index) == table(0));
    let root = match is_wide {
        true => volume.follow(number(bytes, 44, 4), usize::MAX)?,
        false => {
            let at = (data - root_entries / 16) * 512;
            bytes[at..at + root_entries * 32].to_vec()
        }
    };
    volume.walk(&root, "")?;
    for cluster in 2..clusters + 2 {
        match volume.entry(cluster) {
            0 => volume.contents.free += 1,
            _ if !volume.seen.contains(&cluster) => volume.contents.lost += 1,
            _ => {}
        }
    }
    Ok(volume.contents)
}

impl Volume<'_> {
    fn entry(&self, cluster: usize) -> usize {
        let table = &self.bytes[self.tables_at..self.tables_at + self.table_bytes];
        match self.bits {
            12 => {
                let both = number(table, cluster * 3 / 2, 2);
                if cluster.is_multiple_of(2) {
                    both & 0xfff
                } else {
                    both >> 4
                }
            }
            16 => number(table, cluster * 2, 2),
            _ => number(table, cluster * 4, 4) & 0x0fff_ffff,
        }
    }

    /// The bytes of a chain; of a file no more than its size.
    fn follow(&mut self, first: usize, size: usize) -> Result<Vec<u8>, String> {
        let (mut bytes, mut cluster) = (vec![], first);
        let end = (1 << self.bits.min(28)) - 8;
        loop {
            if !(2..self.clusters + 2).contains(&cluster) {
                return Err(format!("cluster {cluster} is none"));
            }
            if !self.seen.insert(cluster) {
                return Err(format!("cluster {cluster} is used twice"));
            }
            let at = self.data_at + (cluster - 2) * self.cluster_bytes;
            if bytes.len() >= size {
                self.contents.trailing += 1;
            }
            bytes.extend_from_slice(&self.bytes[at..at + self.cluster_bytes]);
            cluster = self.entry(cluster);
            if cluster >= end {
                break;
            }
        }
        if size != usize::MAX {
            if bytes.len() < size {
                return Err(format!("a chain of {} bytes for {size}", bytes.len()));
            }
            bytes.truncate(size);
        }
        Ok(bytes)
    }

    fn walk(&mut self, directory: &[u8], path: &str) -> Result<(), String> {
        let mut parts: Vec<(u8, Vec<u16>)> = vec![];
        let mut shorts = BTreeSet::new();
        for slot in directory.chunks(32) {
            match (slot[0], slot[11]) {
                (0, _) => return Ok(()),
                (0xe5, _) => parts.clear(),
                (_, 0x0f) => {
                    let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
                    let units = places.map(|at| number(slot, at, 2) as u16);
                    parts.push((slot[13], units.to_vec()));
                }
                (b'.', _) => parts.clear(),
                (_, attributes) if attributes & 8 != 0 => parts.clear(),
                _ => {
                    if !shorts.insert(slot[..11].to_vec()) {
                        return Err(format!("a short name stands twice in {path:?}"));
                    }
                    let name = name(slot, &parts);
                    parts.clear();
                    self.enter(slot, &format!("{path}{name}"))?;
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, slot: &[u8], path: &str) -> Result<(), String> {
        let first = number(slot, 20, 2) << 16 | number(slot, 26, 2);
        let size = number(slot, 28, 4);
        let (path, bytes) = if slot[11] & 0x10 != 0 {
            let bytes = self.follow(first, usize::MAX)?;
            let path = format!("{path}/");
            self.walk(&bytes, &path)?;
            (path, vec![])
        } else if first == 0 && size == 0 {
            (path.into(), vec![])
        } else {
            let bytes = self.follow(first, size);
            (
                path.into(),
                bytes.map_err(|error| format!("{path}: {error}"))?,
            )
        };
        if self.contents.files.insert(path.clone(), bytes).is_some() {
            return Err(format!("{path} is there twice"));
        }
        Ok(())
    }
}

fn name(slot: &[u8], parts: &[(u8, Vec<u16>)]) -> String {
    let checksum = slot[..11]
        .iter()
        .fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    if !parts.is_empty() && parts.iter().all(|(sum, _)| *sum == checksum) {
        let units = parts.iter().rev().flat_map(|(_, units)| units);
        let units: Vec<_> = units.copied().take_while(|unit| *unit != 0).collect();
        return String::from_utf16_lossy(&units);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().into();
    let (base, extension): (String, String) = (text(&slot[..8]), text(&slot[8..11]));
    match extension.is_empty() {
        true => base,
        false => format!("{base}.{extension}"),
    }
}
