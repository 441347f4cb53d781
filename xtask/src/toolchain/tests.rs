//! Which toolchain is chosen, from what is installed.

use super::*;
use crate::workspace::Scratch;
use std::fs;

/// A compiler whose sysroot has these files.
fn compiler_with(scratch: &Scratch, name: &str, files: &[&str]) -> Compiler {
    let sysroot = scratch.path().join(name);
    for file in files {
        let path = sysroot.join("lib/rustlib").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    Compiler {
        cargo: PathBuf::from(format!("/{name}/cargo")),
        rustc: PathBuf::from(format!("/{name}/rustc")),
        version: "1.96.0".to_string(),
        sysroot,
    }
}

const LINKER: &str = "x86_64-unknown-linux-gnu/bin/rust-lld";
const CORE: &str = "x86_64-unknown-none/lib/libcore.rlib";
const SOURCE: &str = "src/rust/library/core/Cargo.toml";

fn found(search: Search) -> Toolchain {
    match search {
        Search::Found(toolchain) => toolchain,
        other => panic!("expected a toolchain, not {other:?}"),
    }
}

#[test]
fn an_installed_target_wins_over_every_source() {
    let scratch = Scratch::new().unwrap();
    let active = compiler_with(&scratch, "active", &[LINKER, CORE, SOURCE]);
    let debian = compiler_with(&scratch, "debian", &[SOURCE]);
    let toolchain = found(choose(
        Some(&active),
        Some(&debian),
        &[PathBuf::from("/usr/bin/ld.lld")],
    ));
    assert_eq!(toolchain.means, Means::InstalledTarget);
    assert_eq!(toolchain.linker, None);
}

#[test]
fn debian_serves_when_the_active_toolchain_has_neither_target_nor_source() {
    let scratch = Scratch::new().unwrap();
    let active = compiler_with(&scratch, "active", &[LINKER]);
    let debian = compiler_with(&scratch, "debian", &[SOURCE]);
    let linker = PathBuf::from("/usr/bin/ld.lld-22");
    let toolchain = found(choose(
        Some(&active),
        Some(&debian),
        std::slice::from_ref(&linker),
    ));
    assert_eq!(toolchain.means, Means::DebianSource);
    assert_eq!(toolchain.rustc, PathBuf::from("/debian/rustc"));
    assert_eq!(toolchain.linker, Some(linker));
}

#[test]
fn a_missing_linker_and_a_missing_core_are_told_apart() {
    let scratch = Scratch::new().unwrap();
    let source_only = compiler_with(&scratch, "source", &[SOURCE]);
    let bare = compiler_with(&scratch, "bare", &[LINKER]);
    assert!(matches!(
        choose(None, Some(&source_only), &[]),
        Search::LinkerMissing(Means::DebianSource)
    ));
    assert!(matches!(
        choose(Some(&bare), None, &[]),
        Search::CoreMissing
    ));
}

#[test]
fn debians_cargo_never_meets_rustups_environment() {
    let toolchain = Toolchain {
        means: Means::DebianSource,
        cargo: PathBuf::from("/usr/bin/cargo"),
        rustc: PathBuf::from("/usr/bin/rustc"),
        version: "1.96.0".to_string(),
        linker: Some(PathBuf::from("/usr/bin/ld.lld-22")),
    };
    let command = toolchain.cargo("build");
    let value = |name: &str| {
        command
            .get_envs()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    assert_eq!(command.get_program(), "/usr/bin/cargo");
    assert_eq!(value("RUSTC").flatten(), Some("/usr/bin/rustc".as_ref()));
    assert_eq!(value("PATH").flatten(), Some("/usr/bin:/bin".as_ref()));
    assert_eq!(value("RUSTUP_TOOLCHAIN"), Some(None), "must be removed");
    assert_eq!(value("RUSTFLAGS"), Some(None), "must be removed");
    assert!(
        command
            .get_args()
            .any(|argument| argument == "-Zbuild-std=core,alloc,compiler_builtins")
    );
}

#[test]
fn versions_are_read_with_and_without_a_channel() {
    assert_eq!(version_numbers("1.96.0 (abc)"), Some((1, 96)));
    assert_eq!(version_numbers("1.97.0-nightly (abc)"), Some((1, 97)));
    assert_eq!(version_numbers("unknown"), None);
}

#[test]
fn linkers_rank_by_version_and_other_tools_are_no_linkers() {
    assert_eq!(linker_version("ld.lld"), Some(u32::MAX));
    assert_eq!(linker_version("ld.lld-22"), Some(22));
    assert_eq!(linker_version("ld.lld.exe"), None);
    assert_eq!(linker_version("ld.gold"), None);
}
