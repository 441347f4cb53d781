//! The boot loader's source with the few changes that make `rayos.cfg` a file that people can edit.
//!
//! `bootloader` hands one file besides the kernel to the kernel. It wants that file to be called `ramdisk`, its BIOS
//! stage finds it only by a long name in lower case, and an empty one stops the boot. A person's editor writes whatever
//! entry its system likes: in Windows and in Linux, saving `rayos.cfg` may leave only the short name `RAYOS.CFG`. So the
//! two stages that look for the file are told its real name, compare names as FAT means them, and take an empty file
//! for none.
//!
//! The UEFI stage also has the firmware measure the kernel's file before it is used, and hands the firmware's log over.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::compiler::Compiler;
use super::uefi_hand_over;
use crate::deadline::Deadline;
use crate::process;

const VERSION: &str = "0.11.15";
/// Fetching the sources, when the registry's cache does not have them.
const FETCH_WITHIN: Duration = Duration::from_secs(5 * 60);

/// The changed packages, and where `bootloader`'s build script looks for local sources of them.
const STAGES: &[(&str, &str)] = &[
    ("bootloader-x86_64-bios-stage-2", "bios/stage-2"),
    ("bootloader-x86_64-uefi", "uefi"),
];

/// One change: the text that stands exactly once in the file, and what replaces it.
struct Edit {
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

const EDITS: &[Edit] = &[
    Edit {
        file: "bios/stage-2/src/main.rs",
        before: r#"try_load_file("ramdisk", ramdisk_start,"#,
        after: r#"try_load_file("rayos.cfg", ramdisk_start,"#,
    },
    // An empty file has no first cluster, and following its chain fails.
    Edit {
        file: "bios/stage-2/src/main.rs",
        before: "    let file_size = file.file_size().into();\n",
        after: "    let file_size = file.file_size().into();\n    if file_size == 0 {\n        return Some(0);\n    }\n",
    },
    // The original drops the last letter of a short name that is followed by blanks.
    Edit {
        file: "bios/stage-2/src/fat.rs",
        before: r#"                const SKIP_SPACE: u8 = 0x20;
                let mut iter = slice.iter().copied();
                match iter.position(|c| c != SKIP_SPACE) {
                    Some(start_idx) => {
                        let end_idx =
                            start_idx + iter.position(|c| c == SKIP_SPACE).unwrap_or(slice.len());
                        core::str::from_utf8(&slice[start_idx..end_idx]).map_err(|_| ())
                    }
                    None => Ok(""),
                }
"#,
        after: "                core::str::from_utf8(slice).map(|text| text.trim_end_matches(' ')).map_err(|_| ())\n",
    },
    // Case does not matter in FAT names; a volume label is no file; a part of a longer name is not the name.
    Edit {
        file: "bios/stage-2/src/fat.rs",
        before: r"            RawDirectoryEntry::Normal(entry) => entry
                .short_filename_main
                .chars()
                .chain(entry.short_filename_extension.chars())
                .eq(name.chars()),
            RawDirectoryEntry::LongName(entry) => entry.name().eq(name.chars().map(Ok)),
",
        after: r#"            RawDirectoryEntry::Normal(entry) => {
                let (main, extension) = name.rsplit_once('.').unwrap_or((name, ""));
                entry.attributes & directory_attributes::VOLUME_ID == 0
                    && entry.short_filename_main.eq_ignore_ascii_case(main)
                    && entry.short_filename_extension.eq_ignore_ascii_case(extension)
            }
            RawDirectoryEntry::LongName(entry) => {
                entry.order == 0x41
                    && entry.name().map(|c| c.map(|c| c.to_ascii_lowercase())).eq(name.chars().map(Ok))
            }
"#,
    },
    Edit {
        file: "uefi/src/main.rs",
        before: r#"load_file_from_boot_method(image, st, "ramdisk\0", boot_mode)"#,
        after: r#"load_file_from_boot_method(image, st, "rayos.cfg\0", boot_mode)"#,
    },
    // No pages can be allocated for nothing.
    Edit {
        file: "uefi/src/main.rs",
        before: "    let file_size = usize::try_from(file_info.file_size()).unwrap();\n",
        after: "    let file_size = usize::try_from(file_info.file_size()).unwrap();\n    if file_size == 0 {\n        \
                return None;\n    }\n",
    },
    Edit {
        file: "uefi/src/main.rs",
        before: "mod memory_descriptor;\n",
        after: "mod hand_over;\nmod memory_descriptor;\n",
    },
    Edit {
        file: "uefi/src/main.rs",
        before: "    Some(Kernel::parse(kernel_slice))\n",
        after: "    hand_over::measure_kernel(st, kernel_slice);\n    Some(Kernel::parse(kernel_slice))\n",
    },
    // Late, so that little is missing in the log; nothing can be asked for once the boot services have ended.
    Edit {
        file: "uefi/src/main.rs",
        before: "    log::trace!(\"exiting boot services\");\n",
        after: "    let ramdisk = hand_over::with_log(&st, ramdisk.as_deref());\n    log::trace!(\"exiting boot services\");\n",
    },
];

/// Puts the changed sources into `directory`; answers where `bootloader` itself is in it.
pub fn prepare(compiler: &Compiler, directory: &Path) -> anyhow::Result<PathBuf> {
    let original = fetch(compiler, &directory.join("fetch"))?;
    let registry = original
        .parent()
        .context("the package `bootloader` has no directory of its own")?;
    let copy = directory.join("bootloader");
    if copy.exists() {
        fs::remove_dir_all(&copy)
            .with_context(|| format!("{} cannot be replaced", copy.display()))?;
    }
    copy_directory(&original, &copy)?;
    for (package, place) in STAGES {
        let stage = copy.join(place);
        copy_directory(&registry.join(format!("{package}-{VERSION}")), &stage)?;
        // Without this, cargo takes the stage for a lost member of the checkout's workspace.
        let manifest = stage.join("Cargo.toml");
        let text = read(&manifest)? + "\n[workspace]\n";
        fs::write(&manifest, text)
            .with_context(|| format!("{} cannot be written", manifest.display()))?;
    }
    for edit in EDITS {
        let path = copy.join(edit.file);
        let text = edit.apply(&read(&path)?)?;
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let added = copy.join(uefi_hand_over::FILE);
    fs::write(&added, uefi_hand_over::SOURCE)
        .with_context(|| format!("{} cannot be written", added.display()))?;
    Ok(copy)
}

/// What decides about the loader's code, for stamps.
pub fn identity() -> String {
    let edits: String = EDITS
        .iter()
        .flat_map(|edit| [edit.file, edit.before, edit.after])
        .collect();
    format!("{VERSION} {edits} {}", uefi_hand_over::SOURCE)
}

impl Edit {
    fn apply(&self, text: &str) -> anyhow::Result<String> {
        let count = text.matches(self.before).count();
        ensure!(
            count == 1,
            "the boot loader's {} has {count} places to change instead of one; is it version {VERSION}?",
            self.file
        );
        Ok(text.replacen(self.before, self.after, 1))
    }
}

/// Has cargo fetch the packages; answers where it unpacked `bootloader`, beside which the stages lie.
fn fetch(compiler: &Compiler, directory: &Path) -> anyhow::Result<PathBuf> {
    let mut manifest = String::from(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n",
    );
    for package in STAGES
        .iter()
        .map(|(package, _)| *package)
        .chain(["bootloader"])
    {
        manifest.push_str(&format!("{package} = \"={VERSION}\"\n"));
    }
    fs::create_dir_all(directory.join("src"))?;
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/lib.rs"), "")?;

    let mut cargo = compiler.cargo();
    cargo
        .current_dir(directory)
        .args(["metadata", "--format-version", "1"]);
    let said = process::ask(&mut cargo, Deadline::after(FETCH_WITHIN))?;
    if !said.success {
        bail!(
            "the boot loader's sources cannot be fetched: {}",
            said.stderr.trim()
        );
    }
    let metadata: serde_json::Value =
        serde_json::from_str(&said.stdout).context("cargo's answer is not readable")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo's answer lists no packages")?;
    let manifest = packages
        .iter()
        .find(|package| package["name"] == "bootloader")
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo does not say where the package `bootloader` is")?;
    Ok(Path::new(manifest).with_file_name(""))
}

fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be copied to {}", from.display(), to.display());
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        let target = to.join(path.file_name().with_context(failed)?);
        if path.is_dir() {
            copy_directory(&path, &target)?;
        } else {
            fs::copy(&path, &target).with_context(failed)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        file: "main.rs",
        before: "ramdisk",
        after: "rayos.cfg",
    };

    #[test]
    fn an_edit_changes_its_one_place() {
        assert_eq!(EDIT.apply("load(ramdisk)").unwrap(), "load(rayos.cfg)");
    }

    #[test]
    fn an_edit_that_finds_no_place_or_two_is_an_error_and_not_a_guess() {
        for text in ["load(kernel)", "load(ramdisk); load(ramdisk)"] {
            let error = EDIT.apply(text).unwrap_err().to_string();
            assert!(error.contains("main.rs"), "{error}");
        }
    }
}
