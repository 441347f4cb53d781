//! Builds the kernel for bare metal, and knows when there is nothing to build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail};

use crate::deadline::Deadline;
use crate::doctor::{self, Purpose};
use crate::outcome::{Outcome, Unusable};
use crate::process;
use crate::symbols;
use crate::toolchain::{self, Search};
use crate::workspace;

/// Names a kernel to boot instead of the one that would be built.
pub const KERNEL_VARIABLE: &str = "RAYOS_KERNEL";

/// The first build compiles the core library and every dependency, perhaps after fetching them.
const BUILD_WITHIN: Duration = Duration::from_secs(30 * 60);

/// What the kernel is built from, relative to the root of the checkout.
const SOURCES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "rust-toolchain.toml",
    "crates/kernel",
];

/// Build the kernel for bare metal
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Build it and print the path of the executable
    Build,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    match options.action {
        Action::Build => println!("{}", ensure()?.display()),
    }
    Ok(Outcome::Success.into())
}

/// The path of a kernel that is up to date: the one that `RAYOS_KERNEL` names, else the one built from this checkout.
///
/// The first call of a process builds when something changed; later calls only answer.
pub fn ensure() -> anyhow::Result<PathBuf> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    if let Some(path) = std::env::var_os(KERNEL_VARIABLE).map(PathBuf::from) {
        if !path.is_file() {
            return Err(Unusable(format!(
                "{KERNEL_VARIABLE} names {}, which is not there",
                path.display()
            ))
            .into());
        }
        return Ok(path);
    }
    // A panic elsewhere while this was held leaves the flag as it was, and the flag alone is what is guarded.
    let mut is_built = BUILT
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if !*is_built {
        build_when_stale()?;
        *is_built = true;
    }
    Ok(workspace::kernel_elf())
}

fn build_when_stale() -> anyhow::Result<()> {
    let cache = workspace::cache();
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    // Two processes must not fill the same file: the later one waits, and then finds it up to date.
    let lock = File::create(cache.join("kernel.lock"))
        .context("the kernel's build lock cannot be made")?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
        .context("waiting for another build")?;

    // Taken before the build, so that a source that changes meanwhile is seen to differ the next time.
    let sources = fingerprint_of_sources();
    if is_stamped(&sources) {
        return Ok(());
    }
    build()?;
    fs::write(stamp(), sources + &fingerprint(&workspace::kernel_elf()))
        .context("the kernel's build stamp cannot be written")
}

/// Whether `ensure` would build.
pub fn is_stale() -> bool {
    std::env::var_os(KERNEL_VARIABLE).is_none() && !is_stamped(&fingerprint_of_sources())
}

fn is_stamped(sources: &str) -> bool {
    let now = sources.to_string() + &fingerprint(&workspace::kernel_elf());
    fs::read_to_string(stamp()).is_ok_and(|built| built == now)
}

fn stamp() -> PathBuf {
    workspace::cache().join("kernel.stamp")
}

fn build() -> anyhow::Result<()> {
    let toolchain = match toolchain::search() {
        Search::Found(toolchain) => toolchain,
        Search::LinkerMissing(_) | Search::CoreMissing => {
            doctor::require(&[Purpose::Build])?;
            // It came between the two looks; the next build finds it.
            bail!(Unusable(
                "the toolchain just changed; try again".to_string()
            ))
        }
    };
    let mut cargo = toolchain.cargo("build");
    cargo.args(["--release", "--package", "rayos-kernel", "--bin", "rayos"]);
    if let Some(commit) = commit() {
        cargo.env("RAYOS_COMMIT", commit);
    }
    // Cargo shows its progress on stderr, so the output of `exec` stays exactly the kernel's.
    let status = process::run(&mut cargo, Deadline::after(BUILD_WITHIN))?;
    if !status.success() {
        bail!(
            "the kernel does not build ({} with rustc {})",
            process::describe(status),
            toolchain.version
        );
    }
    // A backtrace in the kernel names functions and lines only with these.
    symbols::embed(&workspace::kernel_elf())?;
    Ok(())
}

/// The commit that is checked out, with a plus sign when the tree differs from it; nothing without git.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(arguments)
            .current_dir(workspace::root())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_string())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let is_changed = !git(&["status", "--porcelain", "--", "crates/kernel"])?.is_empty();
    Some(commit + if is_changed { "+" } else { "" })
}

/// The fingerprints of everything that the kernel is built from.
fn fingerprint_of_sources() -> String {
    let mut files = Vec::new();
    for source in SOURCES {
        list_files(&workspace::root().join(source), &mut files);
    }
    files.sort();
    files.iter().map(|file| fingerprint(file)).collect()
}

/// A line that differs when the file does: path, size, time of change.
fn fingerprint(file: &Path) -> String {
    let (size, changed_ns) = fs::metadata(file).map_or((0, 0), |data| {
        let changed = data
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        (data.len(), changed.unwrap_or_default().as_nanos())
    });
    format!("{} {size} {changed_ns}\n", file.display())
}

fn list_files(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries
            .flatten()
            .for_each(|entry| list_files(&entry.path(), files)),
        Err(_) => files.push(path.to_path_buf()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn a_fingerprint_tells_an_absent_a_present_and_a_changed_file_apart() {
        let scratch = Scratch::new().unwrap();
        let elf = scratch.path().join("rayos");
        let absent = fingerprint(&elf);
        fs::write(&elf, "elf").unwrap();
        let present = fingerprint(&elf);
        assert_ne!(absent, present);
        assert_eq!(present, fingerprint(&elf));
        fs::write(&elf, "longer").unwrap();
        assert_ne!(present, fingerprint(&elf));
    }

    #[test]
    fn the_kernels_code_and_its_configuration_are_among_the_sources() {
        let sources = fingerprint_of_sources();
        for part in [
            "crates/kernel/src/lib.rs",
            "Cargo.lock",
            ".cargo/config.toml",
        ] {
            assert!(sources.contains(part), "{part}");
        }
    }

    #[test]
    fn every_file_below_a_directory_is_listed() {
        let scratch = Scratch::new().unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        fs::write(scratch.path().join("a/b/c"), "").unwrap();
        fs::write(scratch.path().join("d"), "").unwrap();
        let mut files = Vec::new();
        list_files(scratch.path(), &mut files);
        files.sort();
        assert_eq!(
            files,
            [scratch.path().join("a/b/c"), scratch.path().join("d")]
        );
    }
}
