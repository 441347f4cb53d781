//! The table of everything that is needed, and how each is looked for.

use std::process::Command;
use std::time::Duration;

use super::remedy::{Remedy, System};
use crate::bench::linux;
use crate::deadline::Deadline;
use crate::image;
use crate::process;
use crate::qemu;
use crate::toolchain::{self, Means, Search};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Purpose {
    Build,
    Run,
    Images,
    Tests,
    Lint,
    Benchmarks,
    Debugging,
}

impl Purpose {
    pub const ALL: &[Purpose] = &[
        Purpose::Build,
        Purpose::Run,
        Purpose::Images,
        Purpose::Tests,
        Purpose::Lint,
        Purpose::Benchmarks,
        Purpose::Debugging,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Purpose::Build => "build",
            Purpose::Run => "run",
            Purpose::Images => "images",
            Purpose::Tests => "tests",
            Purpose::Lint => "lint",
            Purpose::Benchmarks => "benchmarks",
            Purpose::Debugging => "debugging",
        }
    }
}

/// One thing that is needed.
pub struct Need {
    pub name: &'static str,
    pub purposes: &'static [Purpose],
    pub serves: &'static str,
    /// The version that is here; a path or `present` where there is no version to ask for.
    probe: fn() -> Option<String>,
    remedy: fn(&System) -> Remedy,
}

impl Need {
    /// Whether the machine is incomplete without it. A debugger is for people, not for what the project promises.
    pub fn is_required(&self) -> bool {
        self.purposes != [Purpose::Debugging]
    }

    pub fn remedy(&self, system: &System) -> Remedy {
        (self.remedy)(system)
    }

    pub fn purpose_names(&self) -> String {
        self.purposes
            .iter()
            .map(|purpose| purpose.name())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A need and what was found for it.
pub struct Finding {
    pub need: &'static Need,
    pub version: Option<String>,
}

/// Looks for everything that serves one of these purposes, all at once.
pub fn look_for(purposes: &[Purpose]) -> Vec<Finding> {
    let wanted = |need: &&Need| {
        need.purposes
            .iter()
            .any(|purpose| purposes.contains(purpose))
    };
    let needs: Vec<&'static Need> = NEEDS.iter().filter(wanted).collect();
    std::thread::scope(|scope| {
        let probes: Vec<_> = needs.iter().map(|need| scope.spawn(need.probe)).collect();
        // A probe that panicked found nothing.
        let versions = probes
            .into_iter()
            .map(|probe| probe.join().unwrap_or_default());
        needs
            .iter()
            .zip(versions)
            .map(|(need, version)| Finding { need, version })
            .collect()
    })
}

pub static NEEDS: &[Need] = &[
    Need {
        name: "Rust for bare metal",
        purposes: &[
            Purpose::Build,
            Purpose::Tests,
            Purpose::Lint,
            Purpose::Benchmarks,
        ],
        serves: "compiles the kernel",
        probe: || match toolchain::search() {
            Search::Found(toolchain) => Some(toolchain.description()),
            Search::LinkerMissing(_) | Search::CoreMissing => None,
        },
        remedy: |system| match toolchain::search() {
            Search::LinkerMissing(_) => system.packages(&[system.lld()]),
            _ => system.bare_metal_toolchain(),
        },
    },
    Need {
        name: "QEMU",
        purposes: &[Purpose::Run, Purpose::Tests, Purpose::Benchmarks],
        serves: "runs the kernel",
        probe: || version(qemu::PROGRAM, "--version", "version "),
        remedy: |system| system.packages(&["qemu-system-x86"]),
    },
    Need {
        name: "UEFI firmware",
        purposes: &[Purpose::Images, Purpose::Tests],
        serves: "boots the UEFI image",
        probe: || qemu::firmware().map(|(code, _)| code.display().to_string()),
        remedy: |system| system.packages(&["ovmf"]),
    },
    Need {
        name: "boot loader's compiler",
        purposes: &[Purpose::Images, Purpose::Tests],
        serves: "compiles the boot loader of the images",
        probe: image::boot_loader_compiler,
        remedy: System::boot_loader_compiler,
    },
    Need {
        name: "mtools",
        purposes: &[Purpose::Images, Purpose::Tests],
        serves: "looks into images",
        probe: || version("mtools", "--version", "(GNU mtools) "),
        remedy: |system| system.packages(&["mtools"]),
    },
    Need {
        name: "dosfstools",
        purposes: &[Purpose::Tests],
        serves: "makes and checks FAT file systems",
        probe: || process::find_program("fsck.fat").map(|path| path.display().to_string()),
        remedy: |system| system.packages(&["dosfstools"]),
    },
    Need {
        name: "sfdisk",
        purposes: &[Purpose::Tests],
        serves: "checks partition tables",
        probe: || version("sfdisk", "--version", "util-linux "),
        remedy: |system| system.packages(&["fdisk"]),
    },
    Need {
        name: "sgdisk",
        purposes: &[Purpose::Tests],
        serves: "checks partition tables, independently of sfdisk",
        probe: || version("sgdisk", "--version", "version "),
        remedy: |system| system.packages(&["gdisk"]),
    },
    Need {
        name: "rustfmt",
        purposes: &[Purpose::Lint, Purpose::Tests],
        serves: "checks the formatting",
        probe: || cargo_component("fmt", "rustfmt "),
        remedy: |system| system.component("rustfmt"),
    },
    Need {
        name: "clippy",
        purposes: &[Purpose::Lint],
        serves: "checks the code",
        probe: || cargo_component("clippy", "clippy "),
        remedy: |system| system.component("clippy"),
    },
    Need {
        name: "clippy for bare metal",
        purposes: &[Purpose::Lint],
        serves: "checks the kernel as the machine runs it",
        probe: bare_metal_clippy,
        remedy: |system| match toolchain::search() {
            Search::Found(toolchain) if toolchain.means == Means::DebianSource => {
                system.packages(&["rust-web-clippy"])
            }
            _ => system.component("clippy"),
        },
    },
    Need {
        name: "iproute2",
        purposes: &[Purpose::Tests, Purpose::Benchmarks],
        serves: "makes networks of their own for tests",
        probe: || version("ip", "-V", "iproute2-"),
        remedy: |system| system.packages(&["iproute2"]),
    },
    Need {
        name: "util-linux",
        purposes: &[Purpose::Tests, Purpose::Benchmarks],
        serves: "runs programs in those networks",
        probe: || version("nsenter", "--version", "util-linux "),
        remedy: |system| system.packages(&["util-linux"]),
    },
    Need {
        name: "dnsmasq",
        purposes: &[Purpose::Tests],
        serves: "gives addresses and names to the kernel",
        probe: || version("dnsmasq", "--version", "Dnsmasq version "),
        remedy: |system| system.packages(&["dnsmasq-base"]),
    },
    Need {
        name: "udhcpd",
        purposes: &[Purpose::Tests],
        serves: "gives addresses, independently of dnsmasq",
        probe: || process::find_program("udhcpd").map(|path| path.display().to_string()),
        remedy: |system| system.packages(&["udhcpd"]),
    },
    Need {
        name: "curl",
        purposes: &[Purpose::Tests],
        serves: "asks the kernel's web server",
        probe: || version("curl", "--version", "curl "),
        remedy: |system| system.packages(&["curl"]),
    },
    Need {
        name: "swtpm",
        purposes: &[Purpose::Tests],
        serves: "is the TPM of a machine",
        probe: || version("swtpm", "--version", "version "),
        remedy: |system| system.packages(&["swtpm", "swtpm-tools"]),
    },
    Need {
        name: "tpm2-tools",
        purposes: &[Purpose::Tests],
        serves: "checks quotes and event logs, independently of the kernel",
        probe: || version("tpm2_checkquote", "--version", "version=\""),
        remedy: |system| system.packages(&["tpm2-tools"]),
    },
    Need {
        name: "nginx",
        purposes: &[Purpose::Benchmarks],
        serves: "is the Linux guest's web server",
        probe: || process::find_program("nginx").map(|path| path.display().to_string()),
        remedy: |system| system.packages(&["nginx"]),
    },
    Need {
        name: "wrk",
        purposes: &[Purpose::Benchmarks],
        serves: "asks web servers as fast as they answer",
        probe: || process::find_program("wrk").map(|path| path.display().to_string()),
        remedy: |system| system.packages(&["wrk"]),
    },
    Need {
        name: "fio",
        purposes: &[Purpose::Benchmarks],
        serves: "reads and writes the Linux guest's disk",
        probe: || process::find_program("fio").map(|path| path.display().to_string()),
        remedy: |system| system.packages(&["fio"]),
    },
    Need {
        name: "busybox",
        purposes: &[Purpose::Tests, Purpose::Benchmarks],
        serves: "is the Linux guest's first process, and pings the kernel",
        probe: linux::busybox_version,
        remedy: |system| system.packages(&["busybox-static"]),
    },
    Need {
        name: "Linux kernel",
        purposes: &[Purpose::Benchmarks],
        serves: "is what RayOS is compared with",
        probe: linux::kernel_version,
        remedy: |_| Remedy::LinuxKernel,
    },
    Need {
        name: "gdb",
        purposes: &[Purpose::Debugging],
        serves: "looks into a running kernel (run --gdb)",
        probe: || version("gdb", "--version", "GNU gdb "),
        remedy: |system| system.packages(&["gdb"]),
    },
];

/// The version in what a program says of itself: the first number after `before` in the first line.
fn version(program: &str, argument: &str, before: &str) -> Option<String> {
    let program = process::find_program(program)?;
    first_line_after(Command::new(program).arg(argument), before)
}

fn cargo_component(subcommand: &str, before: &str) -> Option<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(crate::workspace::root())
        .args([subcommand, "--version"]);
    first_line_after(&mut command, before)
}

fn bare_metal_clippy() -> Option<String> {
    let Search::Found(toolchain) = toolchain::search() else {
        return None;
    };
    // Behind the arguments for a build, clippy is asked for its version all the same.
    first_line_after(toolchain.clippy()?.arg("--version"), "clippy ")
}

fn first_line_after(command: &mut Command, before: &str) -> Option<String> {
    let said = process::ask(command, Deadline::after(ANSWER_WITHIN))
        .ok()
        .filter(|said| said.success)?;
    let line = said.stdout.lines().next()?;
    let said = line.split_once(before).map_or(line, |(_, said)| said);
    let version = said
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Some(
        version
            .unwrap_or(said)
            .trim_end_matches([')', ',', '"'])
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_a_need_and_every_need_a_name_of_its_own() {
        for purpose in Purpose::ALL {
            assert!(
                NEEDS.iter().any(|need| need.purposes.contains(purpose)),
                "{purpose:?}"
            );
        }
        let mut names: Vec<&str> = NEEDS.iter().map(|need| need.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NEEDS.len());
    }

    #[test]
    fn only_what_serves_the_purpose_is_looked_for() {
        let findings = look_for(&[Purpose::Debugging]);
        assert_eq!(
            findings
                .iter()
                .map(|finding| finding.need.name)
                .collect::<Vec<_>>(),
            ["gdb"]
        );
    }

    #[test]
    fn a_version_is_the_first_number_after_its_mark() {
        let version = first_line_after(
            Command::new("echo").arg("GNU 2 tool (Debian 1.2-3) 1.2\nmore"),
            "tool ",
        );
        assert_eq!(version.as_deref(), Some("1.2-3"));
        assert_eq!(first_line_after(&mut Command::new("false"), ""), None);
    }
}
