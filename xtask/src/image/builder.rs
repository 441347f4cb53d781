//! The program that makes the images (`crates/image`): compiled when its sources changed, else taken from the cache.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::compiler::{self, Compiler};
use super::loader;
use crate::deadline::Deadline;
use crate::{process, workspace};

/// The stages take about four minutes on two busy cores. A build that takes this long waits for a stalled download.
const BUILD_WITHIN: [Duration; 2] = [Duration::from_secs(15 * 60), Duration::from_secs(30 * 60)];

const SOURCES: &[&str] = &["Cargo.toml", "Cargo.lock", "src/main.rs"];

/// The program, and the tool that strips a kernel for it.
#[derive(Debug)]
pub struct Builder {
    pub program: PathBuf,
    pub objcopy: PathBuf,
    /// Equal for builders that make equal images.
    pub identity: u64,
}

/// The builder, up to date.
pub fn ensure() -> anyhow::Result<Builder> {
    let directory = workspace::cache().join("image-builder");
    fs::create_dir_all(&directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    // Two processes must not prepare the same sources: the later one waits, and then finds everything up to date.
    let lock =
        File::create(directory.join("lock")).context("the image builder's lock cannot be made")?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
        .context("waiting for another build")?;

    let compiler = compiler::find(&directory)?;
    let identity = identity(&compiler)?;
    let program = directory.join("rayos-image");
    let stamp = directory.join("stamp");
    let wanted = identity.to_string();
    if !program.exists() || !fs::read_to_string(&stamp).is_ok_and(|old| old == wanted) {
        build(&compiler, &directory, &program)?;
        fs::write(&stamp, wanted).context("the image builder's stamp cannot be written")?;
    }
    Ok(Builder {
        program,
        objcopy: compiler.objcopy,
        identity,
    })
}

fn identity(compiler: &Compiler) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    compiler.version.hash(&mut hasher);
    loader::identity().hash(&mut hasher);
    for source in SOURCES {
        let path = sources().join(source);
        fs::read(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?
            .hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn sources() -> PathBuf {
    workspace::root().join("crates/image")
}

fn build(compiler: &Compiler, directory: &Path, program: &Path) -> anyhow::Result<()> {
    eprintln!("building the disk images' boot loader; this takes some minutes, once");
    let loader = loader::prepare(compiler, directory)?;
    let crate_copy = copy_crate(directory, &loader)?;
    let target = directory.join("build");
    for (attempt, time) in BUILD_WITHIN.into_iter().enumerate() {
        let mut cargo = compiler.cargo();
        // The warnings are about code of others, and nobody who waits for an image can do anything about them.
        cargo
            .env("RUSTFLAGS", "--cap-lints=allow")
            .current_dir(&crate_copy)
            .args(["build", "--quiet", "--release", "--target-dir"])
            .arg(&target);
        match run_within(&mut cargo, Deadline::after(time))? {
            Some(true) => {
                let built = target.join("release/rayos-image");
                fs::copy(&built, program)
                    .with_context(|| format!("{} is not there", built.display()))?;
                return Ok(());
            }
            Some(false) => bail!(
                "the disk images' boot loader does not build with {}",
                compiler.version
            ),
            None if attempt + 1 < BUILD_WITHIN.len() => {
                eprintln!(
                    "the build stood still for {} minutes; trying once more",
                    time.as_secs() / 60
                );
            }
            None => {}
        }
    }
    bail!(
        "the disk images' boot loader was not built in time; look whether cargo reaches the crate registry"
    )
}

/// Copies the crate beside the changed loader and points it there, so that the checkout stays as it is.
fn copy_crate(directory: &Path, loader: &Path) -> anyhow::Result<PathBuf> {
    let copy = directory.join("program");
    let failed = || format!("{} cannot be filled", copy.display());
    fs::create_dir_all(copy.join("src")).with_context(failed)?;
    for source in SOURCES {
        fs::copy(sources().join(source), copy.join(source)).with_context(failed)?;
    }
    let manifest = copy.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).with_context(failed)?;
    text.push_str(&format!(
        "\n[patch.crates-io]\nbootloader = {{ path = {:?} }}\n",
        loader
    ));
    fs::write(&manifest, text).with_context(failed)?;
    Ok(copy)
}

/// Runs a command; whether it succeeded, or `None` when it had to be killed with all that it started.
fn run_within(command: &mut Command, deadline: Deadline) -> anyhow::Result<Option<bool>> {
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .context("cargo cannot be started")?;
    match process::wait(&mut child, deadline)? {
        Some(status) => Ok(Some(status.success())),
        None => {
            process::stop_with_descendants(&mut child);
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_within_its_time_tells_whether_it_succeeded() {
        let soon = Deadline::after(Duration::from_secs(20));
        assert_eq!(
            run_within(&mut Command::new("true"), soon).unwrap(),
            Some(true)
        );
        assert_eq!(
            run_within(&mut Command::new("false"), soon).unwrap(),
            Some(false)
        );
        let now = Deadline::after(Duration::ZERO);
        assert_eq!(
            run_within(Command::new("sleep").arg("600"), now).unwrap(),
            None
        );
    }
}
