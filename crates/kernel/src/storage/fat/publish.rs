//! Entries of directories, made and changed: what makes new contents visible.

use super::allocation::{Search, account};
use super::directory::{Found, Gap, Item, SlotAt};
use super::entry::{ARCHIVE, ATTRIBUTES_AT, DELETED, SLOT_BYTES, SLOTS_A_SECTOR, Short};
use super::geometry::Geometry;
use super::long_name::part;
use super::short_name::{checksum, exact};
use super::table::{Link, is_split, set_link};
use super::{FatError, LongName, Sector, Sectors, Stage, Stop, put};

/// What an entry is to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    File { first: u32, size: u32 },
    Directory { first: u32 },
}

/// What a call has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Published {
    pub search: Search,
    /// False when a free cluster has to be looked for elsewhere; then nothing was done.
    pub is_done: bool,
    /// Clusters that the directory took.
    pub clusters: u32,
}

/// Makes a name stand for new contents. `found` is what looking for the name has shown,
/// and nothing has changed in the directory since.
pub fn publish(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    search: Search,
    name: &LongName,
    found: &Found,
    entry: Entry,
) -> Result<Published, Stop> {
    let mut search = search.begun();
    let mut published = Published {
        search,
        is_done: true,
        clusters: 0,
    };
    let gap = match found {
        Found::Item(item) => {
            replace(sectors, item, entry)?;
            return Ok(published);
        }
        Found::Absent(gap) => gap,
    };
    let short = match entry {
        Entry::File { first, size } => Short::file(gap.short, first, size),
        Entry::Directory { first } => Short::directory(gap.short, first),
    };
    if gap.at.is_some() {
        insert(sectors, gap, name, &short)?;
    } else {
        let tail = gap.tail.filter(|tail| !is_split(geometry, *tail));
        let tail = tail.ok_or(FatError::DirectoryFull)?;
        let found = search.find(sectors, geometry)?;
        published.search = search;
        let Some(cluster) = found else {
            published.is_done = false;
            return Ok(published);
        };
        grow(sectors, geometry, tail, cluster)?;
        let first = geometry.sector_of(cluster);
        emit(sectors.change(first, Stage::Fresh)?, 0, name, &short);
        account(sectors, geometry, 1, 0)?;
        published.clusters = 1;
    }
    if let Some(skipped) = gap.skipped {
        let sector = sectors.change(skipped.sector, Stage::After)?;
        let slots = sector.chunks_mut(SLOT_BYTES).skip(skipped.index);
        slots.for_each(|slot| slot[0] = DELETED);
    }
    Ok(published)
}

/// Lets an entry that is there say something else, in one sector.
fn replace(sectors: &mut dyn Sectors, item: &Item, entry: Entry) -> Result<(), Stop> {
    let (first, size) = match entry {
        Entry::File { .. } if item.is_directory => return Err(FatError::IsADirectory.into()),
        Entry::File { .. } if item.is_read_only => return Err(FatError::ReadOnly.into()),
        Entry::File { first, size } => (first, size),
        Entry::Directory { .. } => return Err(FatError::Exists.into()),
    };
    set_contents(sectors, item.at, first, size, Stage::Visible)
}

/// Changes first cluster and size of a file's entry, and notes for who makes backups that
/// it is another file now.
pub fn set_contents(
    sectors: &mut dyn Sectors,
    at: SlotAt,
    first: u32,
    size: u32,
    stage: Stage,
) -> Result<(), Stop> {
    let sector = sectors.change(at.sector, stage)?;
    let slot = sector.chunks_mut(SLOT_BYTES).nth(at.index);
    if let Some(slot) = slot {
        Short::file([b' '; 11], first, size).emit_contents(slot);
        slot[ATTRIBUTES_AT] |= ARCHIVE;
    }
    Ok(())
}

/// Puts an entry into free slots.
fn insert(
    sectors: &mut dyn Sectors,
    gap: &Gap,
    name: &LongName,
    short: &Short,
) -> Result<(), Stop> {
    let Some(at) = gap.at else {
        return Ok(());
    };
    let sector = sectors.change(at.sector, Stage::Visible)?;
    let end = emit(sector, at.index, name, short);
    if gap.is_last && end < SLOTS_A_SECTOR {
        sector[end * SLOT_BYTES] = 0;
    } else if let Some(next) = gap.next {
        // Nobody looks so far yet.
        sectors.change(next, Stage::Fresh)?[0] = 0;
    }
    Ok(())
}

/// Writes all slots of an entry; answers the place behind them.
fn emit(sector: &mut Sector, index: usize, name: &LongName, short: &Short) -> usize {
    let parts = match exact(name) {
        Some(_) => 0,
        None => name.parts(),
    };
    let checksum = checksum(&short.name);
    for number in 1..=parts {
        let at = (index + parts - number) * SLOT_BYTES;
        put(sector, at, &part(name, number, checksum).emit());
    }
    put(sector, (index + parts) * SLOT_BYTES, &short.emit());
    index + parts + 1
}

/// Puts an empty cluster behind the last of a directory.
fn grow(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    tail: u32,
    cluster: u32,
) -> Result<(), Stop> {
    clear(sectors, geometry, cluster)?;
    set_link(sectors, geometry, cluster, Link::End, Stage::Fresh)?;
    set_link(sectors, geometry, tail, Link::Next(cluster), Stage::Visible)
}

fn clear(sectors: &mut dyn Sectors, geometry: &Geometry, cluster: u32) -> Result<(), Stop> {
    let first = geometry.sector_of(cluster);
    for index in 0..u64::from(geometry.sectors_per_cluster) {
        sectors.replace(first + index, Stage::Fresh)?;
    }
    Ok(())
}

/// Makes an empty directory that nothing refers to yet: its cluster, if one was found.
/// `parent` is 0 for the root.
pub fn make_directory(
    sectors: &mut dyn Sectors,
    geometry: &Geometry,
    search: Search,
    parent: u32,
) -> Result<(Option<u32>, Search), Stop> {
    let mut search = search.begun();
    let Some(cluster) = search.find(sectors, geometry)? else {
        return Ok((None, search));
    };
    clear(sectors, geometry, cluster)?;
    set_link(sectors, geometry, cluster, Link::End, Stage::Fresh)?;
    account(sectors, geometry, 1, 0)?;
    let first = sectors.change(geometry.sector_of(cluster), Stage::Fresh)?;
    put(first, 0, &Short::directory(*b".          ", cluster).emit());
    let up = Short::directory(*b"..         ", parent);
    put(first, SLOT_BYTES, &up.emit());
    Ok((Some(cluster), search))
}
