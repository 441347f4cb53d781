//! The compiler for the boot loader's stages: one that has its own source and LLVM's tools.
//!
//! The stages are built for targets of their own with `-Zbuild-std`. `bootloader` asks `rustc --print sysroot` where the
//! compiler's source and `llvm-objcopy` are. A rustup toolchain with the components `rust-src` and `llvm-tools` answers
//! that by itself; Debian's compiler keeps both elsewhere, so it gets a sysroot of symbolic links that answers.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::outcome::Unusable;
use crate::toolchain::{self, BOOT_LOADER_RUST, HOST, has_source, rustup_home};

/// The oldest of Debian's compilers that builds the stages, as (major, minor).
const DEBIAN_VERSION_MIN: (u32, u32) = (1, 96);
/// The tools that `bootloader` and this program use, under the names that rustup gives them, and LLVM's own names.
const TOOLS: &[(&str, &str)] = &[
    ("llvm-objcopy", "llvm-objcopy"),
    ("llvm-objdump", "llvm-objdump"),
    ("rust-lld", "lld"),
];

/// A compiler that can build the stages.
#[derive(Clone, Debug)]
pub struct Compiler {
    pub cargo: PathBuf,
    pub rustc: PathBuf,
    pub objcopy: PathBuf,
    pub version: String,
}

/// Where a compiler that can build the stages was found.
#[derive(Debug)]
enum Place {
    /// The sysroot of a rustup toolchain.
    Rustup(PathBuf),
    /// Debian's compiler; LLVM's tools are here.
    Debian(PathBuf),
}

/// The version of the compiler that would build the stages, or `None` when there is no such compiler.
pub fn available() -> Option<String> {
    let (place, version) = search()?;
    match place {
        Place::Rustup(_) => Some(version),
        Place::Debian(_) => Some(format!("{version} (Debian's)")),
    }
}

/// Finds a compiler; `directory` is where a sysroot of links may be made.
pub fn find(directory: &Path) -> anyhow::Result<Compiler> {
    match search() {
        Some((Place::Rustup(sysroot), version)) => Ok(Compiler {
            cargo: sysroot.join("bin/cargo"),
            rustc: sysroot.join("bin/rustc"),
            objcopy: host_directory(&sysroot).join("bin/llvm-objcopy"),
            version,
        }),
        Some((Place::Debian(llvm), version)) => Ok(Compiler {
            cargo: PathBuf::from("/usr/bin/cargo"),
            rustc: make_sysroot(&llvm, directory).with_context(|| {
                format!("{} cannot hold the compiler's sysroot of links", directory.display())
            })?,
            objcopy: llvm.join("llvm-objcopy"),
            version,
        }),
        None => Err(Unusable(format!(
            "the disk images' boot loader needs Rust {BOOT_LOADER_RUST} with its source and LLVM's tools; \
             `cargo xtask doctor --install` installs them"
        ))
        .into()),
    }
}

fn search() -> Option<(Place, String)> {
    let toolchain =
        rustup_home().map(|home| home.join(format!("toolchains/{BOOT_LOADER_RUST}-{HOST}")));
    if let Some(sysroot) = toolchain
        && has_source(&sysroot)
        && host_directory(&sysroot).join("bin/llvm-objcopy").exists()
    {
        return Some((Place::Rustup(sysroot), BOOT_LOADER_RUST.to_string()));
    }
    let llvm = debian_llvm(Path::new("/usr/lib"))?;
    let version = toolchain::debian_version().filter(|_| has_source(Path::new("/usr")))?;
    let is_recent = toolchain::version_numbers(&version)? >= DEBIAN_VERSION_MIN;
    is_recent.then_some((Place::Debian(llvm), version))
}

fn host_directory(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(HOST)
}

impl Compiler {
    /// Cargo, in an environment in which nothing leads to another compiler or another target directory.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in std::env::vars_os() {
            if is_foreign(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        let mut path = OsString::from(self.rustc.parent().unwrap_or(Path::new("/usr/bin")));
        path.push(":/usr/bin:/bin");
        // The stages use unstable options of a stable compiler, as its own build does.
        command
            .env("PATH", path)
            .env("RUSTC", &self.rustc)
            .env("RUSTC_BOOTSTRAP", "1");
        command
    }
}

/// Whether a variable tells cargo or rustc something that is meant for another build.
///
/// A `CARGO_TARGET_DIR` above all: the stages are built by cargo inside of cargo, and with one target directory for
/// both the inner one waits for the lock that the outer one holds.
fn is_foreign(name: &str) -> bool {
    let kept = ["CARGO_HOME", "RUSTUP_HOME"];
    let kept_families = [
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
    ];
    let foreign =
        name.starts_with("CARGO") || name.starts_with("RUST") || name == "LD_LIBRARY_PATH";
    foreign && !kept.contains(&name) && !kept_families.iter().any(|family| name.starts_with(family))
}

/// The newest LLVM below `libraries` that has every tool.
fn debian_llvm(libraries: &Path) -> Option<PathBuf> {
    let version = |path: &Path| {
        path.file_name()?
            .to_str()?
            .strip_prefix("llvm-")?
            .parse::<u32>()
            .ok()
    };
    fs::read_dir(libraries)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .filter(|(_, bin)| TOOLS.iter().all(|(_, name)| bin.join(name).exists()))
        .max()
        .map(|(_, bin)| bin)
}

/// Makes the sysroot of links and, in front of it, a `rustc` that names it; the path of the latter.
fn make_sysroot(llvm: &Path, directory: &Path) -> anyhow::Result<PathBuf> {
    let sysroot = directory.join("sysroot");
    let host = host_directory(&sysroot);
    fs::create_dir_all(host.join("bin"))?;
    fs::create_dir_all(sysroot.join("bin"))?;
    link(
        Path::new("/usr/lib/rustlib/src"),
        &sysroot.join("lib/rustlib/src"),
    )?;
    link(
        &Path::new("/usr/lib/rustlib").join(HOST).join("lib"),
        &host.join("lib"),
    )?;
    for (name, tool) in TOOLS {
        link(&llvm.join(tool), &host.join("bin").join(name))?;
    }
    let text = sysroot
        .to_str()
        .filter(|path| !path.contains('\''))
        .context("its path does not fit a shell script")?;
    let wrapper = sysroot.join("bin/rustc");
    let script = format!("#!/bin/sh\nexec /usr/bin/rustc --sysroot '{text}' \"$@\"\n");
    if fs::read_to_string(&wrapper).is_ok_and(|old| old == script) {
        return Ok(wrapper);
    }
    fs::write(&wrapper, script)?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    Ok(wrapper)
}

fn link(to: &Path, from: &Path) -> anyhow::Result<()> {
    if fs::read_link(from).is_ok_and(|old| old == to) {
        return Ok(());
    }
    if from.symlink_metadata().is_ok() {
        fs::remove_file(from)?;
    }
    Ok(symlink(to, from)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn the_newest_complete_llvm_is_taken() {
        let scratch = Scratch::new().unwrap();
        let with_tools = |version: &str, tools: &[&str]| {
            let bin = scratch.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            tools
                .iter()
                .for_each(|tool| fs::write(bin.join(tool), "").unwrap());
        };
        let all = ["llvm-objcopy", "llvm-objdump", "lld"];
        with_tools("llvm-9", &all);
        with_tools("llvm-19", &all);
        with_tools("llvm-22", &["llvm-objcopy"]);
        with_tools("llvm-config", &all);
        assert_eq!(
            debian_llvm(scratch.path()),
            Some(scratch.path().join("llvm-19/bin"))
        );
    }

    #[test]
    fn a_sysroot_of_links_is_made_once_and_corrected_when_the_tools_move() {
        let scratch = Scratch::new().unwrap();
        let tool = scratch
            .path()
            .join("sysroot/lib/rustlib")
            .join(HOST)
            .join("bin/rust-lld");
        for llvm in ["/one", "/one", "/two"] {
            let rustc = make_sysroot(Path::new(llvm), scratch.path()).unwrap();
            assert!(crate::process::is_executable(&rustc));
            assert_eq!(fs::read_link(&tool).unwrap(), Path::new(llvm).join("lld"));
        }
    }

    #[test]
    fn the_inner_cargo_sees_the_users_network_settings_and_no_target_directory() {
        for foreign in [
            "CARGO_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "CARGO",
        ] {
            assert!(is_foreign(foreign), "{foreign}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_NET_OFFLINE",
            "HOME",
            "https_proxy",
        ] {
            assert!(!is_foreign(kept), "{kept}");
        }
    }
}
