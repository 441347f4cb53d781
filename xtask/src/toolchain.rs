//! Finds the compiler, the core library and the linker with which the bare-metal kernel can be built here.
//!
//! Looked for, best first, and only ever looked for (`doctor` installs):
//! 1. the active toolchain has the target `x86_64-unknown-none`: plain cargo;
//! 2. the active toolchain has its source (`rust-src`): cargo builds the core library itself;
//! 3. Debian's compiler and source (`rustc-web cargo-web rust-web-src rust-web-llvm`), whatever toolchain is active.
//!
//! A compiler builds only the core library of its own version, so compiler, cargo and source are always taken together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::deadline::Deadline;
use crate::process;
use crate::workspace;

pub const TARGET: &str = "x86_64-unknown-none";
/// The compiler that the boot loader of the images is known to build with.
pub const BOOT_LOADER_RUST: &str = "1.96.0";

pub(crate) const HOST: &str = "x86_64-unknown-linux-gnu";

/// The oldest compiler that the workspace accepts (`rust-version` in Cargo.toml), as (major, minor).
const RUST_VERSION_MIN: (u32, u32) = (1, 88);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Why this toolchain can build the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// The core library for the target is installed.
    InstalledTarget,
    /// The core library is built from the toolchain's own source.
    OwnSource,
    /// As `OwnSource`, with Debian's packages beside another active toolchain.
    DebianSource,
}

/// A complete way to build the kernel.
#[derive(Clone, Debug)]
pub struct Toolchain {
    pub means: Means,
    pub cargo: PathBuf,
    pub rustc: PathBuf,
    /// The compiler's version, as `rustc --version` says it without its name.
    pub version: String,
    /// The linker to name to cargo, or `None` when the compiler finds its own.
    pub linker: Option<PathBuf>,
}

/// What is there, and what is still missing.
#[derive(Clone, Debug)]
pub enum Search {
    Found(Toolchain),
    /// A compiler and a core library, but no linker.
    LinkerMissing(Means),
    /// No toolchain here has the target or its source.
    CoreMissing,
}

/// One compiler with the facts that decide.
#[derive(Clone, Debug)]
struct Compiler {
    cargo: PathBuf,
    rustc: PathBuf,
    version: String,
    sysroot: PathBuf,
}

/// Looks for a way to build the kernel.
pub fn search() -> Search {
    let active = active_compiler();
    let debian = compiler(
        Path::new("/usr/bin/cargo"),
        Path::new("/usr/bin/rustc"),
        Environment::Debian,
    );
    choose(
        active.as_ref().ok(),
        debian.as_ref().ok(),
        &linkers_on_path(),
    )
}

/// Whether the active toolchain is one of rustup's, to which rustup could add the target.
pub fn active_is_rustups() -> bool {
    process::find_program("rustup").is_some()
        && active_compiler().is_ok_and(|compiler| {
            compiler
                .sysroot
                .join("lib/rustlib/multirust-channel-manifest.toml")
                .exists()
        })
}

pub(crate) fn rustup_home() -> Option<PathBuf> {
    match std::env::var_os("RUSTUP_HOME") {
        Some(home) => Some(PathBuf::from(home)),
        None => Some(PathBuf::from(std::env::var_os("HOME")?).join(".rustup")),
    }
}

/// The decision itself, on facts only.
fn choose(active: Option<&Compiler>, debian: Option<&Compiler>, linkers: &[PathBuf]) -> Search {
    let candidates = [
        active
            .filter(|it| it.has_target())
            .map(|it| (it, Means::InstalledTarget)),
        active
            .filter(|it| it.has_source())
            .map(|it| (it, Means::OwnSource)),
        debian
            .filter(|it| it.has_source())
            .map(|it| (it, Means::DebianSource)),
    ];
    let mut without_linker = None;
    for (compiler, means) in candidates.into_iter().flatten() {
        let linker = if compiler.has_linker() {
            None
        } else {
            linkers.first().cloned()
        };
        if linker.is_none() && !compiler.has_linker() {
            without_linker.get_or_insert(means);
            continue;
        }
        return Search::Found(Toolchain {
            means,
            cargo: compiler.cargo.clone(),
            rustc: compiler.rustc.clone(),
            version: compiler.version.clone(),
            linker,
        });
    }
    without_linker.map_or(Search::CoreMissing, Search::LinkerMissing)
}

impl Compiler {
    fn has_target(&self) -> bool {
        self.sysroot
            .join("lib/rustlib")
            .join(TARGET)
            .join("lib")
            .is_dir()
    }

    fn has_source(&self) -> bool {
        self.sysroot
            .join("lib/rustlib/src/rust/library/core/Cargo.toml")
            .exists()
    }

    /// Whether the compiler brings the linker that the target's description names.
    fn has_linker(&self) -> bool {
        self.sysroot
            .join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld")
            .exists()
    }
}

pub(crate) fn has_source(sysroot: &Path) -> bool {
    sysroot
        .join("lib/rustlib/src/rust/library/core/Cargo.toml")
        .exists()
}

impl Toolchain {
    /// Cargo, prepared so that the arguments after `subcommand` are all that is left to say.
    ///
    /// The rustflags of `.cargo/config.toml` are part of the kernel's contract; a `RUSTFLAGS` of the user would
    /// silently replace them, so it is removed.
    pub fn cargo(&self, subcommand: &str) -> Command {
        self.prepared(&self.cargo, subcommand)
    }

    /// Clippy, prepared in the same way; `None` when it is not installed beside this cargo.
    ///
    /// `cargo clippy` would not do: cargo looks for subcommands in the user's directory first, where rustup's clippy
    /// is, which belongs to another compiler.
    pub fn clippy(&self) -> Option<Command> {
        let beside = self.cargo.with_file_name("cargo-clippy");
        let program = if beside.is_absolute() {
            Some(beside).filter(|path| process::is_executable(path))
        } else {
            process::find_program("cargo-clippy")
        }?;
        let mut command = self.prepared(&program, "clippy");
        command.env("CARGO", &self.cargo);
        Some(command)
    }

    fn prepared(&self, program: &Path, subcommand: &str) -> Command {
        let mut command = Command::new(program);
        clean(&mut command);
        if self.means == Means::DebianSource {
            Environment::Debian.apply(&mut command);
        }
        command
            .current_dir(workspace::root())
            .env("RUSTC", &self.rustc);
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER", linker);
        }
        command
            .arg(subcommand)
            .args(["--target", TARGET])
            .arg("--target-dir")
            .arg(workspace::target());
        if self.means != Means::InstalledTarget {
            command.env("RUSTC_BOOTSTRAP", "1").args([
                "-Zbuild-std=core,alloc,compiler_builtins",
                "-Zbuild-std-features=compiler-builtins-mem",
            ]);
        }
        command
    }

    /// One line for tables: what builds the kernel, and how.
    pub fn description(&self) -> String {
        let means = match self.means {
            Means::InstalledTarget => "target installed",
            Means::OwnSource => "builds core",
            Means::DebianSource => "Debian's, builds core",
        };
        match &self.linker {
            Some(linker) => format!("{} ({means}, {})", short(&self.version), linker.display()),
            None => format!("{} ({means})", short(&self.version)),
        }
    }
}

#[derive(Clone, Copy)]
enum Environment {
    /// What this process was started with.
    Active,
    /// Debian's tools only: rustup's proxies and libraries must not be found.
    Debian,
}

impl Environment {
    fn apply(self, command: &mut Command) {
        if let Environment::Debian = self {
            command
                .env("PATH", "/usr/bin:/bin")
                .env_remove("RUSTUP_TOOLCHAIN")
                .env_remove("LD_LIBRARY_PATH");
        }
    }
}

/// Removes what cargo told *this* process and what would change the kernel behind its configuration.
fn clean(command: &mut Command) {
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO",
    ] {
        command.env_remove(name);
    }
}

/// The toolchain whose cargo runs this program, else the one on `PATH`.
fn active_compiler() -> anyhow::Result<Compiler> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let beside = cargo.with_file_name("rustc");
    let rustc = if cargo.is_absolute() && process::is_executable(&beside) {
        beside
    } else {
        PathBuf::from("rustc")
    };
    compiler(&cargo, &rustc, Environment::Active)
}

fn debian_compiler() -> anyhow::Result<Compiler> {
    compiler(
        Path::new("/usr/bin/cargo"),
        Path::new("/usr/bin/rustc"),
        Environment::Debian,
    )
}

/// The version of Debian's compiler, when it is installed and not too old for the workspace.
pub(crate) fn debian_version() -> Option<String> {
    debian_compiler()
        .ok()
        .map(|compiler| short(&compiler.version).to_string())
}

/// Asks a compiler what it is; an error when it is not there or too old.
fn compiler(cargo: &Path, rustc: &Path, environment: Environment) -> anyhow::Result<Compiler> {
    let ask = |argument: &[&str]| {
        let mut command = Command::new(rustc);
        environment.apply(&mut command);
        command.current_dir(workspace::root()).args(argument);
        process::ask(&mut command, Deadline::after(ANSWER_WITHIN))
    };
    let silent = || format!("{} does not say its version and sysroot", rustc.display());
    let said = ask(&["--version"])?;
    let version = said
        .stdout
        .trim()
        .strip_prefix("rustc ")
        .with_context(silent)?;
    let said = ask(&["--print", "sysroot"])?;
    let sysroot = Some(said.stdout.trim())
        .filter(|path| path.starts_with('/'))
        .with_context(silent)?;
    anyhow::ensure!(
        version_numbers(version).is_some_and(|version| version >= RUST_VERSION_MIN),
        "{} is {version}, older than {}.{}",
        rustc.display(),
        RUST_VERSION_MIN.0,
        RUST_VERSION_MIN.1,
    );
    Ok(Compiler {
        cargo: cargo.to_path_buf(),
        rustc: rustc.to_path_buf(),
        version: version.to_string(),
        sysroot: PathBuf::from(sysroot),
    })
}

/// A version without the commit and the date behind it.
fn short(version: &str) -> &str {
    version.split(' ').next().unwrap_or(version)
}

pub(crate) fn version_numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', ' ', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Every `ld.lld` and `ld.lld-NN` on `PATH`, unversioned first, then newest first.
fn linkers_on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let names = std::env::split_paths(&path)
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flat_map(|entries| entries.flatten())
        .map(|entry| entry.path());
    let mut found: Vec<(u32, PathBuf)> = names
        .filter_map(|path| Some((linker_version(path.file_name()?.to_str()?)?, path)))
        .collect();
    found.retain(|(_, path)| process::is_executable(path));
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The version in a linker's name; the name without one is the system's choice and ranks highest.
fn linker_version(name: &str) -> Option<u32> {
    match name.strip_prefix("ld.lld")? {
        "" => Some(u32::MAX),
        suffix => suffix.strip_prefix('-')?.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
