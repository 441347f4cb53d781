//! The Linux guest that RayOS is compared with: the distribution's kernel and busybox as its first process.
//!
//! The kernel's package is unpacked below the target directory; nothing of it is installed into the system.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::deadline::Deadline;
use crate::process;
use crate::workspace;

/// Packages that name the newest kernel for virtual machines: Debian's, then Ubuntu's.
const KERNEL_PACKAGES: &[&str] = &["linux-image-cloud-amd64", "linux-image-virtual"];
const KERNEL_PREFIX: &str = "vmlinuz-";
pub const BUSYBOX: &str = "/bin/busybox";
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const FETCH_WITHIN: Duration = Duration::from_secs(15 * 60);

/// The drivers of a virtio network device and what they need, in the order in which they are loaded.
pub const NETWORK_MODULES: &[&str] = &[
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
];

/// The same for a virtio disk.
pub const DISK_MODULES: &[&str] = &[
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
];

/// What the guest's first process says on the serial line.
pub const MARKER: &str = "first process runs";

/// The first process: a shell that says so and then waits to be ended.
const INIT: &str =
    "#!/bin/busybox sh\necho 'first process runs'\nexec /bin/busybox sleep 1000000\n";

/// Everything that boots.
#[derive(Clone, Debug)]
pub struct Guest {
    pub version: String,
    pub kernel: PathBuf,
    pub initramfs: PathBuf,
}

impl Guest {
    pub fn prepare() -> anyhow::Result<Guest> {
        Guest::with(|_| make_initramfs())
    }

    /// With an initramfs that is made for the kernel of this version.
    pub fn with(make: impl FnOnce(&str) -> anyhow::Result<PathBuf>) -> anyhow::Result<Guest> {
        let missing = "the Linux guest is missing; `cargo xtask doctor --install` fetches it";
        let kernel = kernel().context(missing)?;
        let version = kernel_version().context(missing)?;
        Ok(Guest {
            initramfs: make(&version)?,
            version,
            kernel,
        })
    }
}

/// Packs busybox and the first process into an archive, uncompressed: the guest need not unpack it first.
fn make_initramfs() -> anyhow::Result<PathBuf> {
    let scratch = workspace::Scratch::new().context("no scratch directory can be made")?;
    let bin = scratch.path().join("bin");
    fs::create_dir(&bin)?;
    fs::copy(BUSYBOX, bin.join("busybox")).context("busybox cannot be copied")?;
    write_program(&scratch.path().join("init"), INIT)?;
    pack(scratch.path(), "initramfs")
}

/// Writes a script that can be run.
pub fn write_program(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Puts a file of the host at the same place below this root.
pub fn take(root: &Path, from: &Path) -> anyhow::Result<()> {
    let to = root.join(from.strip_prefix("/").unwrap_or(from));
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::copy(from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
    Ok(())
}

/// A program of the host with the libraries that it is linked with.
pub fn take_with_libraries(root: &Path, program: &Path) -> anyhow::Result<()> {
    let said = process::ask(
        Command::new("ldd").arg(program),
        Deadline::after(ANSWER_WITHIN),
    )?;
    if !said.success {
        bail!(
            "{} is not installed; `cargo xtask doctor --install --for benchmarks` installs it",
            program.display()
        );
    }
    take(root, program)?;
    let words = said.stdout.split_whitespace();
    let mut libraries = words.filter(|word| word.starts_with('/'));
    libraries.try_for_each(|library| take(root, Path::new(library)))
}

/// Drivers, as `/modules/NAME.ko`.
pub fn take_modules(root: &Path, version: &str, names: &[&str]) -> anyhow::Result<()> {
    fs::create_dir(root.join("modules"))?;
    for name in names {
        let from = module(version, name);
        fs::copy(&from, root.join(format!("modules/{name}.ko")))
            .with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    Ok(())
}

/// Packs a directory with all that is in it, and keeps the archive under this name.
pub fn pack(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let archive = directory().join(name);
    let mut pack = Command::new("sh");
    let script = format!("{BUSYBOX} find . | {BUSYBOX} cpio -o -H newc > \"$1\"");
    pack.current_dir(root)
        .args(["-c", &script, "sh"])
        .arg(&archive);
    let said = process::ask(&mut pack, Deadline::after(ANSWER_WITHIN))?;
    if !said.success {
        bail!("the initramfs cannot be packed: {}", said.stderr.trim());
    }
    Ok(archive)
}

fn directory() -> PathBuf {
    workspace::cache().join("linux")
}

/// The unpacked kernel, when there is one.
pub fn kernel() -> Option<PathBuf> {
    let files = fs::read_dir(directory())
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    files.filter(|path| version_of(path).is_some()).max()
}

/// The kernel's version, when its drivers are there too.
pub fn kernel_version() -> Option<String> {
    let version = version_of(&kernel()?)?;
    let mut modules = NETWORK_MODULES.iter().chain(DISK_MODULES);
    let has_all = modules.all(|name| module(&version, name).is_file());
    has_all.then_some(version)
}

/// Where a driver is kept.
pub fn module(version: &str, name: &str) -> PathBuf {
    directory().join(format!("modules-{version}/{name}.ko"))
}

fn version_of(kernel: &Path) -> Option<String> {
    kernel
        .file_name()?
        .to_str()?
        .strip_prefix(KERNEL_PREFIX)
        .map(str::to_string)
}

/// The version of a busybox that runs without libraries.
pub fn busybox_version() -> Option<String> {
    let path = Path::new(BUSYBOX);
    let is_static = path.exists() && !needs_a_loader(&fs::read(path).ok()?);
    let said = process::ask(&mut Command::new(path), Deadline::after(ANSWER_WITHIN)).ok()?;
    let first = said.stdout.lines().next()?;
    is_static.then(|| first.split_whitespace().nth(1).map(str::to_string))?
}

/// Whether an ELF executable names a dynamic loader (a program header of type PT_INTERP).
fn needs_a_loader(elf: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at + size)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0_usize, |value, byte| value << 8 | usize::from(*byte)),
        )
    };
    let interpreter = || {
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        Some((0..count).any(|index| number(table + index * size, 4) == Some(PT_INTERP as usize)))
    };
    interpreter().unwrap_or(true)
}

/// Downloads the distribution's kernel package and keeps its kernel and the drivers of network devices and disks.
pub fn fetch_kernel() -> anyhow::Result<()> {
    let package = newest_package()?;
    let scratch = workspace::Scratch::new().context("no scratch directory can be made")?;
    eprintln!("+ apt-get download {package}");
    let mut download = Command::new("apt-get");
    download
        .current_dir(scratch.path())
        .args(["download", "-q", &package]);
    let said = process::ask(&mut download, Deadline::after(FETCH_WITHIN))?;
    let archive = find(scratch.path(), |name| name.ends_with(".deb"));
    let Some(archive) = archive.filter(|_| said.success) else {
        bail!("apt-get download {package} failed: {}", said.stderr.trim());
    };
    let unpacked = scratch.path().join("unpacked");
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(archive).arg(&unpacked);
    let said = process::ask(&mut unpack, Deadline::after(FETCH_WITHIN))?;
    let kernel = find(&unpacked.join("boot"), |name| {
        name.starts_with(KERNEL_PREFIX)
    });
    let Some(kernel) = kernel.filter(|_| said.success) else {
        bail!("{package} has no kernel in it: {}", said.stderr.trim());
    };
    let name = kernel.file_name().context("a kernel without a name")?;
    fs::create_dir_all(directory())?;
    fs::copy(&kernel, directory().join(name)).context("the kernel cannot be kept")?;
    let version = version_of(&kernel).context("a kernel without a version")?;
    keep_modules(&unpacked.join("lib/modules").join(&version), &version)
}

fn keep_modules(unpacked: &Path, version: &str) -> anyhow::Result<()> {
    for name in NETWORK_MODULES.iter().chain(DISK_MODULES) {
        let file = format!("{name}.ko");
        let Some(found) = find_below(unpacked, &file) else {
            bail!("the kernel's package has no {file} in it");
        };
        let kept = module(version, name);
        kept.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::copy(&found, &kept).context("a driver cannot be kept")?;
    }
    Ok(())
}

fn find_below(directory: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    entries.map(|entry| entry.path()).find_map(|path| {
        if path.is_dir() {
            find_below(&path, name)
        } else {
            (path.file_name()? == name).then_some(path)
        }
    })
}

/// The package with the kernel itself, which the package for "the newest" depends on.
fn newest_package() -> anyhow::Result<String> {
    for name in KERNEL_PACKAGES {
        let mut command = Command::new("apt-cache");
        command.args(["depends", "--no-recommends", "--no-suggests", name]);
        let said = process::ask(&mut command, Deadline::after(ANSWER_WITHIN))?;
        let depends = said
            .stdout
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        if let Some(package) = depends
            .into_iter()
            .find(|package| package.starts_with("linux-image-"))
        {
            return Ok(package.to_string());
        }
    }
    bail!(
        "apt knows none of {}; run `apt-get update` as root",
        KERNEL_PACKAGES.join(", ")
    )
}

fn find(directory: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let files = fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    files.into_iter().find(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(&wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF header and one program header of this type.
    fn elf(kind: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = kind;
        bytes
    }

    #[test]
    fn a_busybox_that_needs_libraries_is_not_taken() {
        assert!(needs_a_loader(&elf(3)));
        assert!(!needs_a_loader(&elf(1)));
        assert!(needs_a_loader(b"short"));
    }

    #[test]
    fn the_first_process_says_what_is_waited_for() {
        assert!(INIT.contains(MARKER));
    }

    #[test]
    fn a_kernels_version_is_in_its_name() {
        assert_eq!(
            version_of(Path::new("/x/vmlinuz-6.1.0-1-cloud-amd64")).as_deref(),
            Some("6.1.0-1-cloud-amd64")
        );
        assert_eq!(version_of(Path::new("/x/initramfs")), None);
    }
}
