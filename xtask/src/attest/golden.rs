//! What a machine must measure, computed from the files that it is to boot and not asked of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::authenticode;
use super::bank::{Bank, hex, sha256};
use crate::image::{self, config, files};
use crate::kernel_digests;
use crate::qemu::Boot;

/// Settings whose values are never shown, and so never measured as they are.
const SECRETS: [&str; 2] = ["token=", "tpm-owner="];
const HIDDEN: &str = "(hidden)";
/// A token that the kernel takes.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
const TOKEN_ROUNDS: usize = 4096;

/// The files and settings that are to be booted.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub boot: Boot,
    pub kernel: PathBuf,
    /// As the machine gets them: `key=value`, separated by blanks.
    pub settings: String,
    pub initrd: Option<PathBuf>,
}

/// How something shows in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured {
    /// An event of the kernel's own: its name, and this text behind it.
    Text(String),
    /// An event of the firmware's: the hashes of what it measured.
    Digests(Vec<(Bank, Vec<u8>)>),
}

/// One thing that must be in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub name: &'static str,
    pub pcr: usize,
    pub measured: Measured,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Golden(pub Vec<Expected>);

/// The name of what the UEFI loader has the firmware measure, and that of the loader itself.
pub const KERNEL_FILE: &str = "kernel-file";
pub const BOOT_APPLICATION: &str = "boot-application";

impl Golden {
    pub fn of(inputs: &Inputs) -> anyhow::Result<Golden> {
        let mut expected = Vec::new();
        let mut add = |name, pcr, text| {
            let measured = Measured::Text(text);
            expected.push(Expected {
                name,
                pcr,
                measured,
            });
        };
        let kernel = fs::read(&inputs.kernel)
            .with_context(|| format!("the kernel {} cannot be read", inputs.kernel.display()))?;
        let kernel = kernel_digests::of(&kernel)?;
        add(
            "kernel-code",
            8,
            segments(&kernel.code.digest, kernel.code.bytes),
        );
        add(
            "kernel-data",
            8,
            segments(&kernel.data.digest, kernel.data.bytes),
        );
        let (command_line, ramdisk) = match inputs.boot {
            Boot::Pvh => {
                let initrd = match &inputs.initrd {
                    Some(path) => {
                        let bytes = fs::read(path);
                        Some(bytes.with_context(|| format!("{} cannot be read", path.display()))?)
                    }
                    None => None,
                };
                (inputs.settings.clone(), initrd)
            }
            Boot::Bios | Boot::Uefi => (
                String::new(),
                Some(config::with_command_line(&inputs.settings).into_bytes()),
            ),
        };
        add(
            "command-line",
            4,
            content(redacted(&command_line).as_bytes()),
        );
        // The file's settings come first, and of a key that comes twice the last one counts.
        let file = ramdisk.as_deref().map(std::str::from_utf8);
        let file = file.and_then(Result::ok).unwrap_or_default();
        add("token", 4, token(&format!("{file}\n{command_line}")));
        let ramdisk = match ramdisk {
            None => "none".to_string(),
            Some(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => content(redacted(text).as_bytes()),
                Err(_) => content(&bytes),
            },
        };
        add("ramdisk", 9, ramdisk);
        if inputs.boot == Boot::Uefi {
            expected.extend(of_uefi_image(inputs)?);
        }
        Ok(Golden(expected))
    }

    pub fn to_json(&self) -> Value {
        let items = self.0.iter().map(|item| {
            let measured = match &item.measured {
                Measured::Text(text) => json!({ "text": format!("rayos {} {text}", item.name) }),
                Measured::Digests(digests) => {
                    let digests = digests
                        .iter()
                        .map(|(bank, digest)| (bank.name().to_string(), Value::from(hex(digest))));
                    Value::Object(digests.collect())
                }
            };
            json!({ "name": item.name, "pcr": item.pcr, "measured": measured })
        });
        Value::Array(items.collect())
    }
}

/// What the firmware measures on the way to the kernel: the boot loader, and for it the kernel's file.
fn of_uefi_image(inputs: &Inputs) -> anyhow::Result<[Expected; 2]> {
    let image = image::for_boot(&inputs.kernel, &inputs.settings)?.uefi;
    let kernel = files::read(&image, files::KERNEL)?;
    let loader = files::read(&image, files::UEFI_LOADER)?;
    let pieces = authenticode::pieces(&loader).context("the image's boot loader")?;
    let of = |pieces: &[&[u8]]| {
        let digests = Bank::ALL.iter().map(|bank| (*bank, bank.hash(pieces)));
        Measured::Digests(digests.collect())
    };
    Ok([
        Expected {
            name: KERNEL_FILE,
            pcr: 8,
            measured: of(&[&kernel]),
        },
        Expected {
            name: BOOT_APPLICATION,
            pcr: 4,
            measured: of(&pieces),
        },
    ])
}

fn segments(digest: &[u8; 32], bytes: u64) -> String {
    format!("sha256={} bytes={bytes}", hex(digest))
}

fn content(bytes: &[u8]) -> String {
    format!("sha256={} bytes={}", hex(&sha256(bytes)), bytes.len())
}

/// Settings as the kernel measures them: the values of secrets are replaced.
fn redacted(settings: &str) -> String {
    let mut shown = String::new();
    let mut rest = settings;
    loop {
        let found = SECRETS
            .iter()
            .filter_map(|key| Some((rest.find(key)? + key.len(), key)));
        let Some((behind, _)) = found.min() else {
            return shown + rest;
        };
        shown.push_str(&rest[..behind]);
        shown.push_str(HIDDEN);
        let secret = &rest[behind..];
        rest = &secret[secret.find(char::is_whitespace).unwrap_or(secret.len())..];
    }
}

/// The fingerprint of the token in force: the last good one.
fn token(settings: &str) -> String {
    let lines = settings
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let words = lines.flat_map(str::split_whitespace);
    let mut tokens = words.filter_map(|word| word.strip_prefix("token="));
    let is_good = |token: &&str| {
        TOKEN_BYTES.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match tokens.rfind(is_good) {
        None => "none".to_string(),
        Some(token) => {
            let first = sha256(&[b"rayos token", token.as_bytes()].concat());
            let last = (0..TOKEN_ROUNDS).fold(first, |digest, _| {
                Sha256::new()
                    .chain_update(digest)
                    .chain_update(token)
                    .finalize()
                    .into()
            });
            format!("fingerprint={}", hex(&last))
        }
    }
}

/// Where the golden values are kept beside the evidence.
pub fn write(golden: &Golden, directory: &Path) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&golden.to_json())? + "\n";
    fs::write(directory.join("golden.json"), text).context("golden.json cannot be written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayos_kernel::base::token;

    #[test]
    fn secrets_are_hidden_as_the_kernel_hides_them() {
        for settings in [
            "debug=1 token=secret-secret ip=dhcp",
            "a\ntoken=secret-secret\nb token=secret2\n",
            "my-token=secret",
            "debug=1",
            "",
        ] {
            let kernels = token::redacted::<512>(settings);
            assert_eq!(redacted(settings), kernels.as_str());
        }
        let shown = redacted("tpm-owner=hush token=hush\ttpm-owner=hush");
        assert_eq!(
            shown,
            "tpm-owner=(hidden) token=(hidden)\ttpm-owner=(hidden)"
        );
    }

    #[test]
    fn the_fingerprint_is_of_the_last_good_token_and_says_nothing_of_it() {
        assert_eq!(token("debug=1 token=short # token=a-comment"), "none");
        let one = token("token=correct-horse");
        assert_eq!(one.len(), "fingerprint=".len() + 64);
        assert_eq!(
            one,
            token("token=other-horse token=correct-horse token=short")
        );
        assert_ne!(one, token("token=correct-horsf"));
    }
}
