//! From the names of a path to an entry, or where there could be one.

use crate::storage::fat::{FatError, Found, Geometry, LongName, Lookup, Sectors, Stop, path_names};
use alloc::boxed::Box;

/// Where a path leads.
pub enum Located {
    Root,
    Entry {
        name: Box<LongName>,
        /// The directory that it is in, or would be; 0 for the root.
        parent: u32,
        found: Found,
    },
}

/// How far a path was followed.
#[derive(Default)]
pub struct Locate {
    at: usize,
    /// The directory of the name that is looked for; `None` for the root.
    directory: Option<u32>,
    lookup: Option<Lookup>,
}

impl Locate {
    pub fn step(
        &mut self,
        path: &str,
        sectors: &mut dyn Sectors,
        geometry: &Geometry,
    ) -> Result<Located, Stop> {
        // It was checked when the wish was made.
        let no_path = |_| Stop::Failed(FatError::NotFound);
        let names = path_names(path).map_err(no_path)?;
        loop {
            let Some(name) = names.clone().nth(self.at) else {
                return Ok(Located::Root);
            };
            let directory = self.directory.unwrap_or(geometry.root_cluster());
            let lookup = match &mut self.lookup {
                Some(lookup) => lookup,
                none => {
                    let name = LongName::parse(name).map_err(no_path)?;
                    none.insert(Lookup::new(directory, name))
                }
            };
            let found = lookup.step(sectors, geometry)?;
            if names.clone().count() == self.at + 1 {
                return Ok(Located::Entry {
                    name: Box::new(lookup.name().clone()),
                    parent: self.directory.unwrap_or(0),
                    found,
                });
            }
            let Found::Item(item) = found else {
                return Err(FatError::NotFound.into());
            };
            if !item.is_directory {
                return Err(FatError::NotADirectory.into());
            }
            if !geometry.has(item.first) {
                let cluster = item.first;
                return Err(FatError::BrokenChain { cluster }.into());
            }
            self.directory = Some(item.first);
            self.lookup = None;
            self.at += 1;
        }
    }
}
