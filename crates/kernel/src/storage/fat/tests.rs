//! Promises of volumes that need no disk: what sectors mean, byte by byte.

use super::geometry::{Geometry, Root};
use super::name::LongName;
use super::short_name::{candidates, checksum, exact, shown};
use super::table::{Link, is_split, link, set_link};
use super::{FatError, Format, Kind, PathError, Sector, Sectors, Stage, Stop, path_names};
use crate::base::prng::Prng;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

/// A volume of which everything is at hand.
struct Memory {
    sectors: BTreeMap<u64, Sector>,
}

impl Sectors for Memory {
    fn read(&mut self, sector: u64) -> Result<&Sector, Stop> {
        Ok(self.sectors.entry(sector).or_insert([0; 512]))
    }

    fn change(&mut self, sector: u64, _: Stage) -> Result<&mut Sector, Stop> {
        Ok(self.sectors.entry(sector).or_insert([0; 512]))
    }

    fn replace(&mut self, sector: u64, stage: Stage) -> Result<&mut Sector, Stop> {
        self.sectors.insert(sector, [0; 512]);
        self.change(sector, stage)
    }
}

fn geometry_of(format: &Format) -> Result<Geometry, FatError> {
    let mut boot = [0; 512];
    format.fill(0, &mut boot);
    Geometry::parse(&boot, format.sectors())
}

fn name(text: &str) -> LongName {
    LongName::parse(text).expect("it is a name")
}

#[test]
fn what_is_made_new_is_of_the_kind_that_its_size_asks_for() {
    let cases = [
        (128, Kind::Fat12),
        (8 << 11, Kind::Fat16),
        (4 << 11, Kind::Fat12),
        (15_999, Kind::Fat12),
        (16_000, Kind::Fat16),
        (32_767, Kind::Fat16),
        (32_768, Kind::Fat16),
        (131_072, Kind::Fat16),
        (524_288, Kind::Fat16),
        (1_048_575, Kind::Fat16),
        (1_048_576, Kind::Fat32),
        (1 << 24, Kind::Fat32),
        (u64::from(u32::MAX), Kind::Fat32),
    ];
    for (sectors, kind) in cases {
        let format = Format::new(sectors, 2048, 1, b"RAYOS      ").expect("it can be made");
        let geometry = geometry_of(&format).expect("it is one");
        assert_eq!(
            (geometry.kind, geometry.label()),
            (kind, "RAYOS"),
            "{sectors}"
        );
        let end = geometry.sector_of(geometry.clusters + 2);
        assert!(end <= sectors && sectors - end < 2 * u64::from(geometry.sectors_per_cluster));
        match geometry.root {
            Root::Cluster(cluster) => assert_eq!(cluster, 2),
            Root::Sectors { count, .. } => assert_eq!(count, 32),
        }
    }
    assert!(Format::new(127, 0, 1, b"RAYOS      ").is_none());
    assert!(Format::new(1 << 32, 0, 1, b"RAYOS      ").is_none());
}

#[test]
fn a_first_sector_that_lies_is_refused_or_stays_within_its_room() {
    let mut prng = Prng::new(3);
    let mut taken = 0;
    for seed in 0..60_000_u64 {
        let sectors = [2000, 40_000, 1 << 20][seed as usize % 3];
        let format = Format::new(sectors, 0, 1, b"RAYOS      ").expect("it can be made");
        let mut boot = [0; 512];
        format.fill(0, &mut boot);
        for _ in 0..1 + prng.below(4) {
            let at = 11 + prng.below(41) as usize;
            boot[at] = match prng.below(3) {
                0 => 0,
                1 => 1 << prng.below(8),
                _ => prng.below(256) as u8,
            };
        }
        if let Ok(geometry) = Geometry::parse(&boot, sectors) {
            taken += 1;
            assert!(geometry.clusters > 0);
            assert!(geometry.sector_of(geometry.clusters + 2) <= sectors);
            let tables = geometry.table_sectors * u64::from(geometry.tables);
            assert!(geometry.table_first + tables <= geometry.data_first);
            let bits = (u64::from(geometry.clusters) + 2) * geometry.kind.entry_bits();
            assert!(bits <= geometry.table_sectors * 512 * 8);
        }
    }
    assert!(taken > 1000, "{taken}");
}

#[test]
fn links_of_all_widths_keep_their_neighbours_and_all_copies_alike() {
    for (kind, sectors, a_cluster) in [
        (Kind::Fat12, 4000, 1),
        (Kind::Fat16, 9000, 1),
        (Kind::Fat32, 9000, 1),
    ] {
        let format = Format::of(kind, a_cluster, (sectors, 0, 1, b"RAYOS      "));
        let geometry = geometry_of(&format).expect("it is one");
        assert_eq!(geometry.kind, kind);
        let mut memory = Memory {
            sectors: BTreeMap::new(),
        };
        let mut model = BTreeMap::new();
        let mut prng = Prng::new(5);
        for _ in 0..20_000 {
            let cluster = 2 + prng.below(u64::from(geometry.clusters)) as u32;
            let next = 2 + prng.below(u64::from(geometry.clusters)) as u32;
            let set = [Link::Free, Link::End, Link::Next(next)][prng.below(3) as usize];
            set_link(&mut memory, &geometry, cluster, set, Stage::Fresh).unwrap();
            model.insert(cluster, set);
        }
        for cluster in 2..geometry.clusters + 2 {
            let expected = model.get(&cluster).copied().unwrap_or(Link::Free);
            assert_eq!(
                link(&mut memory, &geometry, cluster),
                Ok(expected),
                "{cluster}"
            );
        }
        for sector in 0..geometry.table_sectors {
            let at = geometry.table_first + sector;
            let copy = *memory.read(at + geometry.table_sectors).unwrap();
            assert_eq!(*memory.read(at).unwrap(), copy);
        }
        let splits = (2..geometry.clusters + 2).filter(|cluster| is_split(&geometry, *cluster));
        assert_eq!(splits.count() > 0, kind == Kind::Fat12);
        let outside = geometry.clusters + 2;
        assert!(link(&mut memory, &geometry, outside).is_err());
        assert!(link(&mut memory, &geometry, 0).is_err());
    }
}

#[test]
fn short_names_are_those_that_other_systems_make() {
    let text = |short: &[u8; 11]| String::from_utf8(short.to_vec()).unwrap();
    for (long, short) in [
        ("README.TXT", Some("README  TXT")),
        ("A", Some("A          ")),
        ("NO~1.C", Some("NO~1    C  ")),
        ("Readme.txt", None),
        ("NINELONGX", None),
        ("A.LONG", None),
        ("TWO.DOTS.X", None),
        ("A B", None),
        (".PROFILE", None),
    ] {
        assert_eq!(
            exact(&name(long)).map(|short| text(&short)).as_deref(),
            short,
            "{long}"
        );
    }
    for (long, first) in [
        ("a long name.text", "ALONGN~1TEX"),
        ("Grüße.md", "GR__E~1 MD "),
        (".profile", "PROFIL~1   "),
        ("x+y.tar.gz", "X_YTAR~1GZ "),
        ("日本語", "___~1      "),
    ] {
        let all = candidates(&name(long));
        assert_eq!(text(&all[0]), first, "{long}");
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
    // From the specification of long names, by hand.
    assert_eq!(checksum(b"THEQUI~1FOX"), 0x07);
    assert_eq!(
        format!("{}", shown(b"README  TXT", (true, false))),
        "readme.TXT"
    );
    assert_eq!(
        format!("{}", shown(b"\xe5BC        ", (false, false))),
        "\u{fffd}BC"
    );
}

#[test]
fn a_path_is_names_with_slashes_between() {
    let names = |path| path_names(path).map(|names| names.collect::<Vec<_>>());
    assert_eq!(names("/a//b c/./d"), Ok(["a", "b c", "d"].into()));
    assert_eq!(names(""), Ok([].into()));
    assert_eq!(names("a/b*"), Err(PathError::Character('*')));
    assert_eq!(names("a/ b"), Err(PathError::Edge));
    assert_eq!(names(&"a/".repeat(17)), Err(PathError::TooDeep));
}

#[test]
fn names_are_shown_without_control_characters_and_told_apart_without_case() {
    let raw = |text: &str| LongName::from_units(text.encode_utf16());
    assert_eq!(format!("{}", raw("bell\u{7}")), "bell\u{fffd}");
    assert!(raw("ÄÖ").is_alike(&raw("äö")));
    assert!(!raw("ab").is_alike(&raw("abc")));
    let stamp = super::Stamp {
        date: 0x5a21,
        time: 0x6c3f,
    };
    assert_eq!(format!("{stamp}"), "2025-01-01 13:33");
}
