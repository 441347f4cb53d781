//! Collects the functions of an executable and their source lines from its debug information.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use addr2line::{Context, gimli};
use anyhow::{Context as _, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Longer names come only from deeply nested generics, and nobody reads them in a backtrace.
const NAME_CHARACTERS_MAX: usize = 160;

type Slice<'data> = gimli::EndianSlice<'data, gimli::RunTimeEndian>;

/// What is known about the code of an executable.
pub struct Program {
    /// Sorted by address, without overlaps.
    pub functions: Vec<Function>,
    /// Paths of source files, each once.
    pub files: Vec<String>,
}

/// A function and its lines.
pub struct Function {
    pub address: u64,
    pub size_bytes: u64,
    pub name: String,
    /// Sorted by address; the first stands at the function's own address, and neighbours differ.
    pub rows: Vec<Row>,
}

/// From `address` on, the code comes from `line`.
pub struct Row {
    pub address: u64,
    pub line: Option<Line>,
}

/// A line of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Index into [`Program::files`].
    pub file: usize,
    pub number: u32,
}

/// Reads names from the symbol table and lines from the DWARF sections.
pub fn collect(object: &object::File<'_>) -> anyhow::Result<Program> {
    let mut functions = functions(object);
    ensure!(
        !functions.is_empty(),
        "it has no symbol table; link it without stripping"
    );
    let endian = match object.is_little_endian() {
        true => gimli::RunTimeEndian::Little,
        false => gimli::RunTimeEndian::Big,
    };
    let dwarf = gimli::Dwarf::load(|id| -> Result<_, object::Error> {
        let data = match object.section_by_name(id.name()) {
            Some(section) => section.data()?,
            None => &[],
        };
        Ok(gimli::EndianSlice::new(data, endian))
    })?;
    let context = Context::from_dwarf(dwarf).context("its debug information cannot be read")?;
    let mut files = Files::default();
    for function in &mut functions {
        function.rows = rows(&context, &mut files, function)?;
    }
    Ok(Program {
        functions,
        files: files.paths,
    })
}

/// Every named piece of code, one name an address.
fn functions(object: &object::File<'_>) -> Vec<Function> {
    let mut code_ends = HashMap::new();
    for section in object.sections() {
        if section.kind() == object::SectionKind::Text {
            code_ends.insert(section.index(), section.address() + section.size());
        }
    }
    // Of several names for one address the largest sized function wins; labels of assembly have no size at all.
    let mut by_address: BTreeMap<u64, (u64, &str, u64)> = BTreeMap::new();
    for symbol in object.symbols() {
        let code_end = symbol
            .section_index()
            .and_then(|index| code_ends.get(&index));
        let (Some(&code_end), Ok(name)) = (code_end, symbol.name()) else {
            continue;
        };
        let is_named_code = matches!(
            symbol.kind(),
            SymbolKind::Text | SymbolKind::Label | SymbolKind::Unknown
        ) && !name.is_empty()
            && !name.starts_with(['.', '$']);
        if is_named_code && symbol.address() < code_end {
            let known = by_address.entry(symbol.address()).or_default();
            if known.1.is_empty() || symbol.size() > known.0 {
                *known = (symbol.size(), name, code_end);
            }
        }
    }
    without_overlaps(by_address)
}

/// Gives labels the room up to the next name, and drops those inside a function that has a size.
fn without_overlaps(by_address: BTreeMap<u64, (u64, &str, u64)>) -> Vec<Function> {
    let mut functions = Vec::<Function>::new();
    let mut addresses = by_address
        .keys()
        .copied()
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter();
    let mut taken_until = 0;
    for (address, (size_bytes, name, code_end)) in by_address {
        let next_address = addresses.next().unwrap_or(u64::MAX);
        if address < taken_until {
            continue;
        }
        let end = match size_bytes {
            0 => next_address.min(code_end),
            _ => address + size_bytes,
        };
        taken_until = end;
        functions.push(Function {
            address,
            size_bytes: end - address,
            name: readable(name),
            rows: Vec::new(),
        });
    }
    functions
}

/// The name as it stands in the source, without the compiler's hash.
fn readable(symbol: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    match name.char_indices().nth(NAME_CHARACTERS_MAX) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name,
    }
}

/// Where the line changes inside `function`.
fn rows(
    context: &Context<Slice<'_>>,
    files: &mut Files,
    function: &Function,
) -> anyhow::Result<Vec<Row>> {
    let end = function.address + function.size_bytes;
    let mut rows = vec![Row {
        address: function.address,
        line: None,
    }];
    for (address, _, _) in context.find_location_range(function.address, end)? {
        let line = best_line(context, files, address)?;
        match rows.last_mut() {
            Some(last) if last.line == line => {}
            Some(last) if last.address >= address => last.line = line,
            _ => rows.push(Row { address, line }),
        }
    }
    Ok(rows)
}

/// The line that a reader of a backtrace wants to see for `address`.
///
/// Where functions were inlined there is one for each, from the innermost outwards. The innermost of the project's own
/// source is the best: the lines of an inlined `Option::expect` say nothing about who called it.
fn best_line(
    context: &Context<Slice<'_>>,
    files: &mut Files,
    address: u64,
) -> anyhow::Result<Option<Line>> {
    let mut frames = context.find_frames(address).skip_all_loads()?;
    let mut best: Option<(Origin, Line)> = None;
    while let Some(frame) = frames.next()? {
        let Some(location) = frame.location else {
            continue;
        };
        let (Some(path), Some(number @ 1..)) = (location.file, location.line) else {
            continue;
        };
        let (file, origin) = files.index(path);
        if best.is_none_or(|(best_origin, _)| origin < best_origin) {
            best = Some((origin, Line { file, number }));
        }
    }
    Ok(best.map(|(_, line)| line))
}

/// Whose source a file is; what comes first is what a backtrace had rather show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Project,
    Dependency,
    StandardLibrary,
}

/// The source files seen so far.
#[derive(Default)]
struct Files {
    paths: Vec<String>,
    /// Index into `paths`, by the path that the compiler recorded.
    known: HashMap<String, (usize, Origin)>,
}

impl Files {
    fn index(&mut self, recorded: &str) -> (usize, Origin) {
        if let Some(&known) = self.known.get(recorded) {
            return known;
        }
        let (path, origin) = shortened(recorded);
        let index = match self.paths.iter().position(|known| *known == path) {
            Some(index) => index,
            None => {
                self.paths.push(path);
                self.paths.len() - 1
            }
        };
        self.known.insert(recorded.to_owned(), (index, origin));
        (index, origin)
    }
}

/// A path without the directories of the machine that compiled it.
fn shortened(recorded: &str) -> (String, Origin) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    if let Some(Ok(inside)) = workspace.map(|root| Path::new(recorded).strip_prefix(root)) {
        return (inside.display().to_string(), Origin::Project);
    }
    // .../registry/src/<index>/smoltcp-0.13.1/src/lib.rs
    if let Some((_, inside)) = recorded.split_once("/registry/src/") {
        let path = inside.split_once('/').map_or(inside, |(_, path)| path);
        return (path.to_owned(), Origin::Dependency);
    }
    // .../library/core/src/option.rs
    if let Some((_, inside)) = recorded.split_once("/library/") {
        return (inside.to_owned(), Origin::StandardLibrary);
    }
    (recorded.to_owned(), Origin::Project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_the_machine_that_compiled_them() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let own = workspace.join("crates/kernel/src/boot.rs");
        let cases = [
            (
                own.to_str().unwrap(),
                "crates/kernel/src/boot.rs",
                Origin::Project,
            ),
            (
                "/rustc/59807616/library/core/src/option.rs",
                "core/src/option.rs",
                Origin::StandardLibrary,
            ),
            (
                "/cargo/registry/src/index-1949cf8c/heapless-0.9.3/src/vec.rs",
                "heapless-0.9.3/src/vec.rs",
                Origin::Dependency,
            ),
        ];
        for (recorded, path, origin) in cases {
            assert_eq!(shortened(recorded), (path.to_owned(), origin));
        }
    }

    #[test]
    fn names_lose_the_hash_and_keep_a_readable_length() {
        assert_eq!(
            readable("_ZN4core6option13expect_failed17h0123456789abcdefE"),
            "core::option::expect_failed"
        );
        assert_eq!(readable("_start"), "_start");
        assert_eq!(
            readable(&"ä".repeat(200)).chars().count(),
            NAME_CHARACTERS_MAX + 1
        );
    }
}
