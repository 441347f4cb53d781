//! Embeds the symbols of a small program and asks for functions whose lines are known.

use std::path::PathBuf;
use std::process::Command;

use object::ObjectSymbol;

use super::*;
use crate::workspace::Scratch;

/// Lines count from 1 and the text begins with a line break: `outer` calls `inner` on line 8.
const PROGRAM: &str = r#"
#[inline(never)]
pub fn inner(value: u64) -> u64 {
    std::hint::black_box(value) * 3
}
#[unsafe(no_mangle)]
pub extern "C" fn outer(value: u64) -> u64 {
    let tripled = inner(value);
    let option = std::hint::black_box(Some(tripled));
    option.expect("a value") + 1
}
#[used]
#[unsafe(link_section = ".rayos_symbols")]
static SYMBOLS: [u8; CAPACITY] = {
    let mut section = [0; CAPACITY];
    let magic = *b"RAYSYM00";
    let mut index = 0;
    while index < magic.len() {
        section[index] = magic[index];
        index += 1;
    }
    section
};
fn main() {
    std::process::exit(outer(std::env::args().count() as u64) as i32);
}
"#;

struct Fixture {
    _scratch: Scratch,
    elf: PathBuf,
}

impl Fixture {
    fn compiled(capacity: usize) -> Self {
        let scratch = Scratch::new().unwrap();
        let source = scratch.path().join("fixture.rs");
        let elf = scratch.path().join("fixture");
        fs::write(&source, PROGRAM.replace("CAPACITY", &capacity.to_string())).unwrap();
        let compiler = std::env::var_os("RUSTC").unwrap_or("rustc".into());
        let status = Command::new(compiler)
            .args(["--edition=2024", "-Cdebuginfo=2", "-Copt-level=1", "-o"])
            .args([&elf, &source])
            .status()
            .unwrap();
        assert!(status.success());
        Self {
            _scratch: scratch,
            elf,
        }
    }

    fn section(&self) -> Vec<u8> {
        let file = fs::read(&self.elf).unwrap();
        let object = object::File::parse(&*file).unwrap();
        let section = object.section_by_name(SECTION).unwrap();
        section.data().unwrap().to_vec()
    }

    /// Address and size of the first function whose name in the symbol table contains `part`.
    fn function(&self, part: &str) -> (u64, u64) {
        let file = fs::read(&self.elf).unwrap();
        let object = object::File::parse(&*file).unwrap();
        let symbol = object
            .symbols()
            .find(|symbol| symbol.name().is_ok_and(|name| name.contains(part)))
            .unwrap();
        (symbol.address(), symbol.size())
    }
}

#[test]
fn a_filled_kernel_names_its_functions_and_their_lines() {
    let fixture = Fixture::compiled(1 << 20);
    let summary = embed(&fixture.elf).unwrap();
    assert!(summary.functions > 100, "{summary:?}");
    assert!(summary.lines > summary.functions, "{summary:?}");
    assert_eq!(summary.capacity_bytes, 1 << 20);

    let section = fixture.section();
    let symbols = Symbols::parse(&section).unwrap();
    let (outer, size) = fixture.function("outer");
    let lines = (outer..outer + size)
        .filter_map(|address| {
            let found = symbols.lookup(address).unwrap();
            assert_eq!(found.function, "outer");
            assert_eq!(found.offset, address - outer);
            // Code that the optimiser merged from several lines has none.
            let source = found.source?;
            assert!(source.file.ends_with("fixture.rs"), "{found}");
            Some(source.line)
        })
        .collect::<Vec<_>>();
    assert_eq!(lines[0], 7);
    assert!(
        lines.iter().all(|line| (7..=11).contains(line)),
        "{lines:?}"
    );
    // `Option::expect` is inlined; its lines count as the line that calls it.
    assert!(lines.contains(&8) && lines.contains(&10), "{lines:?}");

    let (inner, _) = fixture.function("inner");
    let found = symbols.lookup(inner).unwrap();
    assert_eq!(found.function, "fixture::inner");
    assert!((3..=5).contains(&found.source.unwrap().line), "{found}");
}

#[test]
fn a_filled_kernel_still_runs() {
    let fixture = Fixture::compiled(1 << 20);
    embed(&fixture.elf).unwrap();
    let status = Command::new(&fixture.elf).status().unwrap();
    assert_eq!(status.code(), Some(4));
}

#[test]
fn filling_twice_changes_nothing() {
    let fixture = Fixture::compiled(1 << 20);
    let first = embed(&fixture.elf).unwrap();
    let file = fs::read(&fixture.elf).unwrap();
    let written = fs::metadata(&fixture.elf).unwrap().modified().unwrap();
    assert_eq!(embed(&fixture.elf).unwrap(), first);
    assert_eq!(fs::read(&fixture.elf).unwrap(), file);
    assert_eq!(
        fs::metadata(&fixture.elf).unwrap().modified().unwrap(),
        written
    );
}

#[test]
fn a_section_that_is_too_small_is_left_alone_and_the_needed_size_is_named() {
    let fixture = Fixture::compiled(4096);
    let before = fixture.section();
    let error = format!("{:#}", embed(&fixture.elf).unwrap_err());
    assert!(
        error.contains("bytes and the section .rayos_symbols has 4096"),
        "{error}"
    );
    assert_eq!(fixture.section(), before);
}

#[test]
fn a_program_without_the_section_is_refused() {
    let error = embed(&std::env::current_exe().unwrap()).unwrap_err();
    assert!(
        format!("{error:#}").contains("it has no section .rayos_symbols"),
        "{error:#}"
    );
}
